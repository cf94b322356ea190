"""Rate limits that several API modules share (settings.RATE_LIMITS)."""

from igny8_core.common.api.throttling import NetworkThrottle, UserThrottle


class PasswordThrottle(UserThrottle):
    """Limits how often a user tries their own password, for all operations that ask for it together."""

    scope = "password"


class TokenThrottle(NetworkThrottle):
    """Limits how often a network tries e-mailed tokens, for all kinds of tokens together."""

    scope = "token"
