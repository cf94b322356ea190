"""Chooses the renderer of an answer and the parser of a body, with a quick way for JSON."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

ANYTHING = "*/*"


class QuickNegotiation(DefaultContentNegotiation):
    """DRF's content negotiation, with a shortcut for requests that name the view's first type or accept any type."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type. Raises NotAcceptable; Http404 for an unknown suffix."""
        first = next(iter(renderers))
        if format_suffix is None and request.META.get("HTTP_ACCEPT", ANYTHING) in (ANYTHING, first.media_type):
            return first, str(first.media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the body, or None if no parser takes its type."""
        first = next(iter(parsers), None)
        if first is not None and request.content_type == first.media_type:
            return first
        chosen: BaseParser | None = super().select_parser(request, parsers)
        return chosen
