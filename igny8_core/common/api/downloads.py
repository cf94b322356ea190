"""Files handed out so that no browser runs anything of them: those of strangers, and documents that are drawn here."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from igny8_core.common.api.throttling import UserThrottle

PDF = "application/pdf"
# What `extend_schema(responses=…)` says of an operation that answers with a document.
PDF_ANSWER = {(200, PDF): OpenApiTypes.BINARY}
# For callers that know no PDFs or pictures: the bytes, and nothing said of them.
BYTES = "application/octet-stream"
# These win: the middlewares set theirs only where a view has set none.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}


class AnyType(DefaultContentNegotiation):
    """For views that answer with a file: whatever a browser accepts, refusals are JSON as everywhere."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


def file_response(content: bytes, content_type: str, name: str, *, inline: bool = False) -> HttpResponse:
    """The file to save under `name`, or with `inline` to show; nothing of it is run, guessed at or kept by caches."""
    response = HttpResponse(content, content_type=content_type, headers=SAFE_HEADERS)
    response["Content-Disposition"] = content_disposition_header(not inline, name) or "inline"
    return response


class PdfThrottle(UserThrottle):
    """Documents that a person fetches, of whatever kind: drawing one takes a second of processor time."""

    scope = "pdf"


def pdf_response(content: bytes, number: str) -> HttpResponse:
    """A document to be saved under its number."""
    return file_response(content, PDF, f"{number}.pdf")


def in_asked_type(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """The answer itself; a file says that it is mere bytes where the caller's Accept header names only these."""
    if response.has_header("Content-Disposition") and request.headers.get("Accept", "").strip() == BYTES:
        response["Content-Type"] = BYTES
    return response
