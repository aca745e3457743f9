"""How gunicorn serves the app: threads, since a request may wait for Cognito."""

import gc
import os
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config import multiprocess

multiprocess.start()
# Until there are workers, as https://docs.python.org/3/library/gc.html#gc.freeze has it: while modules are loaded there
# is nothing to collect, and looking for it takes a sixth of the start.
gc.disable()

wsgi_app = "config.wsgi"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "16"))
preload_app = True
# Longer than the longest a request waits for another one's refresh.
timeout = 30
graceful_timeout = 20
keepalive = 5
# Its default place is the same for every master of a user.
control_socket_disable = True
# Off unless asked for, since config.access logs each request; without the query, where a sign-in has its code.
access_log_format = "%(h)s %(m)s %(U)s %(s)s %(M)s ms %({x-request-id}o)s"
max_requests = 10_000
max_requests_jitter = 1_000


def on_starting(server: Any) -> None:
    """Refuse to serve with a configuration that would fail later. gunicorn prints a RuntimeError and stops.

    Then make room for a worker more than asked for: see `pre_fork`.
    """
    try:
        # The checks of what an environment can get wrong; that of the addresses loads every view, for all workers to
        # share. What is to be said is in the error; that all is well is no record for the log.
        call_command("check", tags=["security", "caches", "urls"], stdout=StringIO())
    except SystemCheckError as error:
        multiprocess.stop()
        raise RuntimeError(error) from None
    server.num_workers += 1
    # Kept by the server: a reload runs this file anew.
    server.last_of_start = server.num_workers


def pre_fork(server: Any, worker: Any) -> None:
    """Give each worker the slot whose counts it goes on with, and share with it what the master has by now.

    The first answers at once, while the master imports what calls Cognito, which takes longer than all else. The others
    share that, too; when the last of them is made there is one worker too many, and gunicorn lets the oldest go.
    """
    worker.slot = multiprocess.free_slot(other.slot for other in server.WORKERS.values())
    if worker.age > 1:
        _prepare(server)
    if worker.age == server.last_of_start:
        server.num_workers -= 1
    # The collector writes into every object it looks at, and memory that is written is shared no more.
    gc.freeze()


def _prepare(server: Any) -> None:
    # Not before Django is set up.
    from accounts import conf

    try:
        conf.prepare()
    except Exception:  # whatever keeps the SDK from working; an escape from here would end the master
        server.log.exception("What calls Cognito cannot be prepared. Each worker tries again when it is needed.")


def post_fork(server: Any, worker: Any) -> None:
    gc.enable()
    multiprocess.take_slot(worker.slot)


def on_exit(server: Any) -> None:
    multiprocess.stop()
