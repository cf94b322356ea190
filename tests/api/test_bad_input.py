"""Whatever is sent, the answer is a refusal in JSON and nothing has changed (docs/threats.md, INP-01 to INP-08)."""

import json
from collections import Counter
from itertools import cycle
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from igny8_core.business.billing.models import Payment
from tests.api.world import LISTS, WRITABLE, World, address, body, fingerprint, refusal, routes, send
from tests.common.test_fields import BAD_URLS, GOOD_URLS

pytestmark = pytest.mark.django_db

CONFIRM = "api/v1/billing/admin/payments/confirm/"
JSON = "application/json"


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


# --- Bodies: INP-01, 02, 04, 05 ---------------------------------------------------------------------------------

BODIES: dict[str, tuple[bytes, int]] = {
    "NUL": (b'{"email": "a\x00b"}', 400),
    "escaped NUL": (b'{"email": "a\\u0000b"}', 400),
    "NUL in a name": (b'{"a\\u0000": 1}', 400),
    "lone high surrogate": (b'{"email": "\\ud800"}', 400),
    "lone low surrogate": (b'{"email": "x\\udfff"}', 400),
    "raw surrogate": (b'{"email": "\xed\xa0\x80"}', 400),
    "cut UTF-8": (b'{"email": "\xc3"}', 400),
    "overlong UTF-8": (b'{"email": "\xc0\xaf"}', 400),
    "Latin-1": (b'{"email": "\xe9"}', 400),
    "UTF-16": ('{"email": "a"}'.encode("utf-16"), 400),
    "byte order mark": (b'\xef\xbb\xbf{"email": "a"}', 400),
    "no JSON": (b"email=a", 400),
    "cut JSON": (b'{"email": "a', 400),
    "two objects": (b"{}{}", 400),
    "trailing comma": (b'{"email": "a",}', 400),
    "comment": (b'{"email": "a"} // x', 400),
    "single quotes": (b"{'email': 'a'}", 400),
    "array": (b"[]", 400),
    "array of objects": (b'[{"email": "a"}]', 400),
    "text": (b'"a"', 400),
    "number": (b"1", 400),
    "null": (b"null", 400),
    "true": (b"true", 400),
    "NaN": (b'{"amount": NaN}', 400),
    "huge exponent": (b'{"amount": 1e999}', 400),
    "huge integer": (b'{"amount": ' + b"9" * 5000 + b"}", 400),
    "33 levels": (nested(33), 400),
    "1000 levels": (nested(1000), 400),
    "100000 levels": (nested(100_000), 400),
    "100000 brackets": (b"[" * 100_000, 400),
    "long name": (json.dumps({"x" * 100_000: 1}).encode(), 400),
    "2 MB": (b'{"a": "' + b"x" * 2_000_000 + b'"}', 413),
    "10 MB": (b" " * 10_000_000, 413),
}


# Every body is sent to a public, a customer's and an operator's operation; to each other one two of a few, in turn:
# they are refused before the operation begins.
THOROUGHLY = {"api/v1/auth/login/", CONFIRM, "api/v1/billing/admin/payments/<int64:payment_id>/approve/"}
A_FEW = ["escaped NUL", "lone high surrogate", "cut UTF-8", "array", "null", "1000 levels", "10 MB"]


def test_no_body_breaks_an_operation(world: World) -> None:
    before, turn = fingerprint(), cycle(A_FEW)

    for method, route, actor in WRITABLE:
        client, path = world.client(actor), address(route, world.tenant(actor).ids)
        for name in BODIES if route in THOROUGHLY else [next(turn), next(turn)]:
            content, status = BODIES[name]
            response = client.generic(method, path, content, content_type=JSON)

            assert response.status_code == status, f"{name} to {route}"
            refusal(response)
    assert fingerprint() == before


WRONG_VALUES: list[Any] = [
    None, True, 0, 1.5, 10**26, 1e308, "", " ", "\u200b", "\u202e", "\U0010ffff", "x" * 5000, [], {}, ["x"], {"a": 1},
    "\r\n",
    "' OR 1=1 --", "{{7*7}}", "%s%n",
]  # fmt: skip
# Where nothing was begun, no text can be right or wrong.
OF_STATES = {"api/v1/auth/second-factor/enable/": {409}}


def test_no_value_in_any_field_breaks_an_operation(world: World) -> None:
    """Every value in the first field of a name, and in each other field of that name a tenth of them, in turn."""
    seen: Counter[str] = Counter()
    before = fingerprint()

    for method, route, actor in WRITABLE:
        right = body(world, method, route, actor) or {}
        for field in right:
            values = WRONG_VALUES[seen[field] % 10 :: 10] if seen[field] and route not in THOROUGHLY else WRONG_VALUES
            seen[field] += 1
            for value in values:
                require_no_failure(world, method, route, actor, {**right, field: value}, field)
    assert fingerprint() == before


