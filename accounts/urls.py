from django.urls import path

from accounts import kept_form, views
from accounts.csp_reports import csp_report
from accounts.reauthentication import reauthenticate

urlpatterns = [
    path("login/", views.login, name="login"),
    path("callback/", views.callback, name="callback"),
    path("reauthenticate/", reauthenticate, name="reauthenticate"),
    path("logout/", views.logout, name="logout"),
    path("logout/everywhere/", views.logout_everywhere, name="logout_everywhere"),
    path("signed-out/", views.signed_out, name="signed_out"),
    path("kept-form/<uuid:form_id>/", kept_form.kept_form, name="kept_form"),
    path("kept-form/<uuid:form_id>/send/", kept_form.send, name="kept_form_send"),
    path("kept-form/<uuid:form_id>/discard/", kept_form.discard, name="kept_form_discard"),
    path("api/session/", views.api_session, name="api_session"),
    path("csp-report/", csp_report, name="csp_report"),
]
