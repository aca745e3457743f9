"""The project's settings, from the environment alone, for processes that tests start."""

from config.settings import *  # noqa: F403

# Static files are served from where they are written: nobody runs collectstatic before a test.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
WHITENOISE_USE_FINDERS = True
