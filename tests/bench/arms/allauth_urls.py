from allauth.socialaccount.providers.openid_connect.views import callback
from django.urls import include, path

from tests.bench.arms.page import urlpatterns as bench

# The last of a name is the one that addresses are made with: what the user pool knows.
urlpatterns = [
    *bench,
    path("accounts/", include("allauth.urls")),
    path("callback/", callback, {"provider_id": "cognito"}, name="openid_connect_callback"),
]
