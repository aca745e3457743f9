"""Let a fleet live through everything for as long as you like: `python -m tests.fleet --seconds 600`."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

import django


def main() -> int:
    """Print what happened and what it cost; fail, and keep the logs, if anything happened that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="begin no round later than that (default: 600)")
    parser.add_argument("--people", type=int, default=200, help="how many there are (default: 200)")
    options = parser.parse_args()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "LOG_FORMAT": "line"}
    django.setup()
    logging.getLogger("tests.fleet").setLevel(logging.INFO)
    from tests.fleet.ledger import CLAIMS
    from tests.fleet.report import table
    from tests.fleet.story import live_through

    directory = Path(tempfile.mkdtemp(prefix="gatehouse-fleet-"))
    sys.stdout.write(f"The logs are in {directory}\n")
    sys.stdout.flush()
    ledger = live_through(directory, people=options.people, seconds=options.seconds)
    sys.stdout.write(f"\n{table(ledger)}\n\n")
    broken = {claim: against for claim, look in CLAIMS.items() if (against := look(ledger))}
    for claim, against in broken.items():
        sys.stdout.write(f"NOT SO: {claim}: {len(against)}, such as {list(against)[:3]}\n")
    if not broken:
        shutil.rmtree(directory)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
