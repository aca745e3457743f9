"""MiniStack, the emulator that plays Amazon Cognito on a laptop, as one process on loopback."""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404  # the project's own commands
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent.parent
EXECUTABLE = ROOT / ".local" / "venv" / "bin" / "ministack"
# MiniStack's own root credentials. They open nothing but a process on this machine.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # nosec B105  # no secret
NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
REGION = "us-east-1"
START_SECONDS = 20
STOP_SECONDS = 10


def answers(url: str) -> bool:
    """Tell whether a GET of the URL succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # nosec B310  # our own server on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class MiniStackError(Exception):
    """MiniStack did not start; the message says what to look at."""


@dataclass
class MiniStack:
    """One MiniStack process. Use it as a context manager, or take `command` and `environment` to a process manager."""

    port: int
    state_dir: Path
    log_path: Path
    executable: Path = EXECUTABLE
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def region(self) -> str:
        return REGION

    @property
    def command(self) -> list[str]:
        return [str(self.executable)]

    @property
    def environment(self) -> dict[str, str]:
        """Return a whole environment: nothing of the caller's AWS settings reaches the emulator."""
        runtime = self.state_dir / "tmp"
        runtime.mkdir(parents=True, exist_ok=True)
        return CREDENTIALS | {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(runtime),
            "TMPDIR": str(runtime),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
            "SERVICES": "cloudformation,cognito-identity,cognito-idp,iam,ses,sts",
            # Signatures of admin calls are checked, as on AWS.
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state_dir),
            "S3_DATA_DIR": str(self.state_dir / "s3"),
            # Neither listens on other ports nor looks for a Docker daemon.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{runtime}/no-docker.sock",
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        environment = self.environment
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(  # nosec B603  # no shell, and no argument from outside
                self.command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.process = process
        try:
            self._wait(process)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the process. It saves its state on the way out, so give it time."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(f"{self.url}/_ministack/ready"):
            if process.poll() is not None:
                raise MiniStackError(f"The local user pool stopped at once; see {self.log_path}")
            if time.monotonic() > deadline:
                raise MiniStackError(
                    f"The local user pool did not answer within {START_SECONDS} s; see {self.log_path}"
                )
            time.sleep(0.05)
