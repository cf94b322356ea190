"""Which form an answer has and how a body is read: nearly always JSON, which needs no weighing of media types."""

from collections.abc import Iterable

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

ANYTHING = "*/*"


class QuickNegotiation(DefaultContentNegotiation):
    """DRF's own choice, made at once where the request names the first of a view's types, or takes any."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type. Raises NotAcceptable, or Http404 for an unknown suffix."""
        first = next(iter(renderers))
        if format_suffix is None and request.META.get("HTTP_ACCEPT", ANYTHING) in (ANYTHING, first.media_type):
            return first, str(first.media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser for the body, or None where none takes its type."""
        first = next(iter(parsers), None)
        if first is not None and request.content_type == first.media_type:
            return first
        chosen: BaseParser | None = super().select_parser(request, parsers)
        return chosen
