"""What an operation can refuse with, said beside it: the API's description and its tests are made from this."""

from collections.abc import Callable
from typing import Any, TypeVar

from igny8_core.common.errors import DomainError

Method = TypeVar("Method", bound=Callable[..., Any])


def refuses(*errors: type[DomainError]) -> Callable[[Method], Method]:
    """Decorator of a view's method: the domain errors that its callers must expect, beside what every operation has."""

    def decorate(method: Method) -> Method:
        method.refusals = errors  # type: ignore[attr-defined]
        return method

    return decorate


def refusals_of(method: Callable[..., Any] | None) -> tuple[type[DomainError], ...]:
    """What the method was declared to refuse with."""
    return tuple(getattr(method, "refusals", ()))