def require_no_failure(world: World, method: str, route: str, actor: str, sent: dict[str, Any], field: str) -> None:
    """The wrong value of `field` is refused, or it is text and taken as such."""
    about = f"{method} {route} {field}={sent[field]!r}"
    savepoint = transaction.savepoint()
    response = send(world, method, route, actor, sent)
    if response.status_code >= 300:
        assert response.status_code in {400, 401, 404} | OF_STATES.get(route, set()), about
        refusal(response)
    else:
        assert isinstance(sent[field], str), f"{about} was taken"
        transaction.savepoint_rollback(savepoint)


def test_a_megabyte_of_unknown_names_is_not_answered_with_more(world: World) -> None:
    content = json.dumps(dict.fromkeys(map(str, range(50_000)), 1))

    response = world.client("owner").generic("POST", "/api/v1/auth/login/", content, content_type=JSON)

    assert response.status_code == 400
    assert len(response.content) < 10_000


# --- Types and forms: INP-06, 07 --------------------------------------------------------------------------------

CONTENT_TYPES = [
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain",
    "text/html",
    "text/json", "application/xml", "text/xml", "application/jsonp", "application/octet-stream", "application/yaml",
    "application/x-ndjson", "application/vnd.api+json", "application/msgpack", "image/png", "garbage", "application/",
    "/json", "application/json/x", "*/*", "application/*", "",
]  # fmt: skip
BROKEN_FORMS = [
    b"--x", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nvalue",
    b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\n\r\n<?php\r\n--x--", b"--y--",
]  # fmt: skip


CHARSETS = ["utf-16", "latin-1", "utf-7", "x" * 1000]


def test_only_json_is_taken(world: World) -> None:
    """Each wrong type, form and charset at a few operations, and one of them at each other one, in turn."""
    others = [
        *((b"{}", content_type, {415}) for content_type in CONTENT_TYPES),
        *((form, "multipart/form-data; boundary=x", {415}) for form in BROKEN_FORMS),
        *((b"{}", f"{JSON}; charset={charset}", {400, 415}) for charset in CHARSETS),
    ]
    before, turn = fingerprint(), cycle(others)

    for method, route, actor in WRITABLE:
        client, path = world.client(actor), address(route, world.tenant(actor).ids)
        right = json.dumps(body(world, method, route, actor)).encode()
        for content, content_type, statuses in others if route in THOROUGHLY else [next(turn)]:
            sent = right if content == b"{}" else content
            response = client.generic(method, path, sent, content_type=content_type)
            assert response.status_code in statuses, f"{content!r} as {content_type} to {route}"
            refusal(response)
    assert fingerprint() == before


def test_an_answer_in_another_format_is_406_in_json(world: World) -> None:
    """In one of these formats on each route, in turn."""
    formats = cycle(["text/html", "application/xml", "image/*", "garbage", "text/csv;q=1"])

    for route in routes():
        # Who opens a file or a page accepts what it is, and a gateway whatever it gets.
        takes_any = route.endswith(("/file/", "/pdf/")) or route.startswith(("api/schema/", "api/docs/"))
        if "<path" in route or takes_any or "/webhooks/" in route:
            continue
        actor = "operator" if "approve" in route or "reject" in route else "owner"
        response = world.client(actor).get(address(route, world.a.ids), HTTP_ACCEPT=next(formats))
        assert response.status_code == 406, route
        refusal(response)


# --- Lists: INP-08 ----------------------------------------------------------------------------------------------

WRONG_NUMBERS = [
    "0", "-1", "+1", "1.0", "1e3", "1_0", "0x10", "٥", "５", "²", "", " ", "abc", "None", "1,2", "1;2", "[]", "1" * 31,
    "NaN",
    "1 ", " 1", "1\n", "true", "last",
]  # fmt: skip


