"""The project's settings under test: a complete environment, whatever the shell or a .env file hold."""

import os
from pathlib import Path

os.environ |= {
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "SECRET_KEY_FALLBACKS": "",
    "DEBUG": "false",
    "SITE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,localhost",
    # Tests that run on PostgreSQL as well say where it is.
    "DATABASE_URL": os.environ.get(
        "TEST_DATABASE_URL", f"sqlite:///{Path(__file__).parent.parent / '.local/test.sqlite3'}"
    ),
    "CACHE_URL": "locmemcache://",
    "TOKEN_ENCRYPTION_KEYS": "b25seS1mb3ItdGVzdHMtMDEyMzQ1Njc4OWFiY2RlZjA",
    "COGNITO_USER_POOL_ID": "us-east-1_Test12345",
    "COGNITO_CLIENT_ID": "test-client",
    "COGNITO_CLIENT_SECRET": "",
    "COGNITO_DOMAIN": "http://localhost:9",
    "COGNITO_ISSUER": "",
    "COGNITO_JWKS_URL": "http://localhost:9/jwks.json",
    "COGNITO_ENDPOINT_URL": "http://localhost:9",
    "COGNITO_SCOPES": "openid email profile aws.cognito.signin.user.admin gatehouse/sessions.read",
    "COGNITO_STAFF_GROUPS": "admins",
    "COGNITO_VIEWER_GROUPS": "support",
    "TRUSTED_PROXIES": "",
    "SECURE_PROXY_SSL_HEADER": "",
    "METRICS_TOKEN": "",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "SENTRY_DSN": "",
}

from config.settings import *  # noqa: F403

# Static files are served as they are: hashed names and one folder of them need collectstatic.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
