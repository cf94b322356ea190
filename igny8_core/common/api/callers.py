"""Counts what each caller asks of the API, against the general limits (request_limits.py)."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request

from igny8_core.common.errors import DomainError
from igny8_core.common.network import client_networks
from igny8_core.common.request_limits import KNOWN, OF_ACCOUNTS, OF_MISSES, OF_NETWORKS, OF_PEOPLE, OF_WRITES


def seconds_for_network(request: HttpRequest) -> int | None:
    """Count a request of a network, before anybody looks who asks. The seconds to wait where it is too much.

    Who shows what was recognized a moment ago is counted as one person, also where nobody looks who asks.
    """
    if not settings.THROTTLING:
        return None
    shown = _shown(request)
    if KNOWN.knows(shown):
        return OF_PEOPLE.seconds_left() if OF_PEOPLE.refuses(f"known {hash(shown)}") else None
    return OF_NETWORKS.seconds_left() if OF_NETWORKS.refuses_network(client_networks(request)) else None


def count_person(request: Request) -> None:
    """Count a request of who is logged in, for them and for their account. Raises Throttled."""
    person: Any = request.user
    number = person.pk if settings.THROTTLING else None
    if number is None:
        return
    KNOWN.note(_shown(request._request))
    if OF_PEOPLE.refuses(number):
        raise Throttled(OF_PEOPLE.seconds_left())
    account = person.account_id
    if account is not None and OF_ACCOUNTS.refuses(account):
        raise Throttled(OF_ACCOUNTS.seconds_left())


def forget_caller(request: Request) -> None:
    """What this request showed was not recognized (any more): its network counts again."""
    KNOWN.forget(_shown(request._request))


def _shown(request: HttpRequest) -> str:
    shown: str = request.META.get("HTTP_AUTHORIZATION") or request.META.get("HTTP_COOKIE", "")
    return shown


def count_write(person: Any) -> None:
    """Count a request that changes something, for the account of who is logged in. Raises Throttled."""
    account = getattr(person, "account_id", None) if settings.THROTTLING else None
    if account is not None and OF_WRITES.refuses(account):
        raise Throttled(OF_WRITES.seconds_left())


def too_many_misses(request: Request, exc: Exception) -> Throttled | None:
    """Count an answer 404. Instead of it, who asks for too many things that are not theirs or not there has to wait.

    Nobody tries the ids of others by the thousand; who is logged in is counted wherever they ask from.
    """
    if not settings.THROTTLING or not _is_miss(exc):
        return None
    person = request.user.pk
    networks = () if person else client_networks(request._request)
    too_many = OF_MISSES.refuses(f"user {person}") if person else OF_MISSES.refuses_network(networks)
    return Throttled(OF_MISSES.seconds_left()) if too_many else None


def _is_miss(exc: Exception) -> bool:
    return isinstance(exc, Http404 | NotFound) or (isinstance(exc, DomainError) and exc.http_status == 404)
