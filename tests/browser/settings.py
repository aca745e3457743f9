"""The settings of the app that pictures are taken of: it notes which of the project's templates it reads."""

from typing import Any

import environ

from tests.servers.settings import *  # noqa: F403

_record = environ.Env().str("TEMPLATES_RECORD")
_ours: dict[str, Any] = TEMPLATES[0]  # noqa: F405
_ours["APP_DIRS"] = False
_ours["OPTIONS"]["loaders"] = [
    (
        "django.template.loaders.cached.Loader",
        [
            ("tests.browser.templates_record.Loader", _record),
            "django.template.loaders.app_directories.Loader",
        ],
    )
]
