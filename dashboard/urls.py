from django.urls import include, path

from dashboard import admin, sessions, views

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("sessions/", sessions.session_list, name="sessions"),
    path("sessions/ended/", sessions.ended_list, name="ended_sessions"),
    path("sessions/revoke-others/", sessions.revoke_other_sessions, name="revoke_other_sessions"),
    path("sessions/<uuid:public_id>/", sessions.session_detail, name="session"),
    path("sessions/<uuid:public_id>/tokens/", sessions.session_tokens, name="session_tokens"),
    path("sessions/<uuid:public_id>/not-recognised/", sessions.not_recognised, name="not_recognised"),
    path("sessions/<uuid:public_id>/revoke/", sessions.revoke_session, name="revoke_session"),
    path("tokens/", sessions.tokens, name="tokens"),
    path("console/", include("dashboard.console.urls")),
    path("admin/", admin.site.urls),
]
