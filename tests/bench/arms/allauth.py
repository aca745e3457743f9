"""django-allauth as its documentation installs it, with its OpenID Connect provider.

https://docs.allauth.org/en/latest/installation/quickstart.html
"""

from __future__ import annotations

from django.conf import settings

from tests.bench.arms import bare

LOGIN = "/accounts/oidc/cognito/login/"


def configure(database_url: str) -> None:
    bare.configure(
        database_url,
        INSTALLED_APPS=[
            *bare.APPS,
            "allauth",
            "allauth.account",
            "allauth.socialaccount",
            "allauth.socialaccount.providers.openid_connect",
        ],
        MIDDLEWARE=[*bare.MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"],
        AUTHENTICATION_BACKENDS=[
            "django.contrib.auth.backends.ModelBackend",
            "allauth.account.auth_backends.AuthenticationBackend",
        ],
        ROOT_URLCONF="tests.bench.arms.allauth_urls",
        SOCIALACCOUNT_STORE_TOKENS=True,
        # Straight to the hosted UI and back, as with the others.
        SOCIALACCOUNT_LOGIN_ON_GET=True,
        ACCOUNT_EMAIL_VERIFICATION="none",
    )


def use_pool(environment: dict[str, str]) -> None:
    """Sign people in at this user pool from now on."""
    keys = environment["COGNITO_JWKS_URL"]
    app = {
        "provider_id": "cognito",
        "name": "Cognito",
        "client_id": environment["COGNITO_CLIENT_ID"],
        "secret": environment["COGNITO_CLIENT_SECRET"],
        "settings": {
            "server_url": keys.replace("jwks.json", "openid-configuration"),
            "oauth_pkce_enabled": True,
        },
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}


def cookie() -> str:
    return bare.cookie_of(bare.signed_in())
