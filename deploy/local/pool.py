"""The local user pool of one working copy: what it should be, and making it so."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from accounts.env_file import read_env_file
from deploy.local.commands import ROOT
from deploy.local.ministack import MiniStack
from deploy.local.people import Person, make_people

TEMPLATE = ROOT / "deploy" / "user-pool.yaml"
PARAMETERS = {
    # The emulator has the classic pages only.
    "ManagedLogin": "false",
    "DeletionProtection": "INACTIVE",
    # The shortest there is, so that a silent refresh can be watched.
    "AccessTokenMinutes": "5",
}


@dataclass(frozen=True)
class LocalPool:
    """The pool that should be in the emulator's state: this template, for this site, with these people."""

    ministack: MiniStack
    site_url: str
    people: Sequence[Person]
    env_file: Path

    @property
    def mail_url(self) -> str:
        return f"{self.ministack.url}/_ministack/ses/messages"

    @property
    def deploy_arguments(self) -> list[str]:
        """Return the arguments for `manage.py deploy_user_pool`."""
        parameters = [f"--parameter={name}={value}" for name, value in PARAMETERS.items()]
        return [
            *("--stack", "gatehouse", "--site-url", self.site_url),
            *("--region", self.ministack.region, "--endpoint-url", self.ministack.url),
            *("--env-file", str(self.env_file), *parameters),
        ]

    @property
    def is_current(self) -> bool:
        """Tell whether an earlier run left exactly this pool in the state the emulator will load."""
        return self._is_whole and self._mark.read_text() == self._fingerprint

    def make(self, deploy: Callable[[], None]) -> None:
        """Bring the pool about with a MiniStack that runs only meanwhile.

        MiniStack writes its state when it stops. Stopping it here means the pool outlives a killed bin/up.
        """
        if not self._is_whole:
            shutil.rmtree(self.ministack.state_dir, ignore_errors=True)
        self._mark.unlink(missing_ok=True)
        with self.ministack:
            deploy()
            make_people(self.ministack.url, read_env_file(self.env_file)["COGNITO_USER_POOL_ID"], self.people)
        self._mark.write_text(self._fingerprint)

    @property
    def _is_whole(self) -> bool:
        """Tell whether the state has a finished pool, and the stack that made it."""
        user_pool_id = read_env_file(self.env_file).get("COGNITO_USER_POOL_ID")
        files = [self.ministack.state_dir / name for name in ("cognito.json", "cloudformation.json")]
        return (
            self._mark.is_file()
            and user_pool_id is not None
            and all(file.is_file() and user_pool_id in file.read_text() for file in files)
        )

    @property
    def _mark(self) -> Path:
        return self.ministack.state_dir / "deployed"

    @property
    def _fingerprint(self) -> str:
        people = [asdict(person) for person in self.people]
        wanted = [TEMPLATE.read_text(), PARAMETERS, self.site_url, self.ministack.url, people]
        return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()
