"""Where messages wait for the next page: MESSAGE_STORAGE = "accounts.message_cookie.MessageCookie"."""

from __future__ import annotations

from typing import Any

from django.contrib.messages.storage.cookie import CookieStorage

from accounts.sign_in import cookie_name


class MessageCookie(CookieStorage):
    """Keeps messages in a cookie of this very host.

    They are signed, but for nobody in particular: a sibling site could show people what it had this one say to others.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cookie_name = cookie_name(self.cookie_name)
