"""How gunicorn serves the app: threads, since a request may wait for Cognito."""

import gc
import os
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import SystemCheckError

from config import multiprocess

multiprocess.start()

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
    """Refuse to serve with a configuration that would fail later. gunicorn prints a RuntimeError and stops."""
    try:
        # What is to be said is in the error; that all is well is no record for the log.
        call_command("check", stdout=StringIO())
    except SystemCheckError as error:
        multiprocess.stop()
        raise RuntimeError(error) from None


def pre_fork(server: Any, worker: Any) -> None:
    """Give each worker the slot whose counts it goes on with, and keep shared what has been imported by now.

    Python's garbage collector writes into every object it looks at, and a page of memory that is written is shared no
    more: freezing saves each worker some 17 MB. https://docs.python.org/3/library/gc.html#gc.freeze
    """
    worker.slot = multiprocess.free_slot(other.slot for other in server.WORKERS.values())
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    multiprocess.take_slot(worker.slot)


def on_exit(server: Any) -> None:
    multiprocess.stop()
