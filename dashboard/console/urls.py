from django.urls import path

from dashboard.console import events, health, overview, people, revocations, sessions

urlpatterns = [
    path("", overview.overview, name="console"),
    path("sessions/", sessions.session_list, name="console_sessions"),
    path("sessions.csv", sessions.export_sessions, name="console_sessions_csv"),
    path("sessions/end/", sessions.end_selected, name="console_end_sessions"),
    path("sessions/<uuid:public_id>/", sessions.session_detail, name="console_session"),
    path("sessions/<uuid:public_id>/revoke/", sessions.end_one, name="console_end_session"),
    path("sessions/<uuid:public_id>/settle/", sessions.settle, name="console_settle_flag"),
    path("people/", people.people_list, name="console_people"),
    path("people/<uuid:pk>/", people.person_detail, name="console_person"),
    path("people/<uuid:pk>/end/", people.end_all, name="console_end_person"),
    path("people/<uuid:pk>/sign-out-everywhere/", people.sign_out_everywhere, name="console_sign_out_everywhere"),
    path("events/", events.event_list, name="console_events"),
    path("events.csv", events.export_csv, name="console_events_csv"),
    path("events.jsonl", events.export_json_lines, name="console_events_jsonl"),
    path("revocations/", revocations.revocation_list, name="console_revocations"),
    path("revocations/<uuid:pk>/", revocations.revocation_detail, name="console_revocation"),
    path("revocations/<uuid:pk>/retry/", revocations.retry_revocation, name="console_retry_revocation"),
    path("revocations/<uuid:pk>/give-up/", revocations.give_up_revocation, name="console_give_up_revocation"),
    path("health/", health.health, name="console_health"),
]
