from django.urls import include, path
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView

from tests.bench.arms.page import urlpatterns as bench

# The last of a name is the one that addresses are made with: what the user pool knows.
urlpatterns = [
    *bench,
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("callback/", OIDCAuthenticationCallbackView.as_view(), name="oidc_authentication_callback"),
]
