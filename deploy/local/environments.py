"""The two virtual environments: made once, and again when their lock changes or an earlier run was cut short.

Runs on any Python 3.11 with its standard library alone, before anything is installed.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess  # nosec B404  # the project's own commands
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.commands import ROOT, CommandFailedError, run_together
from deploy.local.terminal import fail, step

LOG = ROOT / ".local" / "log" / "install.log"
# What pip prints when it cannot reach a package index.
UNREACHABLE = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "nodename nor servname",
    "Network is unreachable",
    "Connection refused",
    "Max retries exceeded",
    "Read timed out",
    "ProxyError",
)


class InstallError(Exception):
    """The packages could not be installed; the message says why and what to do."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment and the lock it is filled from.

    `covers` names smaller locks whose packages are all in `lock`: the environment is complete for those, too.
    """

    path: Path
    lock: Path
    covers: tuple[Path, ...] = ()

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Return the file written last of all, so that it exists only in a complete environment."""
        return self.path / "installed-locks"

    @property
    def is_complete(self) -> bool:
        return self.stamp.is_file() and _stamp_line(self.lock) in self.stamp.read_text().splitlines() and self._runs

    @property
    def is_sound(self) -> bool:
        """Tell whether packages may be added: an install that was cut short can leave any file half written."""
        return self.stamp.is_file() and self._runs

    @property
    def making(self) -> list[str]:
        return [sys.executable, "-m", "venv", "--clear", str(self.path)]

    @property
    def filling(self) -> list[str]:
        # With pip's own number of retries a missing network takes minutes to notice.
        options = ["--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1"]
        return [str(self.python), "-m", "pip", "install", *options, "--require-hashes", "-r", str(self.lock)]

    def mark_complete(self) -> None:
        """Write the stamp."""
        lines = sorted(_stamp_line(lock) for lock in (self.lock, *self.covers))
        self.stamp.write_text("\n".join(lines) + "\n")

    @property
    def _runs(self) -> bool:
        """Tell whether its Python works: the one it was made from may have been removed since."""
        try:
            nothing: list[str | Path] = [self.python, "-c", ""]
            return subprocess.run(nothing, capture_output=True, check=False).returncode == 0  # nosec B603  # our own
        except OSError:
            return False


APP = Environment(ROOT / ".venv", ROOT / "requirements.txt")
DEVELOPMENT = Environment(ROOT / ".venv", ROOT / "requirements-dev.txt", covers=(APP.lock,))
LOCAL = Environment(ROOT / ".local" / "venv", ROOT / "requirements-local.txt")
BENCH = Environment(ROOT / ".local" / "bench", ROOT / "requirements-bench.txt")


def install(*environments: Environment) -> None:
    """Make and fill those environments that are not complete, all at once."""
    missing = [environment for environment in environments if not environment.is_complete]
    if not missing:
        return
    try:
        if unsound := [environment for environment in missing if not environment.is_sound]:
            with step(f"Making {_names(unsound)}") as current:
                run_together([environment.making for environment in unsound], LOG, current.tick)
        with step(f"Installing {' and '.join(environment.lock.name for environment in missing)}") as current:
            for environment in missing:
                environment.stamp.unlink(missing_ok=True)
            run_together([environment.filling for environment in missing], LOG, current.tick)
            for environment in missing:
                environment.mark_complete()
    except CommandFailedError as error:
        raise InstallError(_reason(error)) from error


def _reason(error: CommandFailedError) -> str:
    if any(sign in error.output for sign in UNREACHABLE):
        return (
            "The Python packages could not be downloaded: no package index was reached. Check the network "
            f"(behind a proxy, set HTTPS_PROXY or PIP_INDEX_URL) and run this again. pip's output: {error.log}"
        )
    lines = [line for line in error.output.splitlines() if line.startswith("ERROR")]
    return f"The Python packages could not be installed: {lines[0] if lines else error.last_line} (pip: {error.log})"


def _names(environments: Sequence[Environment]) -> str:
    return " and ".join(str(environment.path.relative_to(ROOT)) for environment in environments)


def _stamp_line(lock: Path) -> str:
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()}  {lock.name}"


def main() -> int:
    """Install what the tests need, or with the argument `bench` what bin/bench does; return the exit status."""
    try:
        install(*([BENCH] if sys.argv[1:] == ["bench"] else [DEVELOPMENT, LOCAL]))
    except InstallError as error:
        fail(str(error))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
