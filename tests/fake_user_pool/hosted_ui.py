"""The browser's side: /oauth2/authorize, /login, /logout and /error.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from html import escape

from tests.fake_user_pool.rules import LOGIN_SECONDS, UserPool
from tests.fake_user_pool.state import BrowserLogin, Person, PoolError
from tests.fake_user_pool.web import Request, Response, html, redirect

COOKIE = "cognito"
NEEDS_OPENID = {"email", "phone", "profile"}
CLEAR_COOKIE = f"{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"

Query = Mapping[str, str]


def authorize(pool: UserPool, request: Request) -> Response:
    """Answer an authorization request: at once if the browser is still signed in, else through the login page."""
    query = request.query
    if refusal := _refusal(pool, query):
        return refusal
    login = _browser_login(pool, request)
    prompt = query.get("prompt", "").split() if pool.managed_login else []
    if login and "login" not in prompt:
        return _grant(pool, query, login.person, login.auth_time)
    if "none" in prompt:
        return _back(query, error="login_required")
    return redirect("/login", **query)


def login_page(pool: UserPool, request: Request) -> Response:
    """Show the login form."""
    return _refusal(pool, request.query) or _form(request.query)


def log_in(pool: UserPool, request: Request) -> Response:
    """Take the submitted login form."""
    query, form = request.query, request.form
    if refusal := _refusal(pool, query):
        return refusal
    if "cancel" in form:
        return _back(query, error="access_denied", error_description="User cancelled")
    try:
        person = pool.check_password(form.get("username", ""), form.get("password", ""))
    except PoolError as error:
        return _form(query, problem=error.message, username=form.get("username", ""))
    now = pool.now()
    cookie = secrets.token_urlsafe(32)
    pool.logins[cookie] = BrowserLogin(person, auth_time=now, expires_at=now + LOGIN_SECONDS)
    attributes = f"Path=/; HttpOnly; SameSite=Lax; Max-Age={LOGIN_SECONDS}"
    return _grant(pool, query, person, now).with_headers(Set_Cookie=f"{COOKIE}={cookie}; {attributes}")


def logout(pool: UserPool, request: Request) -> Response:
    """End the browser's login, and revoke nothing: then leave (`logout_uri`) or sign in again (`redirect_uri`)."""
    query = request.query
    pool.logins.pop(request.cookies.get(COOKIE, ""), None)
    return _after_logout(pool, query).with_headers(Set_Cookie=CLEAR_COOKIE)


def error_page(pool: UserPool, request: Request) -> Response:
    """Show what cannot be told to the app, since its client id or redirect URI is wrong."""
    del pool
    query = request.query
    return _problem(query.get("error_description") or query.get("error", "invalid_request"))


def _after_logout(pool: UserPool, query: Query) -> Response:
    if query.get("client_id") != pool.client_id:
        return _problem("Required parameters missing")
    if query.get("logout_uri") in pool.logout_urls:
        return redirect(query["logout_uri"])
    if "redirect_uri" not in query:
        return _problem("Required String parameter 'redirect_uri' is not present")
    if refusal := _refusal(pool, query):
        return refusal
    return redirect("/login", **{name: value for name, value in query.items() if name != "logout_uri"})


def _refusal(pool: UserPool, query: Query) -> Response | None:
    """Return the answer to a request that cannot go on: an error page if there is nowhere safe to send the browser."""
    if query.get("client_id") != pool.client_id:
        return redirect("/error", error="invalid_request", error_description="Client does not exist")
    if query.get("redirect_uri") not in pool.callback_urls:
        return redirect("/error", error="redirect_mismatch", client_id=pool.client_id)
    if error := _request_error(pool, query):
        return _back(query, error=error)
    return None


def _request_error(pool: UserPool, query: Query) -> str:
    scopes = set(_scopes(pool, query))
    if query.get("response_type") != "code":
        return "invalid_request"
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    if (challenge or method) and not (challenge and method == "S256"):
        return "invalid_request"
    if not scopes <= set(pool.scopes) or (scopes & NEEDS_OPENID and "openid" not in scopes):
        return "invalid_scope"
    if query.get("identity_provider", "COGNITO") not in pool.identity_providers:
        return "invalid_request"
    return ""


def _scopes(pool: UserPool, query: Query) -> tuple[str, ...]:
    return tuple(query.get("scope", "").split()) or tuple(pool.scopes)


def _browser_login(pool: UserPool, request: Request) -> BrowserLogin | None:
    login = pool.logins.get(request.cookies.get(COOKIE, ""))
    if login is None or pool.now() >= login.expires_at:
        return None
    return login if login.person.enabled and login.person.sub in pool.people else None


def _grant(pool: UserPool, query: Query, person: Person, auth_time: float) -> Response:
    code = pool.new_code(
        person,
        scopes=_scopes(pool, query),
        nonce=query.get("nonce", ""),
        redirect_uri=query["redirect_uri"],
        challenge=query.get("code_challenge", ""),
        at=auth_time,
    )
    return _back(query, code=code)


def _back(query: Query, **answer: str) -> Response:
    return redirect(query["redirect_uri"], **answer, state=query.get("state", ""))


def _form(query: Query, *, problem: str = "", username: str | None = None) -> Response:
    """Return the login form; it posts to its own address, which carries the authorization request."""
    shown = query.get("login_hint", "") if username is None else username
    provider = query.get("identity_provider", "COGNITO")
    at_provider = "" if provider == "COGNITO" else f" with {escape(provider)}"
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return html(
        f"<h1>Sign in{at_provider}</h1>{alert}"
        '<form method="post">'
        '<p><label for="username">Email address</label> <input id="username" name="username" type="text"'
        f' autocomplete="username" value="{escape(shown)}"></p>'
        '<p><label for="password">Password</label> <input id="password" name="password" type="password"'
        ' autocomplete="current-password"></p>'
        '<p><button type="submit">Sign in</button> <button type="submit" name="cancel">Cancel</button></p>'
        "</form>"
    )


def _problem(text: str) -> Response:
    return html(f"<h1>An error was encountered with the requested page.</h1><p>{escape(text)}</p>", status=400)
