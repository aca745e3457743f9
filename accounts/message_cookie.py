"""Where messages wait for the next page: MESSAGE_STORAGE = "accounts.message_cookie.MessageCookie"."""

from __future__ import annotations

from django.contrib.messages.storage.cookie import CookieStorage
from django.core import signing
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.sign_in import cookie_name


class MessageCookie(CookieStorage):
    """Keeps messages in a cookie of this very host.

    They are signed, but for nobody in particular: a sibling site could show people what it had this one say to others.
    """

    def __init__(self, request: HttpRequest) -> None:
        # Past CookieStorage's own, which makes a signer at once: most pages have no message.
        super(CookieStorage, self).__init__(request)
        self.cookie_name = cookie_name(self.cookie_name)

    @cached_property
    def signer(self) -> signing.TimestampSigner:
        return signing.get_cookie_signer(salt=self.key_salt)
