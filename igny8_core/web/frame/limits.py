"""How often a page may be asked for: the same counters as the API's (settings.RATE_LIMITS)."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import ngettext

from igny8_core.auth.models import User
from igny8_core.common.api.fields import canonical_email
from igny8_core.common.errors import TooManyRequests
from igny8_core.common.network import client_network, client_networks
from igny8_core.common.rate_limits import seconds_to_wait
from igny8_core.common.request_limits import OF_WRITES


def count_person(scope: str, person: User) -> None:
    """Count a try of who is signed in, from wherever. Raises TooManyRequests."""
    if settings.THROTTLING:
        _require_patience([seconds_to_wait(scope, f"user {person.pk}")])


def count(request: HttpRequest, scope: str) -> None:
    """Count a try from the caller's networks. Raises TooManyRequests.

    The API and the console count the same callers in the same words: no door lets more through.
    """
    if settings.THROTTLING:
        _require_patience([seconds_to_wait(scope, *client_networks(request))])


def count_email(request: HttpRequest, scope: str, email: str) -> None:
    """Count a try for an address from the caller's network. Raises TooManyRequests."""
    if settings.THROTTLING:
        caller = f"email {canonical_email(email)} {client_network(request)}"
        _require_patience([seconds_to_wait(scope, caller)])


def count_write(person: User) -> None:
    """Count a form that changes something, with what the API is sent for the same account. Raises TooManyRequests."""
    if settings.THROTTLING and person.account_id is not None and OF_WRITES.refuses(person.account_id):
        _require_patience([OF_WRITES.seconds_left()])


def _require_patience(waits: list[int | None]) -> None:
    if wait := max((seconds for seconds in waits if seconds), default=0):
        text = ngettext(
            "Too many tries in a short time. Try again in %(wait)s second.",
            "Too many tries in a short time. Try again in %(wait)s seconds.",
            wait,
        )
        raise TooManyRequests(text % {"wait": wait}, retry_after=wait)
