"""What the atheris harnesses share: inputs that follow the coverage of our code, and of the libraries that read them.

Run one as `python -m tests.fuzz.atheris_tokens [LIBFUZZER OPTIONS] [FOLDER]`. Inputs that reached new code go to the
folder; it begins with the seeds that the harness makes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
with atheris.instrument_imports(include=["accounts", "jwt", "joserfc"]):
    import django

    django.setup()


def fuzz(try_one: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Call `try_one` with one input after another until the options say stop, or it raises."""
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    for folder in filter(Path.is_dir, folders[:1]):
        for number, seed in enumerate(seeds):
            (folder / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
