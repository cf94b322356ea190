"""Every answer carries the identifier under which its request is logged."""

import json
import logging
from io import StringIO

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from igny8_core.common.api import error_views
from igny8_core.common.logs import JsonFormatter
from igny8_core.common.request_id import current_request_id

pytestmark = pytest.mark.urls(__name__)


def tell(request):
    return HttpResponse(current_request_id())


def fail(request):
    raise ValueError


urlpatterns = [path("tell/", tell), path("api/fail/", fail), path("api/tell/", tell)]
handler404 = error_views.not_found
handler500 = error_views.server_error


def get(address="/tell/", **headers):
    return Client(raise_request_exception=False).get(address, **headers)


def test_a_request_without_identifier_gets_a_new_one_each_time():
    first, second = get(), get()

    assert first.content.decode() == first["X-Request-ID"]
    assert len(first["X-Request-ID"]) == 32
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize("given", ["abcdefgh", "0" * 64, "3f2504e0-4f89-11d3-9a0c-0305e82c3301"])
def test_a_well_formed_identifier_is_taken_over(given):
    answer = get(HTTP_X_REQUEST_ID=given)

    assert answer["X-Request-ID"] == answer.content.decode() == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "0" * 65,
        "a b c d e f",
        "abcdefgh\n",
        "abcdefgh\r\nSet-Cookie: x",
        "abcdefgh\x1b[31m",
        "٠١٢٣٤٥٦٧",
        "{{7*7}}aaa",
    ],
)
def test_any_other_identifier_is_replaced(given):
    assert get(HTTP_X_REQUEST_ID=given)["X-Request-ID"] != given


@pytest.mark.parametrize(
    ("address", "status"), [("/api/fail/", 500), ("/api/nothing/", 404), ("/api/tell/?a=%00", 400), ("/nothing/", 404)]
)
def test_errors_carry_it_too(address, status):
    answer = get(address)

    assert answer.status_code == status
    assert len(answer["X-Request-ID"]) == 32


def test_the_identifier_is_forgotten_after_the_request():
    get()

    assert current_request_id() == ""


@pytest.mark.parametrize("address", ["/api/tell/", "/api/fail/", "/api/nothing/", "/api/tell/?a=%00"])
def test_answers_of_the_api_are_not_stored_by_caches(address):
    assert get(address)["Cache-Control"] == "no-store"


def test_other_pages_keep_their_own_caching():
    assert not get().has_header("Cache-Control")


def test_the_line_of_a_refused_request_carries_the_request_id(client: Client) -> None:
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("igny8_core.request").addHandler(handler)
    try:
        client.get("/api/v1/nothing/", headers={"X-Request-ID": "abcdefgh-1234"})
    finally:
        logging.getLogger("igny8_core.request").removeHandler(handler)

    line = json.loads(written.getvalue())
    assert (line["path"], line["status"], line["request_id"]) == ("/api/v1/nothing/", 404, "abcdefgh-1234")
