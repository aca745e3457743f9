"""A template loader that notes what it is asked for."""

from __future__ import annotations

from pathlib import Path

from django.template import Origin
from django.template.engine import Engine
from django.template.loaders.filesystem import Loader as FilesystemLoader


class Loader(FilesystemLoader):
    """Finds the project's templates, and writes the name of each that it reads into a file."""

    def __init__(self, engine: Engine, record: str) -> None:
        super().__init__(engine)
        self.record = Path(record)

    def get_contents(self, origin: Origin) -> str:
        contents = super().get_contents(origin)
        with self.record.open("a") as record:
            record.write(f"{origin.template_name!s}\n")
        return contents
