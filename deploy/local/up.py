"""bin/up, first half: checks the machine, installs what is missing, and hands over to `deploy.local.run`.

Runs on any Python 3.11 with its standard library alone.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import sys
from typing import NoReturn

from deploy.local.commands import ROOT
from deploy.local.environments import APP, DEVELOPMENT, LOCAL, InstallError, install
from deploy.local.terminal import fail

LOCAL_DIR = ROOT / ".local"
LOCK = LOCAL_DIR / "lock"
# What --reset keeps: it takes a while to download, and holds no state.
KEPT = {LOCAL.path.name, LOCK.name}


class CannotStartError(Exception):
    """Something on this machine is in the way; the message says what to do about it."""


def main() -> NoReturn:
    """Prepare this machine and become `deploy.local.run`."""
    options = parse_arguments(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        claim_directory()
        check_ports(options.port, options.pool_port)
        if options.reset:
            reset()
        # With the packages of bin/test in it, .venv is complete for bin/up, too.
        install(DEVELOPMENT if DEVELOPMENT.is_complete else APP, LOCAL)
    except (CannotStartError, InstallError) as error:
        fail(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    ports = ["--port", str(options.port), "--pool-port", str(options.pool_port)]
    os.execv(LOCAL.python, [str(LOCAL.python), "-m", "deploy.local.run", *ports])  # nosec B606  # our own command


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the options; ports may also come from the environment."""
    parser = argparse.ArgumentParser(
        prog="bin/up",
        description="Install and run Gatehouse with a user pool of its own on this machine. No AWS account, no other "
        "service: everything is in .venv and .local. Ctrl-C stops it, running it again continues where it was.",
    )
    parser.add_argument(
        "--port", type=port, default=os.environ.get("PORT", "8000"), help="port of the app (or PORT; default 8000)"
    )
    parser.add_argument(
        "--pool-port",
        type=port,
        default=os.environ.get("POOL_PORT", "4566"),
        help="port of the local user pool (or POOL_PORT; default 4566)",
    )
    parser.add_argument(
        "--reset", action="store_true", help="forget people, sessions, keys and passwords first; keep the packages"
    )
    options = parser.parse_args(arguments)
    if options.port == options.pool_port:
        parser.error(f"the app and the local user pool cannot share port {options.port}")
    return options


def port(text: str) -> int:
    """Read a port number from the command line."""
    number = int(text) if text.isdecimal() else 0
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 1 to 65535")
    return number


def claim_directory() -> None:
    """Keep a second bin/up away from the state in .local until this process and what it starts have ended."""
    # The keys and passwords of this installation are in here.
    LOCAL_DIR.mkdir(exist_ok=True)
    LOCAL_DIR.chmod(0o700)
    handle = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(handle, 20).decode()
        raise CannotStartError(
            f"bin/up is already running in this directory (process {owner}). Stop it with Ctrl-C where it runs, or: "
            f"kill {owner}"
        ) from None
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    # The claim goes over to deploy.local.run, which this process becomes.
    os.set_inheritable(handle, True)


def check_ports(app_port: int, pool_port: int) -> None:
    """Refuse ports that are taken, naming the option that moves away from them."""
    for name, option, number in (("The app", "--port", app_port), ("The local user pool", "--pool-port", pool_port)):
        if is_taken(number):
            raise CannotStartError(
                f"{name} cannot use port {number}: something else listens there. Stop that, or choose another port: "
                f"bin/up {option} {free_port()}"
            )


def is_taken(number: int) -> bool:
    """Tell whether anything listens on any address that `localhost` means to a browser."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            probe.settimeout(1)
            if probe.connect_ex((address, number)) == 0:
                return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except PermissionError:
            raise CannotStartError(f"Port {number} is reserved for root; choose one above 1023.") from None
        except OSError:
            return True
    return False


def free_port() -> int:
    """Return a loopback port nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reset() -> None:
    """Remove all state of earlier runs."""
    for path in LOCAL_DIR.iterdir():
        if path.name in KEPT:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main()
