"""The quick choice of renderer and parser is the one that DRF would make."""

import pytest
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import FormParser
from rest_framework.renderers import JSONRenderer, StaticHTMLRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from igny8_core.common.api.negotiation import QuickNegotiation
from igny8_core.common.api.parsers import StrictJSONParser

RENDERERS = [JSONRenderer(), StaticHTMLRenderer()]
PARSERS = [StrictJSONParser(), FormParser()]
ACCEPTED = [
    None,
    "*/*",
    "application/json",
    "text/html",
    "*/*, text/html",
    "application/json; indent=2",
    "",
    "a/b",
    "x",
]
SENT = ["application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", "*/*"]


def asked(accept: str | None, sent: str = "application/json") -> Request:
    headers = {} if accept is None else {"HTTP_ACCEPT": accept}
    return Request(APIRequestFactory().post("/", b"{}", content_type=sent, **headers))


def outcome(negotiation: DefaultContentNegotiation, request: Request) -> object:
    """The choice, or the type of the refusal."""
    try:
        return negotiation.select_renderer(request, RENDERERS)
    except Exception as refusal:  # noqa: BLE001 (compared)
        return type(refusal)


@pytest.mark.parametrize("accept", ACCEPTED)
def test_the_renderer_is_the_one_that_drf_would_choose(accept: str | None) -> None:
    assert outcome(QuickNegotiation(), asked(accept)) == outcome(DefaultContentNegotiation(), asked(accept))


@pytest.mark.parametrize("sent", SENT)
def test_the_parser_is_the_one_that_drf_would_choose(sent: str) -> None:
    request = asked(None, sent)

    assert QuickNegotiation().select_parser(request, PARSERS) == DefaultContentNegotiation().select_parser(
        request, PARSERS
    )


def test_with_no_parser_none_is_chosen() -> None:
    assert QuickNegotiation().select_parser(asked(None), []) is None
