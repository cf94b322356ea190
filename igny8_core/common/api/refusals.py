"""Declares which errors an operation can answer with. The OpenAPI document and its tests read the declarations."""

from collections.abc import Callable
from typing import Any, TypeVar

from igny8_core.common.errors import DomainError

Method = TypeVar("Method", bound=Callable[..., Any])


def refuses(*errors: type[DomainError]) -> Callable[[Method], Method]:
    """Decorator of a view's method: names the domain errors that it can answer with, beyond those of all operations."""

    def decorate(method: Method) -> Method:
        method.refusals = errors  # type: ignore[attr-defined]
        return method

    return decorate


def refusals_of(method: Callable[..., Any] | None) -> tuple[type[DomainError], ...]:
    """The errors that the method declares with `@refuses`."""
    return tuple(getattr(method, "refusals", ()))
