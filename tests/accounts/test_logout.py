"""Signing out: here, everywhere, elsewhere; and what Cognito is told of it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from time_machine import TimeMachineFixture

from accounts.models import EndedSession, EndReason, Revocation, Session
from accounts.revocation import deliver
from tests.accounts.support import utc_now
from tests.conftest import Browser
from tests.fake_user_pool import Failure, FakeUserPool, Person
from tests.fake_user_pool.state import SignIn

pytestmark = pytest.mark.django_db(transaction=True)
OUTAGES = [Failure.UNAVAILABLE, Failure.THROTTLED, Failure.CLOSED, Failure.INTERNAL_ERROR]


def second_browser(browser: Browser) -> Browser:
    """Return another browser in which the same person has signed in."""
    other = Browser(browser.pool, browser.person)
    other.sign_in()
    return other


def sign_ins(pool: FakeUserPool, person: Person) -> list[SignIn]:
    return [sign_in for sign_in in pool.sign_ins.values() if sign_in.person is person]


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.get("/api/session/").status_code == 200)


def session_of(browser: Browser) -> str:
    return str(browser.get("/api/session/").json()["session"])


# --- Here


def test_asking_for_the_sign_out_page_signs_nobody_out(user: Browser) -> None:
    for method in (user.get, user.head):
        assert method("/logout/").status_code == 200

    assert is_signed_in(user)


def test_signing_out_ends_the_session_and_revokes_its_tokens(user: Browser, pool: FakeUserPool) -> None:
    user.post("/logout/")

    assert not Session.objects.exists()
    assert EndedSession.objects.get().reason == EndReason.SIGNED_OUT
    assert all(sign_in.revoked for sign_in in sign_ins(pool, user.person))
    assert not is_signed_in(user)


@pytest.mark.parametrize("path", ["/logout/", "/logout/everywhere/"])
def test_a_sign_in_begun_before_signing_out_signs_nobody_in_afterwards(visitor: Browser, path: str) -> None:
    """On a shared computer: begun in another tab, answered elsewhere, and left for the next person to follow."""
    begun = visitor.start_sign_in("/sessions/")
    visitor.sign_in()

    visitor.post(path)
    response = visitor.get(visitor.pool.authorize(begun, visitor.person))

    assert response.status_code == 400
    assert not is_signed_in(visitor)
    assert visitor.sign_in("/sessions/")["Location"] == "/sessions/"


def test_signing_out_leads_through_the_hosted_ui(user: Browser, pool: FakeUserPool) -> None:
    response = user.post("/logout/")

    location = urlsplit(response["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{pool.base_url}/logout"
    assert parse_qs(location.query) == {
        "client_id": [pool.client_id],
        "logout_uri": ["http://testserver/signed-out/"],
    }
    assert user.cookies["session"]["max-age"] == 0


def test_the_page_afterwards_says_what_was_stopped(user: Browser) -> None:
    user.post("/logout/")

    response = user.get("/signed-out/")

    assert response.status_code == 200
    assert response.context["ended"].reason == EndReason.SIGNED_OUT
    assert not response.context["ended"].revocation.is_pending


def test_a_key_that_was_copied_is_of_no_use_afterwards(user: Browser) -> None:
    key = user.cookies["session"].value
    user.post("/logout/")

    user.cookies["session"] = key

    assert not is_signed_in(user)
    assert user.get("/sessions/")["Location"] == "/login/?next=/sessions/"


def test_other_sessions_go_on(user: Browser, pool: FakeUserPool) -> None:
    other = second_browser(user)

    user.post("/logout/")

    assert is_signed_in(other)
    assert sorted(sign_in.revoked for sign_in in sign_ins(pool, user.person)) == [False, True]


@pytest.mark.parametrize("outage", OUTAGES)
def test_with_cognito_down_the_session_is_over_and_the_revocation_pending(
    user: Browser, pool: FakeUserPool, outage: Failure
) -> None:
    tokens = user.row.token_set()
    pool.fail("RevokeToken", outage)

    user.post("/logout/")
    page = user.get("/signed-out/")

    revocation = Revocation.objects.get()
    assert not Session.objects.exists()
    assert revocation.is_pending
    assert revocation.token_set() == tokens
    assert not {part for part in tokens.refresh_token.split(".") if len(part) > 20 and part in revocation.sealed}
    assert page.context["ended"].revocation.is_pending


def test_a_refused_connection_costs_no_sign_out(user: Browser, pool: FakeUserPool) -> None:
    with pool.down():
        response = user.post("/logout/")

    assert response.status_code == 302
    assert not Session.objects.exists()
    assert Revocation.objects.get().is_pending


def test_a_pending_revocation_is_made_up_for_and_its_tokens_erased(user: Browser, pool: FakeUserPool) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE, times=1)
    user.post("/logout/")
    revocation = Revocation.objects.get()

    settled = deliver(revocation, utc_now())

    revocation.refresh_from_db()
    assert settled
    assert revocation.state == Revocation.State.DONE
    assert revocation.sealed == ""
    assert all(sign_in.revoked for sign_in in sign_ins(pool, user.person))


def test_an_outage_of_days_loses_no_revocation(user: Browser, pool: FakeUserPool) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)
    user.post("/logout/")
    Revocation.objects.update(attempts=5000)

    assert not deliver(Revocation.objects.get(), utc_now())

    revocation = Revocation.objects.get()
    assert revocation.is_pending
    assert revocation.due_at < utc_now() + timedelta(hours=2)


def test_tokens_that_were_revoked_already_count_as_done(user: Browser, pool: FakeUserPool) -> None:
    pool.sign_out_everywhere(user.person)

    user.post("/logout/")

    assert Revocation.objects.get().state == Revocation.State.DONE


def test_a_pool_that_revokes_nothing_is_an_alarm_and_no_success(user: Browser, pool: FakeUserPool) -> None:
    pool.token_revocation = False

    user.post("/logout/")

    assert Revocation.objects.get().is_pending
    assert Revocation.objects.get().last_error


def test_signing_out_twice_is_harmless(user: Browser, pool: FakeUserPool) -> None:
    key = user.cookies["session"].value
    user.post("/logout/")
    user.cookies["session"] = key

    response = user.post("/logout/")

    assert response.status_code in {302, 401}
    assert EndedSession.objects.count() == 1
    assert pool.calls.count("RevokeToken") == 1


# --- Everywhere


def test_signing_out_everywhere_ends_every_session_by_one_call(
    user: Browser, outsider: Browser, pool: FakeUserPool
) -> None:
    others = [second_browser(user) for _ in range(3)]

    response = user.post("/logout/everywhere/")

    assert response["Location"].startswith(f"{pool.base_url}/logout?")
    assert not any(is_signed_in(browser) for browser in [user, *others])
    assert is_signed_in(outsider)
    assert {ended.reason for ended in EndedSession.objects.all()} == {EndReason.EVERYWHERE}
    assert all(sign_in.revoked for sign_in in sign_ins(pool, user.person))
    assert pool.calls.count("GlobalSignOut") == 1
    assert pool.calls.count("RevokeToken") == 0
    assert {each.state for each in Revocation.objects.all()} == {Revocation.State.DONE}
    assert {each.sealed for each in Revocation.objects.all()} == {""}


def test_the_page_afterwards_counts_the_sessions(user: Browser) -> None:
    second_browser(user)
    user.post("/logout/everywhere/")

    response = user.get("/signed-out/")

    assert response.context["ended"].reason == EndReason.EVERYWHERE
    assert response.context["ended_together"] == 2


def test_an_outage_costs_one_attempt_and_leaves_all_pending(user: Browser, pool: FakeUserPool) -> None:
    others = [second_browser(user) for _ in range(3)]
    pool.fail("*", Failure.UNAVAILABLE)

    user.post("/logout/everywhere/")

    assert not any(is_signed_in(browser) for browser in [user, *others])
    assert [each.is_pending for each in Revocation.objects.all()] == [True] * 4
    assert pool.calls.count("GlobalSignOut") + pool.calls.count("RevokeToken") == 1


def test_an_expired_access_token_is_refreshed_before_the_global_sign_out(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.rotation = True
    second_browser(user)
    pool.fail("GlobalSignOut", Failure.UNAVAILABLE, times=1)
    user.post("/logout/everywhere/")

    time_machine.move_to(utc_now() + timedelta(hours=2))
    settled = deliver(Revocation.objects.get(kind=Revocation.Kind.GLOBAL), utc_now())

    assert settled
    assert all(sign_in.revoked for sign_in in sign_ins(pool, user.person))
    assert not Revocation.objects.filter(state=Revocation.State.PENDING).exists()


def test_a_rotated_refresh_token_is_kept_when_the_global_sign_out_then_fails(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    pool.rotation = True
    pool.fail("GlobalSignOut", Failure.UNAVAILABLE, times=2)
    user.post("/logout/everywhere/")
    time_machine.move_to(utc_now() + timedelta(hours=2))
    first = deliver(Revocation.objects.get(), utc_now())

    time_machine.move_to(utc_now() + timedelta(hours=2))
    second = deliver(Revocation.objects.get(), utc_now())

    assert (first, second) == (False, True)
    assert all(sign_in.revoked for sign_in in sign_ins(pool, user.person))


def test_an_access_token_that_cognito_finds_expired_first_is_no_success(
    user: Browser, pool: FakeUserPool, time_machine: TimeMachineFixture
) -> None:
    """Cognito's clock is a little ahead of ours, and the delivery comes in the token's last seconds."""
    pool.fail("GlobalSignOut", Failure.UNAVAILABLE, times=1)
    expires = user.row.access_expires_at
    assert expires is not None
    user.post("/logout/everywhere/")
    time_machine.move_to(expires - timedelta(seconds=5))
    pool.clock_skew = 10

    deliver(Revocation.objects.get(), utc_now())

    assert Revocation.objects.get().is_pending or all(each.revoked for each in sign_ins(pool, user.person))


def test_tokens_without_the_scope_for_a_global_sign_out_are_revoked_one_by_one(
    visitor: Browser, pool: FakeUserPool
) -> None:
    pool.tamper("access_token", lambda claims: claims | {"scope": "openid email"})
    visitor.sign_in()

    visitor.post("/logout/everywhere/")

    assert Revocation.objects.get().is_pending or all(each.revoked for each in sign_ins(pool, visitor.person))


# --- The page afterwards


@pytest.mark.parametrize("value", ["", "forged", "a:b", "\x00", "x" * 5000, "00000000-0000-0000-0000-000000000000:x:y"])
def test_a_forged_cookie_tells_nothing(user: Browser, visitor: Browser, value: str) -> None:
    visitor.cookies["gatehouse_signed_out"] = value

    response = visitor.get("/signed-out/")

    assert response.status_code == 200
    assert response.context["ended"] is None


def test_the_cookie_expires(user: Browser, time_machine: TimeMachineFixture) -> None:
    user.post("/logout/")

    time_machine.move_to(utc_now() + timedelta(minutes=11))

    assert user.get("/signed-out/").context["ended"] is None


# --- Who may


@pytest.mark.parametrize("path", ["/logout/", "/logout/everywhere/", "/sessions/revoke-others/"])
def test_signing_out_needs_a_csrf_token(user: Browser, path: str) -> None:
    strict = Browser(user.pool, user.person, enforce_csrf_checks=True)
    strict.cookies["session"] = user.cookies["session"].value

    response = strict.post(path)

    assert response.status_code == 403
    assert is_signed_in(user)


def test_with_a_csrf_token_it_works(user: Browser) -> None:
    strict = Browser(user.pool, user.person, enforce_csrf_checks=True)
    strict.cookies["session"] = user.cookies["session"].value
    token = str(strict.get("/logout/").context["csrf_token"])

    response = strict.post("/logout/", {"csrfmiddlewaretoken": token})

    assert response.status_code == 302
    assert not is_signed_in(user)


@pytest.mark.parametrize("path", ["/logout/everywhere/", "/sessions/revoke-others/"])
@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_ending_sessions_is_for_post_only(user: Browser, path: str, method: str) -> None:
    response = getattr(user, method)(path)

    assert response.status_code == 405
    assert is_signed_in(user)


def test_who_is_not_signed_in_and_ends_others_is_asked_to_sign_in(visitor: Browser) -> None:
    response = visitor.post("/sessions/revoke-others/")

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_signing_out_a_second_time_clears_cognitos_cookie_and_starts_no_sign_in(
    user: Browser, pool: FakeUserPool
) -> None:
    user.post("/logout/")

    response = user.post("/logout/")

    assert response["Location"].startswith(f"{pool.base_url}/logout?")
    assert pool.calls.count("RevokeToken") == 1


def test_the_sign_out_page_of_nobody_says_that_nobody_is_signed_in(visitor: Browser) -> None:
    response = visitor.get("/logout/", follow=True)

    assert "Nobody is signed in to this site in this browser." in response.content.decode()


def test_everywhere_from_a_stale_tab_says_that_it_was_not_done(user: Browser) -> None:
    user.post("/logout/")

    response = user.post("/logout/everywhere/", follow=True)

    assert "we could not sign you out everywhere" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_cognito_that_cannot_be_told_is_not_shown_to_the_person_either(user: Browser, pool: FakeUserPool) -> None:
    pool.fail("RevokeToken", Failure.UNAVAILABLE)

    left = user.post("/logout/")
    page = user.get(left["Location"]).content.decode()

    assert left["Location"] == "/signed-out/"
    assert "Cognito could not be told yet" in page
    assert "Clear it now" in page
    assert "We sent you through" not in page


def test_after_signing_in_again_nobody_lands_on_a_page_that_is_for_forms(visitor: Browser) -> None:
    asked = visitor.post("/sessions/revoke-others/")
    next_url = parse_qs(urlsplit(asked["Location"]).query)["next"][0]

    response = visitor.get(visitor.sign_in(next_url)["Location"])

    assert response.status_code == 200


# --- Elsewhere


def test_one_session_is_ended_from_another(user: Browser, pool: FakeUserPool) -> None:
    other = second_browser(user)

    response = user.post(f"/sessions/{session_of(other)}/revoke/")

    assert response.status_code == 302
    assert not is_signed_in(other)
    assert is_signed_in(user)
    assert EndedSession.objects.get().reason == EndReason.ELSEWHERE
    assert sorted(sign_in.revoked for sign_in in sign_ins(pool, user.person)) == [False, True]


def test_the_outsider_cannot_end_the_users_session(user: Browser, outsider: Browser) -> None:
    response = outsider.post(f"/sessions/{session_of(user)}/revoke/")

    assert response.status_code == 404
    assert is_signed_in(user)


def test_the_outsider_cannot_tell_an_ended_session_from_one_that_never_was(user: Browser, outsider: Browser) -> None:
    session = session_of(user)
    user.post("/logout/")

    gone = outsider.post(f"/sessions/{session}/revoke/")
    never = outsider.post("/sessions/00000000-0000-4000-8000-000000000000/revoke/")

    assert gone.status_code == never.status_code == 404


@pytest.mark.parametrize("method", ["get", "head", "put"])
def test_a_session_is_not_ended_by_a_link(user: Browser, method: str) -> None:
    other = second_browser(user)

    response = getattr(user, method)(f"/sessions/{session_of(other)}/revoke/")

    assert response.status_code == 405
    assert is_signed_in(other)


@pytest.mark.parametrize("public_id", ["", "x", "1", "../../", "%00", "00000000-0000-4000-8000-00000000000g"])
def test_an_id_that_is_none_is_not_found(user: Browser, public_id: str) -> None:
    assert user.post(f"/sessions/{public_id}/revoke/").status_code == 404


def test_ending_the_same_session_twice_is_harmless(user: Browser, pool: FakeUserPool) -> None:
    session = session_of(second_browser(user))

    responses = [user.post(f"/sessions/{session}/revoke/") for _ in range(2)]

    assert [response.status_code for response in responses] == [302, 302]
    assert EndedSession.objects.count() == 1
    assert pool.calls.count("RevokeToken") == 1


def test_ones_own_session_is_ended_by_the_sign_out_page(user: Browser) -> None:
    response = user.post(f"/sessions/{session_of(user)}/revoke/")

    assert response["Location"] == "/logout/"
    assert is_signed_in(user)


def test_ending_the_others_keeps_this_one(user: Browser, outsider: Browser, pool: FakeUserPool) -> None:
    others = [second_browser(user) for _ in range(2)]

    user.post("/sessions/revoke-others/")

    assert is_signed_in(user)
    assert is_signed_in(outsider)
    assert not any(is_signed_in(browser) for browser in others)
    assert sorted(sign_in.revoked for sign_in in sign_ins(pool, user.person)) == [False, True, True]


def test_a_page_says_why_the_session_ended_elsewhere(user: Browser) -> None:
    other = second_browser(user)
    user.post("/sessions/revoke-others/")

    response = other.get("/sessions/")

    assert response.status_code == 401
    assert response.context["ended"].reason == EndReason.ELSEWHERE
    assert response.context["action_url"] == "/login/?next=%2Fsessions%2F"
