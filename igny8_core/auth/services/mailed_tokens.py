"""Tokens of mailed links: signed for one purpose, bound to the person's state, never stored (AUT-13)."""

from datetime import datetime, timedelta

from django.core.signing import Signer
from django.db.models import TextChoices
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from igny8_core.auth.errors import InvalidLink, LinkExpired
from igny8_core.auth.models import Account, User
from igny8_core.common import clock
from igny8_core.common.signed_texts import BadSignature, SignatureExpired, keys, opened, signed


class Purpose(TextChoices):
    """What a link is for. A token works for its own purpose alone (AUT-02)."""

    RESET = "password_reset"
    VERIFICATION = "email_verification"


LIFETIMES = {Purpose.RESET: timedelta(minutes=60), Purpose.VERIFICATION: timedelta(days=3)}
# The token of an account's billing address is nobody's of a login.
BILLING_ADDRESS = "igny8_core.auth.billing_address"
BILLING_ADDRESS_LIFETIME = timedelta(days=3)


def link_token(user: User, purpose: Purpose, issued_at: datetime) -> str:
    """A token for a link to `user`. It is the same whenever it is made for the same `issued_at` and user's state."""
    return signed(f"{user.pk}.{_state(user, purpose, keys()[0])}", salt=_salt(purpose), moment=issued_at)


def user_of_link(token: str, purpose: Purpose) -> User:
    """The user of a token. Raises InvalidLink if we did not sign it, LinkExpired once it is used or has expired."""
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


def billing_address_token(account: Account, issued_at: datetime) -> str:
    """A token for a link to the account's billing address, which it confirms."""
    text = f"{account.pk}.{_state_of_address(account, keys()[0])}"
    return signed(text, salt=BILLING_ADDRESS, moment=issued_at)


def account_of_link(token: str) -> Account | None:
    """The account whose billing address a token confirms; None for a token of another purpose.

    Raises LinkExpired once it has expired, or the account has another billing address.
    """
    try:
        account_id, state = opened(token, salt=BILLING_ADDRESS, lifetime=BILLING_ADDRESS_LIFETIME).split(".")
    except SignatureExpired:
        raise LinkExpired() from None
    except BadSignature:
        return None
    account = Account.objects.filter(pk=account_id).exclude(billing_email="").first()
    if account is None or not any(constant_time_compare(state, _state_of_address(account, key)) for key in keys()):
        raise LinkExpired()
    return account


def has_run_out(purpose: Purpose, issued_at: float) -> bool:
    """Whether a link that was issued at this time (seconds since 1970) has expired."""
    return clock.now().timestamp() >= int(issued_at) + LIFETIMES[purpose].total_seconds()


def _opened(token: str, purpose: Purpose) -> tuple[int, str]:
    """The user's id and state in a token. Raises BadSignature, SignatureExpired."""
    try:
        user_id, state = opened(token, salt=_salt(purpose), lifetime=LIFETIMES[purpose]).split(".")
    except SignatureExpired:
        raise
    except BadSignature:
        return _opened_of_old(token, purpose)
    return int(user_id), state


def _opened_of_old(token: str, purpose: Purpose) -> tuple[int, str]:
    """The same for links of the previous release. The last of those expires three days after the upgrade."""
    # Its own salt: otherwise, with a colon in place of its dot, such a token would pass for a current one.
    claims = Signer(salt=f"igny8_core.auth.link.{purpose.value}", sep=".").unsign_object(token)
    if has_run_out(purpose, claims["at"]):
        raise SignatureExpired(_("The token has expired."))
    return claims["user"], claims["state"]


def _salt(purpose: Purpose) -> str:
    return f"igny8_core.auth.mailed_link.{purpose.value}"


def _state(user: User, purpose: Purpose, key: str) -> str:
    """A hash of what the link changes and of the address it was sent to. Once either changes, the token is used up."""
    changed = user.password if purpose == Purpose.RESET else user.email_verified_at
    salt = f"igny8_core.auth.state.{purpose.value}"
    return salted_hmac(salt, f"{user.email}|{changed}", secret=key, algorithm="sha256").hexdigest()


def _state_of_address(account: Account, key: str) -> str:
    return salted_hmac(
        BILLING_ADDRESS, f"{account.pk}|{account.billing_email}", secret=key, algorithm="sha256"
    ).hexdigest()
