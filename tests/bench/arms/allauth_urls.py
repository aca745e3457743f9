from django.urls import include, path

from tests.bench.arms.page import urlpatterns as bench

urlpatterns = [*bench, path("accounts/", include("allauth.urls"))]
