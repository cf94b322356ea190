"""Tokens of mailed links: signed for one purpose, bound to the person's state, never stored (threats.md R25)."""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.db.models import TextChoices
from django.utils.crypto import salted_hmac

from igny8_core.auth.errors import InvalidLink, LinkExpired
from igny8_core.auth.models import User
from igny8_core.common import clock


class Purpose(TextChoices):
    """What a link is for; a token of one purpose is nothing to any other (threats.md AUT-02)."""

    RESET = "password_reset"
    VERIFICATION = "email_verification"


LIFETIMES = {Purpose.RESET: timedelta(minutes=60), Purpose.VERIFICATION: timedelta(days=3)}


def link_token(user: User, purpose: Purpose, issued_at: datetime) -> str:
    """The token with which `user` shows that a mail reached them; the same for the same moment and state."""
    claims = {"user": user.pk, "at": int(issued_at.timestamp()), "state": _state(user, purpose)}
    return _signer(purpose).sign_object(claims)


def user_of_link(token: str, purpose: Purpose) -> User:
    """Whose token this is. Raises InvalidLink for what we never sent, LinkExpired once it was used or ran out."""
    try:
        claims = _signer(purpose).unsign_object(token)
    except BadSignature:
        raise InvalidLink() from None
    user = User.objects.filter(pk=claims["user"], is_active=True).first()
    if user is None or has_run_out(purpose, claims["at"]) or claims["state"] != _state(user, purpose):
        raise LinkExpired()
    return user


def has_run_out(purpose: Purpose, issued_at: float) -> bool:
    """Whether a link that was issued at this time (seconds since 1970) works no more."""
    return clock.now().timestamp() >= int(issued_at) + LIFETIMES[purpose].total_seconds()


def _signer(purpose: Purpose) -> Signer:
    return Signer(salt=f"igny8_core.auth.link.{purpose.value}", sep=".")


def _state(user: User, purpose: Purpose) -> str:
    """What the link is to change, and the address it was sent to: once either is another, the token is used up."""
    changed = user.password if purpose == Purpose.RESET else user.email_verified_at
    salt = f"igny8_core.auth.state.{purpose.value}"
    return salted_hmac(salt, f"{user.email}|{changed}", algorithm="sha256").hexdigest()
