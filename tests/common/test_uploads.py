"""A multipart body holds one file named file, or is refused with a sentence (INP-05, INP-07)."""

import hashlib
from io import BytesIO

import pytest
from django.test import Client
from django.urls import path, re_path
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api.envelope import success
from igny8_core.common.api.parsers import MAX_UPLOAD_BYTES
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.uploads import StrictMultiPartParser, uploaded_file
from igny8_core.common.api.views import ApiView, NoSuchAddress

pytestmark = pytest.mark.urls(__name__)


class Receive(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    parser_classes = (StrictMultiPartParser,)

    def post(self, request: Request) -> Response:
        return success(hashlib.sha256(uploaded_file(request)).hexdigest())


urlpatterns = [path("api/receive/", Receive.as_view()), re_path(r"^api/", NoSuchAddress.as_view())]

FORM = "multipart/form-data; boundary=x"
DISPOSITION = b'Content-Disposition: form-data; name="file"; filename="a.png"'


def part(content: bytes = b"data", head: bytes = DISPOSITION, boundary: bytes = b"x") -> bytes:
    return b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def body(*parts: bytes, boundary: bytes = b"x") -> bytes:
    return b"".join(parts) + b"--" + boundary + b"--\r\n"


def post(content, content_type=FORM, **extra):
    return Client(raise_request_exception=False).generic(
        "POST", "/api/receive/", content, content_type=content_type, **extra
    )


@pytest.mark.parametrize(
    "content",
    [
        b"data", b"\x00\xff\r\n--\r\n--y--\r\n", b"\r\n", b"-x", b"\r\n-x", b"Content-Disposition: form-data\r\n\r\n",
        bytes(range(256)) * 100,
    ],
    ids=len,
)  # fmt: skip
def test_a_file_arrives_byte_by_byte(content):
    assert post(body(part(content))).json()["data"] == hashlib.sha256(content).hexdigest()


HEADS = {
    "with a type": DISPOSITION + b"\r\nContent-Type: image/png",
    "as it is": DISPOSITION + b"\r\nContent-Transfer-Encoding: binary\r\nContent-Length: 4",
    "type first": b"Content-Type: text/html; charset=utf-7\r\n" + DISPOSITION,
    "in capitals": b'CONTENT-DISPOSITION: FORM-DATA; NAME="file"; FILENAME="A.PNG"',
    "without quotes": b"Content-Disposition: form-data; name=file; filename=a.png",
    "name last": b'Content-Disposition: form-data; filename="a.png"; name="file"',
    "no space": b'Content-Disposition:form-data;name="file";filename="a.png"',
    "filename twice": DISPOSITION + b'; filename="b.png"',
    "disposition of another kind": DISPOSITION.replace(b"form-data", b"attachment"),
    "parameters without values": DISPOSITION + b"; x; y",
    "way out": b'Content-Disposition: form-data; name="file"; filename="../../etc/passwd"',
    "quote escaped": rb'Content-Disposition: form-data; name="file"; filename="a\"; name=\"b.png"',
    "quote as percent": b'Content-Disposition: form-data; name="file"; filename="a%22b.png"',
    "UTF-8": 'Content-Disposition: form-data; name="file"; filename="Beleg für März 😀.png"'.encode(),
    "extended": b"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''%e2%82%ac.png",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_what_clients_write_around_a_file_is_read_past(head):
    assert post(body(part(head=head))).status_code == 200


def test_a_file_in_base64_is_unpacked():
    head = DISPOSITION + b"\r\nContent-Transfer-Encoding: base64"

    answer = post(body(part(b"iVBO\r\nRw==", head)))

    assert answer.json()["data"] == hashlib.sha256(b"\x89PNG").hexdigest()


def test_no_file_of_a_sender_is_ever_on_a_disk(monkeypatch):
    made = []
    monkeypatch.setattr("django.core.files.temp.NamedTemporaryFile", lambda *args, **kwargs: made.append(args))

    assert post(body(part(b"x" * (MAX_UPLOAD_BYTES - 1000)))).status_code == 200
    assert made == []


@pytest.mark.parametrize("boundary", ["x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a" * 70, "a b'()+_,-./:=?c"])
def test_a_boundary_of_any_allowed_kind_is_taken(boundary):
    raw = boundary.encode()
    content = body(part(boundary=raw), boundary=raw)

    assert post(content, f'multipart/form-data; boundary="{boundary}"').status_code == 200
    assert post(content, f'Multipart/Form-Data; charset=utf-8; boundary="{boundary}"').status_code == 200


good = body(part())
BROKEN = {
    "empty": b"",
    "line breaks only": b"\r\n\r\n",
    "no boundary in it": b"data",
    "boundary only": b"--x",
    "boundary and line break": b"--x\r\n",
    "end only": b"--x--",
    "end and line break": b"--x--\r\n",
    "another boundary": body(part(boundary=b"y"), boundary=b"y"),
    "cut before its end": good[:-5],
    "cut in its end": good[:-4],
    "cut in the file": good[:-9],
    "cut in the headers": good[:30],
    "no end": part(),
    "headers without content": b"--x\r\n" + DISPOSITION + b"\r\n--x--\r\n",
    "line feeds only": good.replace(b"\r\n", b"\n"),
    "something before": b"preamble\r\n" + good,
    "something behind": good + b"epilogue",
    "another end behind": good + b"--x--\r\n",
    "no headers": part(head=b"").replace(b"\r\n\r\n\r\n", b"\r\n\r\n") + b"--x--\r\n",
    "no disposition": body(part(head=b"Content-Type: image/png")),
    "no name": body(part(head=b'Content-Disposition: form-data; filename="a.png"')),
    "empty field name": body(part(head=DISPOSITION.replace(b'"file"', b'""'))),
    "no filename in it": body(part(head=DISPOSITION.replace(b"a.png", b""))),
    "filename of a folder": body(part(head=DISPOSITION.replace(b"a.png", b"../"))),
    "boundary in the file": body(part(b"data --x data")),
    "boundary at the file's end": body(part(b"data\r\n--x--\r\n")),
    "half a base64": body(part(b"dat", DISPOSITION + b"\r\nContent-Transfer-Encoding: base64")),
    "another name": body(part(head=DISPOSITION.replace(b'"file"', b'"proof"'))),
    "name in capitals": body(part(head=DISPOSITION.replace(b'"file"', b'"FILE"'))),
    "name twice": body(part(head=DISPOSITION + b'; name="other"')),
    "disposition twice": body(part(head=DISPOSITION + b"\r\n" + DISPOSITION)),
    "a field, no file": body(part(head=b'Content-Disposition: form-data; name="file"')),
    "a field more": body(part(), part(head=b'Content-Disposition: form-data; name="role"')),
    "a file of another name more": body(part(), part(head=DISPOSITION.replace(b'"file"', b'"other"'))),
    "two files": body(part(), part()),
    "ten thousand parts": body(*[part(b"")] * 10_000),
    "no content": body(part(b"")),
    "NUL in the filename": body(part(head=DISPOSITION.replace(b"a.png", b"a\0.png"))),
    "line break in the filename": body(part(head=DISPOSITION.replace(b"a.png", b"a\r\nX: y"))),
    "escape in the filename": body(part(head=DISPOSITION.replace(b"a.png", b"\x1b[2J"))),
    "invalid UTF-8 in the filename": body(part(head=DISPOSITION.replace(b"a.png", b"\xff.png"))),
    "quote not closed": body(part(head=DISPOSITION[:-1])),
    "header without colon": body(part(head=DISPOSITION + b"\r\nnonsense")),
    "folded header": body(part(head=DISPOSITION.replace(b"; filename", b";\r\n filename"))),
    "header of 5000 characters": body(part(head=DISPOSITION + b"\r\nX: " + b"y" * 5000)),
    "filename of 5000 characters": body(part(head=DISPOSITION.replace(b"a.png", b"a" * 5000))),
    "multipart in multipart": body(part(head=DISPOSITION[:44] + b"\r\nContent-Type: multipart/mixed")),
    "JSON": b'{"file": "x"}',
    "form": b"file=x",
}  # fmt: skip


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_body_is_400_in_json(content):
    answer = post(content)

    assert answer.status_code == 400
    assert answer.json()["code"] in {"parse_error", "invalid_input"}
    assert answer.json()["message"]


BAD_BOUNDARIES = [
    "multipart/form-data", "multipart/form-data;", "multipart/form-data; boundary", "multipart/form-data; boundary=",
    'multipart/form-data; boundary=""', "multipart/form-data; boundary=" + "a" * 71,
    "multipart/form-data; boundary=x; boundary=x", 'multipart/form-data; boundary="x', "multipart/form-data; charset=x",
    'multipart/form-data; boundary="x\\"y"', 'multipart/form-data; boundary="x "', "multipart/form-data; boundary=é",
]  # fmt: skip


@pytest.mark.parametrize("content_type", BAD_BOUNDARIES, ids=range(len(BAD_BOUNDARIES)))
def test_a_missing_or_strange_boundary_is_400_in_json(content_type):
    answer = post(good, content_type)

    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"


OTHER_TYPES = [
    "application/json", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x", "multipart/*; boundary=x",
    "multipart/form-datax; boundary=x", "*/*", "*/*; boundary=x", "image/png", "application/octet-stream", "garbage",
]  # fmt: skip


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_any_other_content_type_is_415_in_json(content_type):
    answer = post(good, content_type)

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"


def test_a_body_over_six_megabytes_is_413_before_it_is_read():
    answer = post(body(part(b"x" * MAX_UPLOAD_BYTES)))

    assert answer.status_code == 413
    assert "6 MB" in answer.json()["message"]
    assert post(good, CONTENT_LENGTH="9" * 5000).status_code == 413


def test_an_endless_chunked_upload_is_413_and_read_no_further_than_the_limit():
    stream = BytesIO(b"x" * (2 * MAX_UPLOAD_BYTES))
    extra = {"wsgi.input": stream, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    assert post(b"", CONTENT_TYPE=FORM, **extra).status_code == 413
    assert stream.tell() == MAX_UPLOAD_BYTES + 1


def test_a_chunked_upload_is_read():
    stream = BytesIO(good)
    extra = {"wsgi.input": stream, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    assert post(b"", CONTENT_TYPE=FORM, **extra).status_code == 200


def test_the_parser_has_its_own_limit():
    with pytest.raises(Exception, match="6 MB") as caught:
        StrictMultiPartParser().parse(BytesIO(b" " * (MAX_UPLOAD_BYTES + 1)), FORM)

    assert caught.value.status_code == 413


PIECES = [
    b"--x",
    b"--",
    b"\r\n",
    b"\n",
    DISPOSITION,
    b"; name=file",
    b'"',
    b":",
    b"data",
    b"\0",
    b"\xff",
    b"X: y",
    b"x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.integers(0, len(good)), st.integers(0, len(good)))
def test_whatever_is_sent_is_a_file_or_a_refusal(pieces, start, stop):
    content = good[:start] + b"".join(pieces) + good[stop:]

    assert post(content).status_code in {200, 400}


def test_a_body_that_is_shorter_than_announced_is_400():
    cut = {"wsgi.input": BytesIO(good[:-20]), "CONTENT_LENGTH": str(len(good)), "CONTENT_TYPE": FORM}

    answer = post(b"", **cut)

    assert answer.status_code == 400


def test_a_file_of_nothing_but_line_breaks_and_dashes_is_read_fast():
    content = b"\r\n--" * 1_400_000

    assert post(body(part(content))).json()["data"] == hashlib.sha256(content).hexdigest()
