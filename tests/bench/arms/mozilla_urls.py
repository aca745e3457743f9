from django.urls import include, path

from tests.bench.arms.page import urlpatterns as bench

urlpatterns = [*bench, path("oidc/", include("mozilla_django_oidc.urls"))]
