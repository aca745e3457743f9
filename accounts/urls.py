from django.urls import path

from accounts import views

urlpatterns = [
    path("login/", views.login, name="login"),
    path("callback/", views.callback, name="callback"),
    path("logout/", views.logout, name="logout"),
    path("logout/everywhere/", views.logout_everywhere, name="logout_everywhere"),
    path("signed-out/", views.signed_out, name="signed_out"),
    path("api/session/", views.api_session, name="api_session"),
]
