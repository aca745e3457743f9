"""Files of `NAME=value` lines, as settings.py, Docker and systemd read them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values by name; a file that does not exist has none."""
    if not path.exists():
        return {}
    values: dict[str, str] = {}
    for line in path.read_text().splitlines():
        name, value = _parse(line)
        # Of two lines with one name the first counts, as it does for django-environ.
        values.setdefault(name, value)
    values.pop("", None)
    return values


def merge_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Set these values in the file and leave its other lines, comments too, as they are.

    The file holds secrets: only its owner may read it, and it is replaced as a whole or not at all.
    """
    missing = dict(values)
    lines = []
    for line in path.read_text().splitlines() if path.exists() else []:
        name, _ = _parse(line)
        if name not in values:
            lines.append(line)
        elif name in missing:
            lines.append(f"{name}={missing.pop(name)}")
    lines += [f"{name}={value}" for name, value in missing.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise


def _parse(line: str) -> tuple[str, str]:
    name, separator, value = line.strip().removeprefix("export ").partition("=")
    if not separator or not name.isidentifier():
        return "", ""
    return name, value.strip("'\"")
