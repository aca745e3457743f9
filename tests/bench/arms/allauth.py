"""django-allauth as its documentation installs it, with its OpenID Connect provider.

https://docs.allauth.org/en/latest/installation/quickstart.html
"""

from __future__ import annotations

from tests.bench.arms import bare


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
    )


def cookie() -> str:
    return bare.cookie_of(bare.signed_in())
