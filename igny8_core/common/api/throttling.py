"""DRF throttles that count with rate_limits.py. A view lists subclasses that name a scope."""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from igny8_core.common.api.fields import MAX_EMAIL_LENGTH, canonical_email
from igny8_core.common.network import client_network
from igny8_core.common.rate_limits import seconds_to_wait


class ScopedThrottle(BaseThrottle):
    """Counts each request against settings.RATE_LIMITS[scope]; settings.THROTTLING switches all limits off."""

    scope: ClassVar[str]

    def __init__(self) -> None:
        self.seconds: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        caller = self.caller(request) if settings.THROTTLING else None
        if caller is not None:
            self.seconds = seconds_to_wait(self.scope, caller)
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds

    def caller(self, request: Request) -> str | None:
        """The caller to count, or None not to count this request."""
        raise NotImplementedError


class NetworkThrottle(ScopedThrottle):
    """Counts per network of the caller (common/network.py)."""

    def caller(self, request: Request) -> str | None:
        return f"network {client_network(request)}"


class EmailThrottle(ScopedThrottle):
    """Counts per e-mail address in the body, known or unknown, so that many networks cannot guess at one password."""

    def caller(self, request: Request) -> str | None:
        data: Any = request.data
        email = data.get("email")
        if not isinstance(email, str) or len(email) > MAX_EMAIL_LENGTH:
            return None  # the serializer refuses it before any password is checked
        return f"email {canonical_email(email)}"


class UserThrottle(ScopedThrottle):
    """Counts per logged-in user."""

    def caller(self, request: Request) -> str | None:
        return f"user {request.user.pk}" if request.user and request.user.is_authenticated else None
