"""bin/up, second half: makes the local user pool and runs it with the app until told to stop.

Runs in `.local/venv`. The app's own commands run in `.venv` with an environment made here: nothing exported in the
shell of whoever starts it reaches the app or the emulator.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import signal
import sys
from dataclasses import asdict, dataclass
from functools import cached_property

from accounts.env_file import merge_env_file, read_env_file
from deploy.local.commands import ROOT, CommandFailedError, run_together
from deploy.local.environments import APP
from deploy.local.ministack import CREDENTIALS, NO_AWS_FILES, MiniStack, MiniStackError, answers
from deploy.local.people import Person, new_password
from deploy.local.pool import LocalPool
from deploy.local.serve import Server
from deploy.local.terminal import bold, fail, say, step

LOCAL_DIR = ROOT / ".local"
ENV_FILE = LOCAL_DIR / "app.env"
DEMO_FILE = LOCAL_DIR / "demo.json"
LOGS = LOCAL_DIR / "log"
PYTHON = str(APP.python)
# What the app's processes keep of the caller's environment. Settings come from ENV_FILE alone; put changes there.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


@dataclass
class Gatehouse:
    """Everything that runs on this machine."""

    port: int
    pool_port: int

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.port}"

    @cached_property
    def people(self) -> list[Person]:
        """Return the demo people, with the passwords of the first run."""
        known = json.loads(DEMO_FILE.read_text())["people"] if DEMO_FILE.is_file() else []
        passwords = {person["email"]: person["password"] for person in known}
        people = [
            Person("demo@example.com", "Dana Demo", new_password()),
            Person("admin@example.com", "Ada Admin", new_password(), ("admins",)),
        ]
        return [
            Person(person.email, person.name, passwords.get(person.email, person.password), person.groups)
            for person in people
        ]

    @cached_property
    def pool(self) -> LocalPool:
        ministack = MiniStack(self.pool_port, state_dir=LOCAL_DIR / "ministack", log_path=LOGS / "pool.log")
        return LocalPool(ministack, self.site_url, self.people, ENV_FILE)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        return kept | {"ENV_FILE": str(ENV_FILE), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}

    def prepare(self) -> None:
        """Write the settings and make the pool, the database and the static files."""
        self.write_settings()
        if not self.pool.is_current:
            with step("Deploying the local user pool") as current:
                deploy = [PYTHON, "manage.py", "deploy_user_pool", *self.pool.deploy_arguments]
                environment = self.environment | CREDENTIALS | NO_AWS_FILES
                self.pool.make(lambda: run_together([deploy], LOGS / "deploy.log", current.tick, environment))
        self.write_demo()
        with step("Preparing the database and the static files") as current:
            tasks = [[PYTHON, "manage.py", name, "--no-input"] for name in ("migrate", "collectstatic")]
            run_together(tasks, LOGS / "prepare.log", current.tick, self.environment)

    def write_settings(self) -> None:
        """Write the app's settings, making its secrets on the first run."""
        present = read_env_file(ENV_FILE)
        merge_env_file(
            ENV_FILE,
            {
                "DEBUG": present.get("DEBUG", "false"),
                "LOG_FORMAT": present.get("LOG_FORMAT", "line"),
                "SECRET_KEY": present.get("SECRET_KEY") or secrets.token_urlsafe(50),
                # The same as one key of `manage.py generate_key`.
                "TOKEN_ENCRYPTION_KEYS": present.get("TOKEN_ENCRYPTION_KEYS")
                or base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(),
                "ALLOWED_HOSTS": "localhost,127.0.0.1",
                "SITE_URL": self.site_url,
                "DATABASE_URL": f"sqlite:///{LOCAL_DIR}/db.sqlite3",
            },
        )

    def write_demo(self) -> None:
        """Write what scripts need to know of this installation."""
        settings = read_env_file(ENV_FILE)
        demo = {
            "site_url": self.site_url,
            "people": [asdict(person) for person in self.people],
            "pool": {
                "user_pool_id": settings["COGNITO_USER_POOL_ID"],
                "client_id": settings["COGNITO_CLIENT_ID"],
                "identity_pool_id": settings["COGNITO_IDENTITY_POOL_ID"],
                "endpoint": self.pool.ministack.url,
            },
        }
        # Replaced as a whole or not at all: the passwords are nowhere else.
        draft = DEMO_FILE.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(demo, indent=2) + "\n")
        draft.replace(DEMO_FILE)

    def serve(self) -> int:
        """Run the processes until they are stopped; return the exit status."""
        keys_url = read_env_file(ENV_FILE)["COGNITO_JWKS_URL"]
        server = Server(
            LOGS,
            is_ready=lambda: answers(keys_url) and answers(f"{self.site_url}/healthz"),
            announce=lambda: say(self.guide()),
        )
        server.add("pool", self.pool.ministack.command, self.pool.ministack.environment)
        gunicorn = [PYTHON, "-m", "gunicorn", "--config", "config/gunicorn.conf.py"]
        server.add("web", gunicorn, self.environment)
        # Startup delay and reload are for fleets and for writing tasks.
        worker = ["db_worker", "--no-startup-delay", "--no-reload"]
        server.add("worker", [PYTHON, "manage.py", *worker], self.environment)
        server.add("sweep", [PYTHON, "manage.py", "sweep"], self.environment)
        status, problem = server.run()
        if problem:
            fail(problem)
        else:
            say("\nStopped.")
        return status

    def guide(self) -> str:
        """Return what the person at the terminal needs now."""
        demo, admin = self.people
        user_pool_id = read_env_file(ENV_FILE)["COGNITO_USER_POOL_ID"]
        rows = [
            ("App", bold(f"{self.site_url}/")),
            ("Sign in as", f"{demo.email}   password {bold(demo.password)}"),
            ("or as", f"{admin.email}  password {bold(admin.password)}  (group {', '.join(admin.groups)})"),
            ("User pool", f"{user_pool_id} at {self.pool.ministack.url} (MiniStack, an emulator: no AWS involved)"),
            ("Mail box", f"{self.pool.mail_url} (as JSON: what the user pool would send by e-mail, such as codes)"),
            ("Logs", f"{LOGS.relative_to(ROOT)}/"),
            ("Commands", f"ENV_FILE={ENV_FILE.relative_to(ROOT)} .venv/bin/python manage.py help"),
            (
                "Try next",
                "Sign in and keep Tokens open: tokens live 5 minutes; within about 4 the page shows them refreshed.",
            ),
            ("", f"In a private window sign in as {admin.email}, and end the other session from /console/."),
            ("Stop", "Ctrl-C. bin/up continues where it was; bin/up --reset starts over."),
        ]
        lines = [f"  {label:<12}{text}" for label, text in rows]
        return "\n".join(["", f"  {bold('Gatehouse is running.')}", "", *lines, ""])


def ignore_aws_settings() -> None:
    """Keep whoever starts this out of it: neither their credentials nor their profile is for the emulator."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= NO_AWS_FILES


def main() -> int:
    """Prepare and serve; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pool-port", type=int, required=True)
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    ignore_aws_settings()
    gatehouse = Gatehouse(options.port, options.pool_port)
    try:
        gatehouse.prepare()
    except (CommandFailedError, MiniStackError) as error:
        fail(str(error))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return gatehouse.serve()


if __name__ == "__main__":
    sys.exit(main())
