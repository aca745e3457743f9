"""A local user pool for tests: MiniStack on a free port, made from the same template as the real one.

    with LocalUserPool(site_url="http://localhost:8123") as pool:
        pool.settings["COGNITO_CLIENT_ID"]      # every setting of the app, by variable name, as strings
        pool.user.email, pool.user.password     # also pool.admin (group admins) and pool.outsider (no group)
        pool.api.admin_get_user(...)            # cognito-idp with administrator's credentials
        pool.url                                # hosted UI, API and keys: http://localhost:PORT

The executable is the one `bin/test` and `bin/up` install into `.local/venv`. Starting takes about a second; share one
pool per test session where tests allow it. `add_person` makes more people, so that tests need not share them.
"""

from __future__ import annotations

import socket
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import boto3

from accounts.cognito.stack import UserPoolStack
from deploy.local.ministack import CREDENTIALS, REGION, MiniStack
from deploy.local.people import Person, make_people, new_password

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

TEMPLATE = Path(__file__).resolve().parent.parent / "deploy" / "user-pool.yaml"
LOCAL_PARAMETERS = {"ManagedLogin": "false", "DeletionProtection": "INACTIVE", "AccessTokenMinutes": "5"}


def free_port() -> int:
    """Return a loopback port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LocalUserPool:
    """A running MiniStack with the template deployed and three people in the pool."""

    settings: dict[str, str]
    user: Person
    admin: Person
    outsider: Person

    def __init__(self, site_url: str = "http://localhost:8000", **parameters: str) -> None:
        self.parameters: Mapping[str, str] = LOCAL_PARAMETERS | parameters | {"SiteUrl": site_url}
        self._directory = tempfile.TemporaryDirectory(prefix="local-user-pool-")
        self.administrator = boto3.Session(
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        directory = Path(self._directory.name)
        self.ministack = MiniStack(
            port=free_port(), state_dir=directory / "state", log_path=directory / "ministack.log"
        )

    def __enter__(self) -> Self:
        try:
            self.ministack.start()
            self.deploy()
            self.user = self.add_person("user")
            self.admin = self.add_person("admin", groups=("admins",))
            self.outsider = self.add_person("outsider")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        return self.ministack.url

    @property
    def user_pool_id(self) -> str:
        return self.settings["COGNITO_USER_POOL_ID"]

    @property
    def client_id(self) -> str:
        return self.settings["COGNITO_CLIENT_ID"]

    @property
    def api(self) -> CognitoIdentityProviderClient:
        return self.administrator.client("cognito-idp", endpoint_url=self.url)

    def deploy(self, **parameters: str) -> bool:
        """Deploy the template, again if need be; return whether anything changed."""
        self.parameters = {**self.parameters, **parameters}
        stack = UserPoolStack("gatehouse-tests", endpoint_url=self.url, session=self.administrator)
        changed = stack.deploy(TEMPLATE.read_text(), self.parameters, on_event=lambda _event: None)
        self.settings = stack.settings()
        return changed

    def add_person(self, name: str, *, groups: tuple[str, ...] = ()) -> Person:
        """Make someone new, whose address occurs in no other test."""
        person = Person(
            email=f"{name}-{uuid.uuid4().hex[:8]}@example.com",
            name=name.capitalize(),
            password=new_password(),
            groups=groups,
        )
        make_people(self.url, self.user_pool_id, [person])
        return person

    def close(self) -> None:
        """Stop the emulator and forget its state."""
        self.ministack.stop()
        self._directory.cleanup()
