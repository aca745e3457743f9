"""Everything that people, operators and Cognito do with this app, well and badly."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django import Settings

from accounts.ending import end_session
from accounts.models import EndReason, Event, KeptForm, Revocation, Session
from tests.attacks.support import addresses
from tests.canary.watching import Evidence, WatchedBrowser, WatchedPool, run
from tests.fake_user_pool import Failure, Person, Signing

TYPED = "typed-into-a-form-of-a-session-that-had-ended"


class World:
    """The app with its user pool, and people to do things in it."""

    def __init__(self, evidence: Evidence, pool: WatchedPool, settings: Settings) -> None:
        self.evidence = evidence
        self.pool = pool
        self.settings = settings
        self.user = pool.add_person("user@example.com", name="Uma User")
        self.admin = pool.add_person("admin@example.com", name="Ada Admin", groups=["admins"])

    def browser(self, person: Person, *, is_signed_in: bool = True) -> WatchedBrowser:
        browser = WatchedBrowser(self.evidence, self.pool, person)
        if is_signed_in:
            assert browser.sign_in().status_code == 302
        return browser

    def row_of(self, person: Person) -> Session:
        """Return the newest session of a person."""
        row: Session = Session.objects.filter(user__subject=person.sub).order_by("-started_at")[0]
        return row


def live(world: World) -> None:
    """Sign in, several times over; refresh, and be probed, with rotation and without."""
    browsers = [world.browser(world.user) for _ in range(3)]
    for world.pool.rotation in (False, True):
        Session.objects.update(refresh_due_at=timezone.now(), probe_due_at=timezone.now())
        for browser in browsers:
            assert browser.get("/profile/").status_code == 200
    world.evidence.look_at_rest()


def pending(world: World) -> None:
    """Begin a sign-in that is not finished."""
    world.browser(world.user, is_signed_in=False).start_sign_in("/sessions/")
    world.evidence.look_at_rest()


def sign_in_badly(world: World) -> None:
    """Sign in with every kind of trouble: spoilt tokens, errors, outages, responses that came before."""
    for signing in Signing:
        if signing is not Signing.RIGHT:
            world.pool.tamper("access_token", signing=signing)
            assert world.browser(world.user, is_signed_in=False).sign_in().status_code in {400, 503}
    for name in ("nonce", "aud", "exp", "iss"):
        world.pool.tamper("id_token", lambda claims, name=name: claims | {name: 1})  # type: ignore[misc]
        world.browser(world.user, is_signed_in=False).sign_in()
    for failure in (*(each for each in Failure if each is not Failure.HANG), "invalid_grant", "invalid_client"):
        world.pool.fail("token", failure, times=1)
        world.browser(world.user, is_signed_in=False).sign_in()
        # A success in between, or Cognito would not be asked any more.
        world.browser(world.user)
    browser = world.browser(world.user, is_signed_in=False)
    response = world.pool.authorize(browser.start_sign_in(), world.user)
    for query in (response, response, f"{response}&error=access_denied", world.pool.cancel(browser.start_sign_in())):
        browser.get(query)


def every_page(world: World) -> None:
    """Open every address that there is, as everybody, with every id that could stand in it."""
    row = world.row_of(world.user)
    ended = end_session(world.row_of(world.user), EndReason.OPERATOR, now=timezone.now())
    assert ended is not None
    world.browser(world.user)
    revocation, event, group = Revocation.objects.first(), Event.objects.first(), Group.objects.first()
    assert revocation
    assert event
    assert group
    ids = [world.row_of(world.user).public_id, ended.pk, row.user_id, revocation.pk, event.pk, group.pk]
    browsers = {world.browser(world.admin): ids, world.browser(world.user): ids[:2], _stranger(world): ids[:1]}
    for browser, theirs in browsers.items():
        for address in addresses(theirs):
            browser.get(address)

    for address in ("/api/session/", "/callback/", "/console/", "/nowhere/"):
        _stranger(world).get(address, headers={"Accept": "application/json"})


def _stranger(world: World) -> WatchedBrowser:
    return world.browser(world.user, is_signed_in=False)


def break_things(world: World) -> None:
    """Let pages fail: for want of rights, of a token, of Cognito, and for a fault of our own."""
    browser = world.browser(world.user)
    for operation, failure in (("GetUser", Failure.WRONG_SHAPE), ("GetUser", "TooManyRequestsException")):
        world.pool.fail(operation, failure, times=1)
        browser.get("/profile/")
    browser.post("/sessions/", headers={"Sec-Fetch-Site": "cross-site"})
    browser.get("/", headers={"Host": "elsewhere.example"})
    # A fault of our own, in the middle of an authorization response.
    response = world.pool.authorize(browser.start_sign_in(), world.user)
    user_pool, world.settings.COGNITO_USER_POOL_ID = world.settings.COGNITO_USER_POOL_ID, "malformed"
    visitor = _stranger(world)
    visitor.cookies = browser.cookies
    assert {visitor.get(response).status_code, browser.get("/tokens/").status_code} & {500}
    world.settings.COGNITO_USER_POOL_ID = user_pool


def send_too_late(world: World) -> None:
    """Send a form after the session's end, and meet it again after signing in."""
    browser = world.browser(world.user)
    end_session(world.row_of(world.user), EndReason.IDLE, now=timezone.now())
    browser.post("/sessions/revoke-others/", {"note": TYPED})
    offer = f"/kept-form/{KeptForm.objects.get().pk}/"
    world.evidence.secrets["typed into a form"].add(TYPED)
    world.evidence.look_at_rest()
    browser.sign_in()
    page = browser.get(offer)
    assert TYPED in page.content.decode()
    browser.post(f"{offer}discard/")


