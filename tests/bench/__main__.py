"""Measures side by side, in one run on one machine: `bin/bench [WHAT ...]`, all of it without arguments.

What counts are the ratios; docs/performance.md has them and says how to read them.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

# Each is a module with a `main`, described by its first line.
PARTS = {
    "page": "tests.bench.same_page",
    "load": "tests.bench.load",
    "sign-in": "tests.bench.sign_in",
    "stampede": "tests.bench.stampede",
    "primitives": "tests.bench.primitives",
    "memory": "tests.bench.memory",
    "console": "tests.bench.console",
    "revoke-all": "tests.bench.revoke_all",
    "simulate": "tests.bench.simulate",
}


def main() -> None:
    described = "\n".join(f"  {name:<12}{_first_line(module)}" for name, module in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="bin/bench",
        description=f"{__doc__}\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", choices=[*PARTS, []], metavar="WHAT", help="a part; all if none is named")
    chosen = parser.parse_args().what or list(PARTS)
    sys.argv[1:] = []
    for name in chosen:
        print(f"\n== {name}: {_first_line(PARTS[name])}\n", flush=True)  # noqa: T201
        importlib.import_module(PARTS[name]).main()


def _first_line(module: str) -> str:
    source = (Path(__file__).parent / f"{module.rpartition('.')[2]}.py").read_text()
    return source.partition("\n")[0].strip('"')


if __name__ == "__main__":
    main()
