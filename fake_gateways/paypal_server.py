"""The stand-in for PayPal over HTTP on this machine: its API, its certificates, and the page where payers approve."""

import base64
import binascii
import json
import re
import uuid
from urllib.parse import parse_qs, parse_qsl, urlsplit

from fake_gateways.loopback import Answer, HangUp, LoopbackServer, Request
from fake_gateways.paypal_checks import Json, Refusal
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.paypal_page import address_after, page_of
from fake_gateways.paypal_signing import CERTIFICATE_PATH
from fake_gateways.paypal_troubles import Trouble

REPRESENTATION = "return=representation"
READ = {
    r"/v2/checkout/orders/([^/]+)": FakePayPal.get_order,
    r"/v2/payments/captures/([^/]+)": FakePayPal.get_capture,
    r"/v2/payments/refunds/([^/]+)": FakePayPal.get_refund,
    r"/v1/customer/disputes/([^/]+)": FakePayPal.get_dispute,
}


def serve(fake: FakePayPal, port: int = 0) -> LoopbackServer:
    """Serve `fake` on a port of 127.0.0.1 until `stop`, and set `fake.address`. Port 0 means any free port."""
    server = LoopbackServer(_Door(fake).handle, port)
    fake.address = server.address
    return server.start()


class _Door:
    def __init__(self, fake: FakePayPal) -> None:
        self._fake = fake

    def handle(self, request: Request) -> Answer:
        """Answer a request, or misbehave if a test asked for it."""
        trouble = self._fake.troubles.trouble_for(request)
        if trouble and not trouble.after_effect:
            return _troubled(trouble)
        answer = self._route(request)
        if trouble is None:
            return answer
        if trouble.status == 0:
            raise HangUp
        return _troubled(trouble)

    def _route(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path == "/checkoutnow":
            return self._page(request)
        if path.startswith(CERTIFICATE_PATH):
            known = path == f"{CERTIFICATE_PATH}{self._fake.signer.name}"
            pem = self._fake.signer.pem if known else b""
            return Answer(200 if known else 404, pem, "application/x-pem-file")
        try:
            if path == "/v1/oauth2/token":
                return _json(200, self._token(request))
            if not self._fake.knows_token(request.headers.get("authorization", "").removeprefix("Bearer ")):
                raise Refusal(401, "INVALID_TOKEN")
            return _json(*self._api(request, path))
        except Refusal as refusal:
            return _refused(refusal)

    def _token(self, request: Request) -> Json:
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        if request.method != "POST" or request.body != b"grant_type=client_credentials":
            raise Refusal(400, "UNSUPPORTED_GRANT_TYPE")
        # These headers do not belong to a token request. If they are there, our adapter has a fault.
        if "paypal-request-id" in request.headers or "prefer" in request.headers or kind != "Basic":
            raise Refusal(400, "INVALID_REQUEST")
        try:
            client_id, _, client_secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal(401, "INVALID_CLIENT") from None
        return self._fake.new_token(client_id, client_secret)

    def _api(self, request: Request, path: str) -> tuple[int, Json]:
        if request.method == "GET":
            return self._read(request, path)
        if request.method != "POST":
            raise Refusal(405)
        body = _body(request)
        request_id = request.headers.get("paypal-request-id", "")
        whole = request.headers.get("prefer") == REPRESENTATION
        if path == "/v2/checkout/orders":
            return self._fake.create_order(body, request_id, whole=whole)
        if found := re.fullmatch(r"/v2/checkout/orders/([^/]+)/capture", path):
            return self._fake.capture_order(found[1], body, request_id, whole=whole)
        if found := re.fullmatch(r"/v2/payments/captures/([^/]+)/refund", path):
            return self._fake.refund_capture(found[1], body, request_id)
        raise Refusal(404)

    def _read(self, request: Request, path: str) -> tuple[int, Json]:
        if request.body:
            raise Refusal(400, "MALFORMED_REQUEST_JSON")
        if path == "/v1/customer/disputes":
            return 200, self._fake.list_disputes(dict(parse_qsl(urlsplit(request.path).query)))
        for pattern, read in READ.items():
            if found := re.fullmatch(pattern, path):
                return 200, read(self._fake, found[1])
        raise Refusal(404)

    def _page(self, request: Request) -> Answer:
        token = parse_qs(urlsplit(request.path).query).get("token", [""])[0]
        order = self._fake.orders.get(token)
        if request.method == "GET" or order is None:
            return Answer(200 if order else 404, page_of(order).encode(), "text/html; charset=utf-8")
        approved = parse_qs(request.body.decode("ascii", "replace")).get("answer") == ["approve"]
        if approved:
            self._fake.approve(order.id)
        location = address_after(order, approved=approved) or f"/checkoutnow?token={order.id}"
        return Answer(303, b"", headers={"Location": location})


def _body(request: Request) -> Json:
    if request.headers.get("content-type") != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE")
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "MALFORMED_REQUEST_JSON")
    return body


def _json(status: int, body: Json) -> Answer:
    return Answer(status, json.dumps(body).encode(), headers={"PayPal-Debug-Id": uuid.uuid4().hex[:13]})


def _refused(refusal: Refusal) -> Answer:
    return _json(refusal.status, refusal.as_json(uuid.uuid4().hex[:13]))


def _troubled(trouble: Trouble) -> Answer:
    if trouble.status == 0:
        raise HangUp
    answer = _refused(Refusal(trouble.status))
    body = answer.body if trouble.body is None else trouble.body
    return Answer(trouble.status, body, headers={**answer.headers, **trouble.headers})