def operate(world: World) -> None:
    """End sessions from the console and from a shell while Cognito cannot be told."""
    for _ in range(3):
        world.browser(world.user)
    admin = world.browser(world.admin)
    world.pool.fail("RevokeToken", Failure.UNAVAILABLE)
    row = world.row_of(world.user)
    admin.post(f"/console/sessions/{row.public_id}/revoke/", {"reason": "lost"})
    pending = Revocation.objects.filter(state=Revocation.State.PENDING)
    assert pending.exists()
    admin.post(f"/console/revocations/{pending[0].pk}/retry/", {"retry-reason": "again"})
    for page in ("revocations/", f"revocations/{pending[0].pk}/", "health/", "events.csv", "events.jsonl"):
        admin.get(f"/console/{page}")
    admin.post(f"/console/people/{row.user_id}/end/", {"here-reason": "lost", "number": "1"})
    world.evidence.look_at_rest()
    _commands(world, row)
    world.pool.recover()


def _commands(world: World, row: Session) -> None:
    for command in (
        *("sessions list --json", "sessions list", f"sessions show {row.public_id} --json", "sessions flagged"),
        *("revocations list --json", "revocations list", "rotate_token_keys --dry-run", "check --deploy"),
        *(f"sessions show {world.row_of(world.admin).public_id}", "sessions prune", "sweep --once", "check"),
    ):
        run(world.evidence, *command.split())


def leave(world: World) -> None:
    """Sign out here and everywhere, while Cognito listens, refuses and is silent."""
    for path in ("/logout/", "/logout/everywhere/", "/sessions/revoke-others/"):
        for failure in (None, Failure.LOST_ANSWER, "NotAuthorizedException"):
            browser = world.browser(world.user)
            if failure is not None:
                world.pool.fail("*", failure)
            browser.post(path)
            browser.get("/signed-out/")
            world.pool.recover()
    browser = world.browser(world.user)
    world.pool.disable(world.user)
    Session.objects.update(refresh_due_at=timezone.now())
    browser.get("/")
    world.pool.enable(world.user)


JOURNEYS = (live, pending, sign_in_badly, every_page, break_things, send_too_late, operate, leave)
