"""System checks: they stop the start if an API route does not say who may use it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from igny8_core.common.api.views import ApiView, ApiViewSet, ListViewSet, SingletonViewSet

# Parent classes, whose `permission_classes` are the global default and not a decision about one view.
UNDECIDED = frozenset({APIView, ApiView, ApiViewSet, SingletonViewSet, ListViewSet})


@register("security")
def check_api_permissions(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every route under /api/ is an ApiView that declares who may use it (TEN-16, TEN-17)."""
    messages: list[CheckMessage] = []
    for route, callback in api_routes():
        view = getattr(callback, "cls", None)
        if view is None or not (issubclass(view, ApiView) or view.__module__.startswith("drf_spectacular.")):
            messages.append(Error(f"{route} is not an ApiView.", hint="Derive it from ApiView.", id="common.E001"))
            continue
        if not _permissions(view, callback):
            hint = "Set permission_classes on the view; use PublicEndpoint if everybody may use it."
            messages.append(Error(f"{view.__name__} at {route} names no permission.", hint=hint, id="common.E002"))
    return messages


def _permissions(view: type[APIView], callback: Callable[..., Any]) -> Sequence[Any]:
    """The permissions that a ViewSet's action names, else those that the view's class names."""
    # The router sets initkwargs from the keyword arguments of @action.
    named: Sequence[Any] | None = getattr(callback, "initkwargs", {}).get("permission_classes")
    if named is not None:
        return named
    owner = next(parent for parent in view.__mro__ if "permission_classes" in vars(parent))
    return () if owner in UNDECIDED else view.permission_classes


def api_routes() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each route of the site under `api/`, with its view."""
    for route, callback in _routes(get_resolver().url_patterns, ""):
        if route.lstrip("^/").startswith("api/"):
            yield route, callback


def _routes(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route, pattern.callback
