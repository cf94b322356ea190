"""Tokens of mailed links: signed for one purpose, bound to the person's state, never stored (AUT-13)."""

from datetime import datetime, timedelta

from django.core.signing import Signer
from django.db.models import TextChoices
from django.utils.crypto import constant_time_compare, salted_hmac

from igny8_core.auth.errors import InvalidLink, LinkExpired
from igny8_core.auth.models import User
from igny8_core.common import clock
from igny8_core.common.signed_texts import BadSignature, SignatureExpired, keys, opened, signed


class Purpose(TextChoices):
    """What a link is for; a token of one purpose is nothing to any other (AUT-02)."""

    RESET = "password_reset"
    VERIFICATION = "email_verification"


LIFETIMES = {Purpose.RESET: timedelta(minutes=60), Purpose.VERIFICATION: timedelta(days=3)}


def link_token(user: User, purpose: Purpose, issued_at: datetime) -> str:
    """The token with which `user` shows that a mail reached them; the same for the same moment and state."""
    return signed(f"{user.pk}.{_state(user, purpose, keys()[0])}", salt=_salt(purpose), moment=issued_at)


def user_of_link(token: str, purpose: Purpose) -> User:
    """Whose token this is. Raises InvalidLink for what we never sent, LinkExpired once it was used or ran out."""
    try:
        user_id, state = _opened(token, purpose)
    except SignatureExpired:
        raise LinkExpired() from None
    except BadSignature:
        raise InvalidLink() from None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not any(constant_time_compare(state, _state(user, purpose, key)) for key in keys()):
        raise LinkExpired()
    return user


def has_run_out(purpose: Purpose, issued_at: float) -> bool:
    """Whether a link that was issued at this time (seconds since 1970) works no more."""
    return clock.now().timestamp() >= int(issued_at) + LIFETIMES[purpose].total_seconds()


def _opened(token: str, purpose: Purpose) -> tuple[int, str]:
    """Whose token this is, and the state that it was made in. Raises BadSignature, SignatureExpired."""
    try:
        user_id, state = opened(token, salt=_salt(purpose), lifetime=LIFETIMES[purpose]).split(".")
    except SignatureExpired:
        raise
    except BadSignature:
        return _opened_of_old(token, purpose)
    return int(user_id), state


def _opened_of_old(token: str, purpose: Purpose) -> tuple[int, str]:
    """The same for links of the release before; the last of them runs out three days after this one is in use."""
    # A salt that nothing else is signed with: with its dot made a colon, such a token would look like one of today's.
    claims = Signer(salt=f"igny8_core.auth.link.{purpose.value}", sep=".").unsign_object(token)
    if has_run_out(purpose, claims["at"]):
        raise SignatureExpired("The token has run out.")
    return claims["user"], claims["state"]


def _salt(purpose: Purpose) -> str:
    return f"igny8_core.auth.mailed_link.{purpose.value}"


def _state(user: User, purpose: Purpose, key: str) -> str:
    """What the link is to change, and the address it was sent to: once either is another, the token is used up."""
    changed = user.password if purpose == Purpose.RESET else user.email_verified_at
    salt = f"igny8_core.auth.state.{purpose.value}"
    return salted_hmac(salt, f"{user.email}|{changed}", secret=key, algorithm="sha256").hexdigest()
