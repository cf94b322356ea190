"""How often a page may be asked for: the same counters as the API's (settings.RATE_LIMITS)."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from igny8_core.auth.models import User
from igny8_core.common.api.fields import canonical_email
from igny8_core.common.errors import DomainError
from igny8_core.common.network import client_network
from igny8_core.common.rate_limits import seconds_to_wait


class TooManyRequests(DomainError):
    code = "throttled"
    http_status = 429
    text = "This was tried very often in a short time. Wait a minute, then try again."


def count_person(scope: str, person: User) -> None:
    """Count a try of who is signed in, from wherever. Raises TooManyRequests."""
    if settings.THROTTLING:
        _require_patience([seconds_to_wait(scope, f"user {person.pk}")])


def count(request: HttpRequest, scope: str, email: str = "") -> None:
    """Count a try from the caller's network, and of `email` where there is one. Raises TooManyRequests.

    The API and the console count the same callers in the same words: no door lets more through.
    """
    if not settings.THROTTLING:
        return
    callers = [f"network {client_network(request)}", *([f"email {canonical_email(email)}"] if email else [])]
    _require_patience([seconds_to_wait(scope, caller) for caller in callers])


def _require_patience(waits: list[int | None]) -> None:
    if wait := max((seconds for seconds in waits if seconds), default=0):
        text = _("Too many tries in a short time. Try again in %(seconds)d seconds.") % {"seconds": wait}
        raise TooManyRequests(text, retry_after=wait)
