"""mozilla-django-oidc as its documentation installs it, with SessionRefresh.

https://mozilla-django-oidc.readthedocs.io/en/stable/installation.html
"""

from __future__ import annotations

import time

from django.conf import settings

from tests.bench.arms import bare

LOGIN = "/oidc/authenticate/"


def configure(database_url: str) -> None:
    bare.configure(
        database_url,
        INSTALLED_APPS=[*bare.APPS, "mozilla_django_oidc"],
        MIDDLEWARE=[*bare.MIDDLEWARE, "mozilla_django_oidc.middleware.SessionRefresh"],
        AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
        ROOT_URLCONF="tests.bench.arms.mozilla_urls",
        OIDC_RP_CLIENT_ID="client",
        OIDC_RP_CLIENT_SECRET="secret",
        OIDC_RP_SIGN_ALGO="RS256",
        OIDC_OP_JWKS_ENDPOINT="http://127.0.0.1:9/jwks.json",
        OIDC_OP_AUTHORIZATION_ENDPOINT="http://127.0.0.1:9/authorize",
        OIDC_OP_TOKEN_ENDPOINT="http://127.0.0.1:9/token",
        OIDC_OP_USER_ENDPOINT="http://127.0.0.1:9/userinfo",
        # As long as an ID token of Cognito lives: the default of 15 minutes would redirect in the middle of a run.
        OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS=3600,
    )


def use_pool(environment: dict[str, str]) -> None:
    """Sign people in at this user pool from now on."""
    domain = environment["COGNITO_DOMAIN"]
    settings.OIDC_RP_CLIENT_ID = environment["COGNITO_CLIENT_ID"]
    settings.OIDC_RP_CLIENT_SECRET = environment["COGNITO_CLIENT_SECRET"]
    settings.OIDC_OP_JWKS_ENDPOINT = environment["COGNITO_JWKS_URL"]
    settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{domain}/oauth2/authorize"
    settings.OIDC_OP_TOKEN_ENDPOINT = f"{domain}/oauth2/token"
    settings.OIDC_OP_USER_ENDPOINT = f"{domain}/oauth2/userInfo"
    settings.OIDC_USE_PKCE = True


def cookie() -> str:
    """Sign somebody in, with what its callback leaves in the session."""
    client = bare.signed_in()
    session = client.session
    session["oidc_id_token_expiration"] = time.time() + 3600
    session["oidc_login_next"] = "/bench/"
    session.save()
    return bare.cookie_of(client)
