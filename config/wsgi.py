"""The WSGI entry point; gunicorn's settings are in config/gunicorn.conf.py."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
    from config import tracing

    tracing.start()

application = get_wsgi_application()
