"""Every page in every state, once: the pictures, axe and the crawlers all go by this list.

A scene arranges what its pages are to show and calls `studio.take` at each. Scenes of a part are shown in this order,
on one app: those of the console begin with a site on which nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.browser import admin_scenes, console_scenes, kept_form_scenes, own_scenes, problem_scenes
from tests.browser.studio import Studio

Scene = Callable[[Studio], None]

OWN: Sequence[Scene] = (
    own_scenes.welcome,
    own_scenes.home,
    own_scenes.profile,
    own_scenes.sessions,
    own_scenes.own_session,
    own_scenes.signing_out,
    own_scenes.in_german,
    problem_scenes.session_ended,
    problem_scenes.disabled_account,
    problem_scenes.signed_in_long_ago,
    kept_form_scenes.form_sent_too_late,
    problem_scenes.problems,
    problem_scenes.refusals,
    problem_scenes.errors,
    # It changes the user pool's keys: what was signed in before is out.
    own_scenes.tokens,
)
OPERATORS: Sequence[Scene] = (
    console_scenes.console,
    console_scenes.console_for_viewers,
    console_scenes.console_in_german,
    console_scenes.console_long_after_signing_in,
    console_scenes.flagged_sessions,
    console_scenes.cognito_on_a_person,
    console_scenes.calls_to_cognito,
)
ADMIN: Sequence[Scene] = (admin_scenes.tables,)


def show(studio: Studio, scenes: Sequence[Scene]) -> None:
    """Show every page of these scenes."""
    for scene in scenes:
        scene(studio)
        studio.pool.recover()
