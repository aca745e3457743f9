"""The people in front of the studio's browsers, and what these call themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fake_user_pool import Person

if TYPE_CHECKING:
    from tests.browser.studio import Studio

MACINTOSH = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"  # noqa: E501


def make_uma(studio: Studio) -> Person:
    """Add a person of whom everything is known, and who is new to the app."""
    return studio.pool.add_person(
        f"uma.{len(studio.pool.people)}@example.com",
        name="Uma User",
        groups=["editors", "finance-eu"],
        given_name="Uma",
        family_name="User",
        phone_number="+4930123456",
        phone_number_verified="false",
        zoneinfo="Europe/Berlin",
        locale="de-DE",
        updated_at="1763770000",
        **{"custom:cost_centre": "4711", "custom:employee_id": "E-2041"},
    )


def make_bare(studio: Studio) -> Person:
    """Add a person of whom little is known."""
    return studio.pool.add_person(f"bo.{len(studio.pool.people)}@example.com")


def make_admin(studio: Studio) -> Person:
    """Add an operator."""
    return studio.pool.add_person(f"ada.{len(studio.pool.people)}@example.com", name="Ada Admin", groups=["admins"])
