"""An arm as a WSGI application, for gunicorn: BENCH_ARM and BENCH_DATABASE say which."""

import importlib
import logging
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

importlib.import_module(f"tests.bench.arms.{os.environ['BENCH_ARM']}").configure(os.environ["BENCH_DATABASE"])
# The checks with which ours starts take no other address without TLS.
settings.SITE_URL = "http://localhost"
application = get_wsgi_application()
# The record of each request, which the others do not write. Only now: making the application configures logs once more.
logging.getLogger("config.access").setLevel(logging.WARNING)
