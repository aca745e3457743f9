from django.urls import include, path

from dashboard import views

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/revoke-others/", views.revoke_other_sessions, name="revoke_other_sessions"),
    path("sessions/<uuid:public_id>/revoke/", views.revoke_session, name="revoke_session"),
    path("tokens/", views.tokens, name="tokens"),
    path("console/", include("dashboard.console.urls")),
]
