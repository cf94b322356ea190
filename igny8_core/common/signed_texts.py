"""Texts that only this server can have written: the tokens of links in mails and on pages.

A token says what it is for by its salt, and when it was signed. What it opens, and whether it was used, is for the
caller to look up. Keys that are on their way out (SECRET_KEY_FALLBACKS) still open what they signed.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner, b62_decode, b62_encode

from igny8_core.common import clock

__all__ = ["BadSignature", "SignatureExpired", "keys", "opened", "signed"]


class _DatedSigner(TimestampSigner):
    """Signs as of a given moment: a mail that is written twice has the same link both times."""

    def __init__(self, salt: str, moment: datetime | None = None, key: str | None = None) -> None:
        super().__init__(salt=salt, key=key)
        self.moment = moment

    def timestamp(self) -> str:
        return b62_encode(int((self.moment or clock.now()).timestamp()))

    def opened(self, token: str) -> tuple[str, datetime]:
        """What was signed, and when. Raises BadSignature."""
        # TimestampSigner reads the moment by another clock than ours and does not tell it.
        text, _, stamp = super(TimestampSigner, self).unsign(token).rpartition(self.sep)
        return text, datetime.fromtimestamp(b62_decode(stamp), UTC)


def signed(text: str, *, salt: str, moment: datetime | None = None, key: str | None = None) -> str:
    """A token that holds `text`, which anybody can read, for the purpose `salt`.

    `moment`: as of when it counts, now if none is given. `key`: another than the server's newest.
    """
    return _DatedSigner(salt, moment, key).sign(text)


def opened(token: str, *, salt: str, lifetime: timedelta | None = None) -> str:
    """The text of a token that was signed for this purpose.

    Raises BadSignature for what we never signed, SignatureExpired from `lifetime` after its moment on.
    """
    text, moment = _DatedSigner(salt).opened(token)
    if lifetime is not None and clock.now() >= moment + lifetime:
        raise SignatureExpired("The token has run out.")
    return text


def keys() -> list[str]:
    """The server's keys, the newest first."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
