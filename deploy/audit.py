"""Known vulnerabilities of the pinned packages. pip-audit asks the database; here its answer is read to the letter.

By itself pip-audit passes a package that the database did not answer for.
"""

from __future__ import annotations

import json
import subprocess  # nosec B404  # starts pip-audit
import sys
from typing import Any

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


def main(locks: list[str]) -> int:
    """Audit the locks and return the exit status."""
    files = [argument for lock in locks or ["requirements.txt"] for argument in ("--requirement", lock)]
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format=json", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603  # no shell
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"The advisory database could not be asked: {reason}", file=sys.stderr)  # noqa: T201
        return UNKNOWN
    return report(packages)


def report(packages: list[dict[str, Any]]) -> int:
    """Print what is known of each package and return the exit status; a known vulnerability counts most."""
    known = [(package, each) for package in packages for each in package.get("vulns", ())]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    for package, each in known:
        fixed = ", ".join(each.get("fix_versions", ())) or "no version yet"
        print(f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}")  # noqa: T201
    if unknown:
        print(f"The database did not answer for {len(unknown)}: {', '.join(unknown)}", file=sys.stderr)  # noqa: T201
    if known:
        return VULNERABLE
    if unknown or not packages:
        return UNKNOWN
    print(f"Nothing known against {len(packages)} packages.")  # noqa: T201
    return CLEAN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