@pytest.mark.parametrize("route", LISTS)
def test_pages_are_counted_in_plain_digits_and_hold_at_most_a_hundred(world: World, route: str) -> None:
    client = world.client("owner")

    for name in ("page", "page_size"):
        for number in WRONG_NUMBERS if "invoices" in route else WRONG_NUMBERS[:3]:
            response = client.get(f"/{route}", {name: number})
            assert response.status_code == 400, f"{name}={number!r}"
            assert list(refusal(response)["errors"]) == [name]
    for size in ("101", "1000000000", "9" * 30):
        assert client.get(f"/{route}", {"page_size": size}).status_code == 400
    for page in ("2", "1000000001", "9" * 30):
        response = client.get(f"/{route}", {"page": page})
        assert response.status_code == 404, page
        refusal(response)
    assert client.get(f"/{route}", {"page_size": "100"}).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "status=", "status=PAID", "status=paid'", "status[]=paid", "date_from=2026-13-01", "date_from=2026-02-30",
        "date_from=0000-00-00", "date_from=today", "date_from=2026-1-1", "date_to=%D9%A2026-01-01",
        "date_to=\u00d9\u00a2026-01-01", "date_to=99999-01-01",
        "search=", "search=" + "x" * 101, "search=%E2%80%AE", "search=a%0Ab", "search=%00", "search=%FF", "%00=1",
        "%FF=1",
        "&".join(f"x{number}=1" for number in range(2000)), "ordering=" + "x" * 5000,
    ],
    ids=lambda query: query[:30],
)  # fmt: skip
def test_a_wrong_filter_is_400_in_json(world: World, query: str) -> None:
    response = world.client("owner").generic("GET", "/api/v1/billing/invoices/", QUERY_STRING=query)

    assert response.status_code == 400
    refusal(response)


def test_a_search_for_wildcards_and_quotes_finds_only_what_it_says(world: World) -> None:
    for text, found in [("%", 0), ("_", 0), ("'", 0), ("\\", 0), ("INV-", 3), ("inv-", 3), ("0001", 1)]:
        response = world.client("owner").get("/api/v1/billing/invoices/", {"search": text})

        assert (response.status_code, response.json()["count"]) == (200, found), text


# --- Addresses and methods: INP-17 ------------------------------------------------------------------------------

TRICKS = [
    "/{}", "//{}/", "/./{}/", "/x/../{}/", "/%2e/{}/", "/{}%00", "/{}%2f", "/{}.json", "/{};x=1", "/{}%20/", "/{}//",
    "/{}/..",
    "/{}%0a", "/{}%ff", "/{}\\", "/{}%5c", "/{}index", "/{}%E2%80%AE",
]  # fmt: skip
OVERRIDES = [
    {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"}, {"HTTP_X_METHOD_OVERRIDE": "DELETE"}, {"HTTP_X_HTTP_METHOD": "DELETE"},
    {"HTTP_X_ORIGINAL_URL": "/admin/"}, {"HTTP_X_REWRITE_URL": "/admin/"}, {"HTTP_X_FORWARDED_PREFIX": "/admin"},
]  # fmt: skip


def test_a_variant_of_an_address_opens_nothing_that_the_address_does_not(world: World) -> None:
    """Every trick on a few addresses, and one of them on each other one, in turn."""
    turn = cycle(TRICKS)
    anonymous = Client(raise_request_exception=False)
    before = fingerprint()

    for route in [route for route in routes() if "<path" not in route and "api/v1" in route]:
        path = address(route, world.a.ids).lstrip("/")
        for trick in TRICKS if route in THOROUGHLY else [next(turn)]:
            variant = trick.format(path.rstrip("/"))
            response = anonymous.generic("POST", variant, "{}", content_type=JSON)
            # A percent-encoded slash is the same address to the server, with the same permissions.
            same = {400, 401, 405, *({503} if "/webhooks/" in variant else ())}
            assert response.status_code in (same if trick == "/{}%2f" else {400, 404}), variant
            if variant.startswith("/api/"):
                refusal(response)
    assert fingerprint() == before


def test_override_headers_and_parameters_change_no_method(world: World) -> None:
    before = fingerprint()
    path = address("api/v1/sites/<int64:site_id>/", world.a.ids)

    for headers in OVERRIDES:
        assert world.client("owner").get(path, **headers).json()["data"]["id"] == world.a.site.pk
        assert world.client("owner").post(path, {}, format="json", **headers).status_code == 405
        assert world.client("viewer").post(path, {}, format="json", **headers).status_code == 403
    assert world.client("owner").get(f"{path}?_method=DELETE").status_code == 400
    assert world.client("owner").post(path, {"_method": "DELETE"}, format="json").status_code == 405
    assert fingerprint() == before


# --- Links to proofs: PAY-13 ------------------------------------------------------------------------------------


def test_a_proof_link_is_https_to_a_public_host_or_400(world: World) -> None:
    right = body(world, "POST", CONFIRM) or {}
    wrong = [url for url in BAD_URLS if url]
    before = fingerprint()

    assert len(wrong) >= 80
    for url in wrong:
        response = send(world, "POST", CONFIRM, "owner", {**right, "proof_url": url})
        assert response.status_code == 400, ascii(url)
        refusal(response)
    assert fingerprint() == before


def test_a_proof_link_is_stored_as_it_was_sent_and_never_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"a connection to {address} was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    response = send(
        world, "POST", CONFIRM, "owner", {**(body(world, "POST", CONFIRM) or {}), "proof_url": GOOD_URLS[1]}
    )

    assert response.status_code == 201
    assert Payment.objects.latest("pk").proof_url == GOOD_URLS[1]
