"""Signed texts: the tokens of links in mails and on pages.

A token is signed for one purpose (its salt) and has the time of signing. The caller looks up what the token refers to
and whether it was used. Tokens signed with an old key (SECRET_KEY_FALLBACKS) are still accepted.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner, b62_decode, b62_encode

from igny8_core.common import clock

__all__ = ["BadSignature", "SignatureExpired", "keys", "opened", "signed"]


class _DatedSigner(TimestampSigner):
    """Signs with a given time, so that a mail that is written twice has the same link both times."""

    def __init__(self, salt: str, moment: datetime | None = None, key: str | None = None) -> None:
        super().__init__(salt=salt, key=key)
        self.moment = moment

    def timestamp(self) -> str:
        return b62_encode(int((self.moment or clock.now()).timestamp()))

    def opened(self, token: str) -> tuple[str, datetime]:
        """The signed text and the time of signing. Raises BadSignature."""
        # TimestampSigner.unsign() does not return the time, and compares it with another clock than ours.
        text, _, stamp = super(TimestampSigner, self).unsign(token).rpartition(self.sep)
        return text, datetime.fromtimestamp(b62_decode(stamp), UTC)


def signed(text: str, *, salt: str, moment: datetime | None = None, key: str | None = None) -> str:
    """A token with `text`, which anybody can read, signed for the purpose `salt`.

    `moment` is the time of signing, by default now. `key` is by default the server's newest.
    """
    return _DatedSigner(salt, moment, key).sign(text)


def opened(token: str, *, salt: str, lifetime: timedelta | None = None) -> str:
    """The text of a token that was signed for this purpose.

    Raises BadSignature for a token that we did not sign, SignatureExpired once it is older than `lifetime`.
    """
    text, moment = _DatedSigner(salt).opened(token)
    if lifetime is not None and clock.now() >= moment + lifetime:
        raise SignatureExpired("The token has expired.")
    return text


def keys() -> list[str]:
    """The server's signing keys, the newest first."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
