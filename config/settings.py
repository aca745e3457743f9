"""Every setting of the project; the environment fills them in (docs/settings.md lists the variables)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

# Commands that make a configuration, or an image to be configured later, cannot ask for one.
_BOOTSTRAP = len(sys.argv) > 1 and sys.argv[1] in {"generate_key", "deploy_user_pool", "collectstatic"}
_REQUIRED: dict[str, str] = {"default": ""} if _BOOTSTRAP else {}

# --- The site

SECRET_KEY = env.str("SECRET_KEY", **({"default": "bootstrap"} if _BOOTSTRAP else {}))
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
# The public base URL; redirect and sign-out URIs derive from it.
SITE_URL = env.str("SITE_URL", **_REQUIRED)
_site = urlsplit(SITE_URL)
_https = _site.scheme == "https"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[_site.hostname] if _site.hostname else [])

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "accounts",
    "dashboard",
    # Without the default site: dashboard.admin has one of its own.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    # For its copy of htmx alone: no view looks at who asks, so its middleware has nothing to do here.
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "accounts.middleware.RequestIdMiddleware",
    "config.access.AccessMiddleware",
    # What sets headers stands before what answers: probes, files, refusals and errors have them, too.
    "accounts.middleware.SecurityHeadersMiddleware",
    "config.csp.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.metrics.MetricsMiddleware",
    "config.health.HealthMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before the sessions, whose middleware has a page of its own for those that end under way.
    "config.language.LanguageMiddleware",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "accounts.middleware.FetchMetadataMiddleware",
    "accounts.middleware.FreshTokensMiddleware",
    "accounts.middleware.LoginRequiredMiddleware",
    "accounts.middleware.CognitoErrorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context_processors.user_pool",
            ],
        },
    },
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# A cookie, so that a message needs no session and no write.
MESSAGE_STORAGE = "accounts.message_cookie.MessageCookie"

# --- Data

# A connection is kept by its thread: making one costs more than the one query of a page.
DATABASES = {
    "default": {"CONN_MAX_AGE": 60, **env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Readers do not block the writer, and a transaction takes the write lock when it begins: one that first reads
    # and then finds it taken fails at once, however long it would have been ready to wait.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Seconds to connect, milliseconds until a silent peer counts as gone: no thread waits for a dead server for ever.
    DATABASES["default"].setdefault("OPTIONS", {}).update(connect_timeout=5, tcp_user_timeout=15_000)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# As config/gunicorn.conf.py has it; a system check compares it with the cache.
WEB_CONCURRENCY = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Without one, each process has its own: enough for one process, see docs/settings.md.
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
# In memory Django keeps 300 values unless told otherwise: one hour's tally of calls alone has more.
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.locmem.LocMemCache":
    CACHES["default"].setdefault("OPTIONS", {}).setdefault("MAX_ENTRIES", 20_000)
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
    # What is in there may be forgotten; nobody should wait for it.
    CACHES["default"].setdefault("OPTIONS", {}).update(socket_connect_timeout=0.5, socket_timeout=0.5)
# Background work: any backend of Django's tasks API will do, since the rows of accounts are the truth.
TASKS = {"default": {"BACKEND": env.str("TASKS_BACKEND", default="django_tasks_db.DatabaseBackend")}}

# --- Sign-in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.CognitoBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
# First encrypts, all decrypt.
TOKEN_ENCRYPTION_KEYS = env.list("TOKEN_ENCRYPTION_KEYS", **({"default": []} if _BOOTSTRAP else {}))

COGNITO_USER_POOL_ID = env.str("COGNITO_USER_POOL_ID", **_REQUIRED)
COGNITO_CLIENT_ID = env.str("COGNITO_CLIENT_ID", **_REQUIRED)
# None for a public client; two, comma separated, while one replaces the other.
COGNITO_CLIENT_SECRET = env.list("COGNITO_CLIENT_SECRET", default=[])
COGNITO_DOMAIN = env.str("COGNITO_DOMAIN", **_REQUIRED)
COGNITO_ISSUER = env.str("COGNITO_ISSUER", default="")
COGNITO_JWKS_URL = env.str("COGNITO_JWKS_URL", default="")
COGNITO_ENDPOINT_URL = env.str("COGNITO_ENDPOINT_URL", default="")
COGNITO_SCOPES = env.str("COGNITO_SCOPES", default="openid email profile aws.cognito.signin.user.admin").split()
# Whose members may look at everybody's sessions and end them, and whose may only look.
COGNITO_STAFF_GROUPS = env.list("COGNITO_STAFF_GROUPS", default=["admins"])
COGNITO_VIEWER_GROUPS = env.list("COGNITO_VIEWER_GROUPS", default=["support"])
# How long somebody whom Cognito no longer welcomes may stay in: GetUser is asked this often per active session, and no
# more often than so many times a second in all.
COGNITO_PROBE_SECONDS = env.int("COGNITO_PROBE_SECONDS", default=60)
COGNITO_PROBE_RATE = env.int("COGNITO_PROBE_RATE", default=30)
# How long ago an operator may have signed in when they end something; older sign-ins are asked to prove it. 0: never.
# After an hour Cognito's login cookie is over, so that even a hosted UI that ignores `prompt` asks.
COGNITO_REAUTHENTICATE_SECONDS = env.int("COGNITO_REAUTHENTICATE_SECONDS", default=3600)
# Whether AWS credentials on this host (boto3 finds them) may call AdminGetUser and AdminUserGlobalSignOut.
COGNITO_ADMIN_API = env.bool("COGNITO_ADMIN_API", default=False)
# How many calls to Cognito a process makes at once; the other threads stay free for those who need none.
COGNITO_CALLS_AT_ONCE = env.int("COGNITO_CALLS_AT_ONCE", default=8)
# As the app client has it (RefreshTokenValidity); no session outlives it.
COGNITO_REFRESH_TOKEN_SECONDS = env.int("COGNITO_REFRESH_TOKEN_SECONDS", default=30 * 24 * 3600)

# --- Sessions and cookies

SESSION_ENGINE = "accounts.sessions"
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=30 * 60)
SESSION_ABSOLUTE_SECONDS = env.int("SESSION_ABSOLUTE_SECONDS", default=12 * 3600)
# Of more sessions than this, those not used for longest end.
SESSION_MAX_PER_PERSON = env.int("SESSION_MAX_PER_PERSON", default=20)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
# The prefix pins a cookie to this very host; browsers accept it over https only.
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if _https else "language"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if _https else []

# --- Headers

SECURE_SSL_REDIRECT = _https
# Whatever the request calls this site: the redirect leads to where people sign in, and looks at no header.
SECURE_SSL_HOST = _site.netloc
# Load balancers and Prometheus ask each host by its address, over http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_REFERRER_POLICY = "same-origin"
# WhiteNoise would let every site read the static files.
WHITENOISE_ALLOW_ALL_ORIGINS = False
X_FRAME_OPTIONS = "DENY"
# The header in which the proxy tells the scheme, e.g. X-Forwarded-Proto; it must overwrite what clients send.
_scheme_header = env.str("SECURE_PROXY_SSL_HEADER", default="")
if _scheme_header:
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{_scheme_header.upper().replace('-', '_')}", "https")
# Networks of the proxies whose X-Forwarded-For is believed.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])
# By how much the limits in accounts/rate_limits.py are multiplied; 0 switches them off.
RATE_LIMIT_FACTOR = env.float("RATE_LIMIT_FACTOR", default=1.0)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        # Chromium follows the redirect after a POST with this rule in hand: signing out goes to the hosted UI.
        "form-action": ["'self'", *([COGNITO_DOMAIN] if COGNITO_DOMAIN else [])],
        # Browsers that know the second take no notice of the first, and then report over https only.
        "report-uri": ["/csp-report/"],
        **({"report-to": ["csp"]} if _https else {}),
    },
}

# --- Logs, metrics, traces, errors

# Who presents it may read /metrics; without one there is no such page.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Both need requirements-observability.txt. OpenTelemetry reads the environment by itself, this variable too.
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    from config import sentry

    sentry.start(SENTRY_DSN)

_log_level = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "accounts.log.RequestIdFilter"},
        "refusal": {"()": "accounts.log.RefusalFilter"},
        # A 5xx page that a view chose has been logged, at the level that its cause deserves.
        "is_crash": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: bool(record.exc_info)},
    },
    "formatters": {
        "json": {"()": "accounts.log.JsonFormatter"},
        "line": {
            "()": "accounts.log.LineFormatter",
            "format": "%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env.str("LOG_FORMAT", default="json"),
            "filters": ["request_id"],
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "accounts": {"level": _log_level},
        "config": {"level": _log_level},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # Every refused page would be a warning with a traceback.
        "django.request": {"level": "ERROR", "filters": ["is_crash"]},
        # Anybody can send a wrong Host.
        "django.security.DisallowedHost": {"filters": ["refusal"]},
        # Each request is logged by config.access; the development server need not do it again.
        "django.server": {"handlers": [], "level": "ERROR", "propagate": True},
        "gunicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
        "gunicorn.access": {"handlers": [], "level": "INFO", "propagate": True},
        # Below INFO these two print the bodies of requests, which are tokens.
        "botocore": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
    },
}
