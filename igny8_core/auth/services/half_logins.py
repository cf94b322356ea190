"""Between password and code: who has shown the first and not yet the second. The page holds a token, no table a row."""

from datetime import timedelta

from django.utils.crypto import constant_time_compare

from igny8_core.auth.callers import password_fingerprint
from igny8_core.auth.errors import LinkExpired
from igny8_core.auth.models import User
from igny8_core.common.signed_texts import BadSignature, opened, signed

SALT = "igny8_core.auth.half_login"
LIFETIME = timedelta(minutes=10)


def half_login(user: User) -> str:
    """A token that says that `user` has given the right password; it opens nothing without a code."""
    return signed(f"{user.pk}.{_state(user)}", salt=SALT)


def user_of_half_login(token: str) -> User:
    """Whose token it is. Raises LinkExpired after ten minutes, and once password or second factor changed."""
    try:
        user_id, _, state = opened(token, salt=SALT, lifetime=LIFETIME).partition(".")
    except BadSignature:
        raise LinkExpired() from None
    user = User.objects.select_related("account__plan").filter(pk=int(user_id), is_active=True).first()
    if user is None or not constant_time_compare(state, _state(user)):
        raise LinkExpired()
    return user


def _state(user: User) -> str:
    since = user.second_factor_since
    return f"{password_fingerprint(user.password)}.{since.timestamp() if since else ''}"
