"""Addresses of people's pages: people type them, so a slash at the end changes nothing."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import URLPattern, path


def addresses(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """The page at `route`, given without a slash at its end, and the same with one; `name` leads to the first."""
    return [path(f"{route}/", view), path(route, view, name=name)]


def path_of(address: str) -> str:
    """An address of this site without its beginning: a page leads to it whatever name it was opened under."""
    return address.removeprefix(settings.BASE_URL)
