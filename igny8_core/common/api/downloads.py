"""Answers with a file: uploads of customers and our own PDFs, with headers that stop browsers from running them."""

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
# For `extend_schema(responses=…)` of an operation that answers with a PDF.
PDF_ANSWER = {(200, PDF): OpenApiTypes.BINARY}
# The type for callers that accept no PDFs or pictures.
BYTES = "application/octet-stream"
# These win over the middlewares, which set a header only where the view has set none.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}


class AnyType(DefaultContentNegotiation):
    """For views that answer with a file: accepts any Accept header. Refusals stay JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


def file_response(content: bytes, content_type: str, name: str, *, inline: bool = False) -> HttpResponse:
    """A file to save as `name`, or with `inline` to show. Browsers do not run it or guess its type; caches skip it."""
    response = HttpResponse(content, content_type=content_type, headers=SAFE_HEADERS)
    response["Content-Disposition"] = content_disposition_header(not inline, name) or "inline"
    return response


class PdfThrottle(UserThrottle):
    """Limits how many PDFs a person fetches, invoices and credit notes together: each takes about a second to draw."""

    scope = "pdf"


def pdf_response(content: bytes, number: str) -> HttpResponse:
    """A PDF to save as `<number>.pdf`."""
    return file_response(content, PDF, f"{number}.pdf")


def in_asked_type(request: Request, response: HttpResponseBase) -> HttpResponseBase:
    """The response unchanged, but a file becomes application/octet-stream if the Accept header names just that."""
    if response.has_header("Content-Disposition") and request.headers.get("Accept", "").strip() == BYTES:
        response["Content-Type"] = BYTES
    return response
