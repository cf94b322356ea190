"""The body of an API request: exactly one unambiguous JSON object, or a 4xx that says why."""

import json
import time
from io import BytesIO

import pytest
from django.test import Client
from django.urls import path, re_path
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api.envelope import success
from igny8_core.common.api.parsers import MAX_BODY_BYTES, StrictJSONParser
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.views import ApiView, NoSuchAddress

pytestmark = pytest.mark.urls(__name__)


class Echo(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)

    def post(self, request: Request) -> Response:
        return success(request.data)


urlpatterns = [path("api/echo/", Echo.as_view()), re_path(r"^api/", NoSuchAddress.as_view())]


def post(body, content_type="application/json", **extra):
    return Client().post("/api/echo/", body, content_type=content_type, **extra)


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


def test_an_object_arrives_as_it_was_sent():
    sent = {"name": "Zoë 😀", "list": [1, 2.5, True, None, {"deep": "x"}], "brackets": '[[[{{{"\\'}

    answer = post(json.dumps(sent))

    assert answer.status_code == 200
    assert answer.json()["data"] == sent


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_body_counts_as_an_empty_object(body):
    assert post(body).json()["data"] == {}


@pytest.mark.parametrize("levels", [1, 31, 32])
def test_thirty_two_levels_are_taken(levels):
    assert post(nested(levels)).status_code == 200


@pytest.mark.parametrize("levels", [33, 100, 1_000, 100_000])
@pytest.mark.parametrize("shape", ["objects", "lists", "unclosed"])
def test_deeper_nesting_is_refused_fast(levels, shape):
    bodies = {
        "objects": nested(levels),
        "lists": b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}",
        "unclosed": b"[" * levels,
    }

    started = time.thread_time()
    answer = post(bodies[shape])

    assert answer.status_code == 400
    assert "32 levels" in answer.json()["message"]
    assert time.thread_time() - started < 2


BAD_BODIES = {
    "duplicate key": b'{"a": 1, "a": 2}',
    "duplicate key inside": b'{"x": [{"a": 1, "a": 1}]}',
    "duplicate key by escape": b'{"a": 1, "\\u0061": 2}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "float overflow": b'{"a": 1e400}',
    "integer of 4301 digits": b'{"a": ' + b"9" * 4301 + b"}",
    "lone high surrogate": b'{"a": "\\ud800"}',
    "lone low surrogate in a key": b'{"\\udc00": 1}',
    "lone surrogate in a list": b'{"a": [["\\udfff"]]}',
    "NUL by escape": b'{"a": "x\\u0000y"}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "raw NUL": b'{"a": "x\x00y"}',
    "invalid UTF-8": b'{"a": "\xff"}',
    "encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "overlong encoding": b'{"a": "\xc0\x80"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "list": b"[1]",
    "string": b'"a"',
    "number": b"1",
    "null": b"null",
    "cut off": b'{"a": ',
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1} // x',
    "two objects": b"{}{}",
    "raw line break in a string": b'{"a": "x\ny"}',
    "many quotes": b'"' * 10_001,
    "many backslashes": b'{"a": "' + b"\\" * 20_001 + b'"}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_body_that_is_not_one_clear_object_is_refused_with_a_sentence(body):
    answer = post(body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"
    assert answer.json()["message"].endswith((".", "}."))


def test_a_pair_of_surrogates_is_the_character_it_encodes():
    assert post(b'{"a": "\\ud83d\\ude00"}').json()["data"] == {"a": "😀"}


def test_a_million_byte_string_is_checked_without_backtracking():
    body = b'{"a": "' + b"\\\\" * (MAX_BODY_BYTES // 2 - 100) + b'"}'

    started = time.thread_time()

    assert post(body).status_code == 200
    assert time.thread_time() - started < 2


@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 2_000_000, 10_000_000])
def test_a_body_over_one_megabyte_is_413_in_json(size):
    answer = post(b'{"a": "' + b"x" * (size - 9) + b'"}')

    assert answer.status_code == 413
    assert answer.json()["code"] == "payload_too_large"


def test_an_announced_size_over_the_limit_is_refused_without_reading():
    answer = post(b"{}", CONTENT_LENGTH="9" * 5000)

    assert answer.status_code == 413


def chunked(body):
    """A request without Content-Length, as gunicorn passes on chunked bodies."""
    stream = BytesIO(body)
    extra = {"wsgi.input": stream, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return post(b"", CONTENT_TYPE="application/json", **extra), stream


def test_a_chunked_body_is_read():
    answer, _ = chunked(b'{"a": 1}')

    assert answer.json()["data"] == {"a": 1}


def test_an_endless_chunked_body_is_413_and_read_no_further_than_the_limit():
    answer, stream = chunked(b"x" * (3 * MAX_BODY_BYTES))

    assert answer.status_code == 413
    assert stream.tell() == MAX_BODY_BYTES + 1


def test_a_chunked_body_that_the_server_cannot_end_is_411():
    assert post(b"", HTTP_TRANSFER_ENCODING="chunked").status_code == 411


def test_the_parser_has_its_own_limit():
    with pytest.raises(Exception, match="too large") as caught:
        StrictJSONParser().parse(BytesIO(b" " * (MAX_BODY_BYTES + 1)), "application/json")

    assert caught.value.status_code == 413


OTHER_TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/json",
    "application/xml",
    "application/yaml",
    "application/jsonp",
    "application/json-patch+json",
    "application/octet-stream",
    "image/png",
    "application/graphql",
    "nonsense",
    "",
    ";",
    "*/*json",
]


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_any_other_content_type_is_415_in_json(content_type):
    answer = post(b'{"a": 1}', content_type=content_type)

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_utf8_may_be_said(charset):
    assert post(b'{"a": 1}', content_type=f"application/json; charset={charset}").status_code == 200


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf-7", "nonsense", ""])
def test_another_charset_is_refused(charset):
    answer = post(b'{"a": 1}', CONTENT_TYPE=f"application/json; charset={charset}")

    assert answer.status_code == 400


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*"])
def test_an_answer_in_another_type_is_406_in_json(accept):
    answer = post(b"{}", HTTP_ACCEPT=accept)

    assert answer.status_code == 406
    assert answer.json()["code"] == "not_acceptable"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "trace"])
def test_another_method_is_405_in_json(method):
    answer = getattr(Client(), method)("/api/echo/")

    assert answer.status_code == 405
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    "address", ["/api/echo/%00", "/api/echo/%ff", "/api/echo/?a=%00", "/api/echo/?a=%ff", "/api/echo/?%c0=1"]
)
def test_an_address_that_is_not_text_is_400_in_json(address):
    answer = Client().post(address, b"{}", content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize("address", ["/api/", "/api/echo", "/api/echo//", "/api/../x", "/api/v2/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
@pytest.mark.parametrize("debug", [True, False])
def test_an_unknown_address_is_404_in_json(address, method, debug, settings):
    settings.DEBUG = debug

    answer = getattr(Client(), method)(address)

    assert answer.status_code == 404
    assert "end with a slash" in answer.json()["message"]
