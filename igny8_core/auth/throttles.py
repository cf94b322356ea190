"""Limits that more than one door counts against (settings.RATE_LIMITS)."""

from igny8_core.common.api.throttling import NetworkThrottle, UserThrottle


class PasswordThrottle(UserThrottle):
    """Tries of one's own password, wherever it is asked for."""

    scope = "login"


class TokenThrottle(NetworkThrottle):
    """Tries of tokens that were mailed: all kinds count together."""

    scope = "token"
