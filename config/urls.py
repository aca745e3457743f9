from django.urls import include, path

from config import health

urlpatterns = [
    path("", include("dashboard.urls")),
    path("", include("accounts.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
handler400 = "dashboard.views.bad_request"
handler403 = "dashboard.views.forbidden"
handler404 = "dashboard.views.not_found"
handler500 = "dashboard.views.server_error"
