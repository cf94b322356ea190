"""What the two doors take, and what they turn away (WHK-01, 02, 05, 06, 11, 12, 15)."""

import json
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import stripe as sdk
import time_machine
from rest_framework.test import APIClient

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.paypal_signing import Signer
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_transport import FakeStripeTransport
from igny8_core.business.billing.gateways.stripe.charges import StripeGateway
from igny8_core.business.billing.models import WebhookEvent
from igny8_core.business.billing.webhooks.views import MAX_MESSAGE_BYTES
from tests.webhooks.cast import PAYPAL, SECRET, STRIPE, Message, paid_by_card, paid_by_paypal, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def genuine(stripe: FakeStripe) -> Message:
    """A message of Stripe about a payment that has succeeded."""
    paid_by_card(stripe)
    return stripe.signed(stripe.events("payment_intent.succeeded")[0], SECRET)


@pytest.fixture
def genuine_paypal(paypal: FakePayPal) -> Message:
    """A message of PayPal about money that was taken."""
    paid_by_paypal(paypal)
    return paypal.signed(paypal.events("PAYMENT.CAPTURE.COMPLETED")[0])


def signed(body: bytes, at: int | None = None) -> Message:
    """A body with a signature of our secret."""
    return body, {"Stripe-Signature": sdk.WebhookSignature.generate_signature_header(body.decode(), SECRET, at)}


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def nothing_is_stored() -> bool:
    return not WebhookEvent.objects.exists()


# --- What is taken --------------------------------------------------------------------------------------------------


def test_a_message_of_stripe_is_stored_as_it_came(genuine: Message) -> None:
    response = send(STRIPE, genuine)

    event = WebhookEvent.objects.get()
    assert response.json() == {"success": True, "message": "Stored.", "data": None}
    assert (event.provider, event.type, event.state) == ("stripe", "payment_intent.succeeded", "waiting")
    assert event.body.encode() == genuine[0]
    assert (event.event_id, event.attempts, event.transmission_id) == (json.loads(genuine[0])["id"], 0, "")


def test_a_message_of_paypal_is_stored_with_the_id_of_its_delivery(genuine_paypal: Message) -> None:
    response = send(PAYPAL, genuine_paypal)

    event = WebhookEvent.objects.get()
    assert response.status_code == 200
    assert (event.provider, event.type, event.state) == ("paypal", "PAYMENT.CAPTURE.COMPLETED", "waiting")
    assert event.body.encode() == genuine_paypal[0]
    assert event.transmission_id == genuine_paypal[1]["paypal-transmission-id"]


@pytest.mark.parametrize("path", [STRIPE, PAYPAL])
def test_a_repeat_is_answered_and_not_stored_again(genuine: Message, genuine_paypal: Message, path: str) -> None:
    message = genuine if path == STRIPE else genuine_paypal

    first, second = send(path, message), send(path, message)

    assert (first.json()["message"], second.json()["message"]) == ("Stored.", "Already stored.")
    assert WebhookEvent.objects.count() == 1


def test_storing_takes_one_statement(genuine: Message, statements: list[str]) -> None:
    send(STRIPE, genuine)
    before = len(statements)
    body = genuine[0].replace(b'"id": "evt_', b'"id": "evt_2')

    send(STRIPE, signed(body))

    assert len(statements) == before + 1


def test_a_message_needs_no_particular_accept_header(genuine: Message) -> None:
    assert send(STRIPE, genuine, HTTP_ACCEPT="text/plain").status_code == 200


def test_a_repeated_delivery_of_paypal_with_other_headers_is_the_same_message(
    paypal: FakePayPal, genuine_paypal: Message
) -> None:
    send(PAYPAL, genuine_paypal)

    again = send(PAYPAL, paypal.signed(json.loads(genuine_paypal[0])))

    assert again.json()["message"] == "Already stored."


# --- Without keys, secrets, signatures ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [STRIPE, PAYPAL])
def test_without_keys_the_door_is_closed(path: str, settings: Any) -> None:
    settings.STRIPE = settings.PAYPAL = None

    response = send(path, (b"{}", {}))

    assert outcome(response) == (503, "gateway_not_configured")
    assert int(response["Retry-After"]) > 0


def test_without_a_secret_no_message_of_stripe_is_believed(genuine: Message, settings: Any) -> None:
    settings.STRIPE = replace(settings.STRIPE, webhook_secrets=())

    assert outcome(send(STRIPE, genuine)) == (503, "gateway_not_configured")
    assert nothing_is_stored()


def test_without_a_webhook_id_no_message_of_paypal_is_believed(genuine_paypal: Message, settings: Any) -> None:
    settings.PAYPAL = replace(settings.PAYPAL, webhook_id="")

    assert outcome(send(PAYPAL, genuine_paypal)) == (503, "gateway_not_configured")
    assert nothing_is_stored()


def test_an_empty_secret_signs_nothing(genuine: Message) -> None:
    body = genuine[0].decode()
    header = sdk.WebhookSignature.generate_signature_header(body, "", int(time.time()))

    assert outcome(send(STRIPE, (genuine[0], {"Stripe-Signature": header}))) == (400, "bad_signature")


def test_a_refusal_is_logged_without_what_was_sent(genuine_paypal: Message, caplog: pytest.LogCaptureFixture) -> None:
    body, headers = genuine_paypal

    send(PAYPAL, (body + b" ", headers))

    line = next(record for record in caplog.records if record.getMessage() == "webhook refused")
    written = " ".join(str(value) for record in caplog.records for value in vars(record).values())
    assert (line.provider, line.reason) == ("paypal", "the signature does not fit")  # type: ignore[attr-defined]
    assert not any(value in written for value in headers.values() if len(value) > 12)
    assert json.loads(body)["resource"]["id"] not in written


@pytest.mark.parametrize(("shift", "is_taken"), [(-301, False), (-299, True), (299, True), (301, True)])
def test_a_message_of_stripe_is_taken_for_five_minutes(stripe: FakeStripe, shift: int, is_taken: bool) -> None:
    now = int(time.time())
    paid_by_card(stripe)
    message = stripe.signed(stripe.events("payment_intent.succeeded")[0], SECRET, at=now + shift)

    with time_machine.travel(now, tick=False):
        response = send(STRIPE, message)

    # A time ahead of ours can only be written by who has the secret.
    assert outcome(response) == ((200, "") if is_taken else (400, "bad_signature"))
    assert WebhookEvent.objects.count() == int(is_taken)


@pytest.mark.parametrize(
    "written_anew",
    [
        lambda body: json.dumps(json.loads(body)).encode(),
        lambda body: json.dumps(json.loads(body), indent=2, sort_keys=True).encode(),
        lambda body: body + b"\n",
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.replace(b"payment_intent", b"\\u0070ayment_intent", 1),
        lambda body: body.replace(b"\n", b"\r\n"),
    ],
    ids=["spaces", "key order", "line end", "byte order mark", "escapes", "line ends"],
)
def test_a_body_that_means_the_same_but_was_written_anew_is_refused(genuine: Message, written_anew: Any) -> None:
    body, headers = genuine

    assert outcome(send(STRIPE, (written_anew(body), headers))) == (400, "bad_signature")
    assert nothing_is_stored()


def test_while_paypals_certificate_cannot_be_fetched_the_message_has_to_come_again(
    paypal: FakePayPal, genuine_paypal: Message
) -> None:
    paypal.signer = Signer()
    message = paypal.signed(json.loads(genuine_paypal[0]))
    paypal.troubles.answer_next(503, paypal.signer.name, method="GET")

    response = send(PAYPAL, message)

    assert outcome(response) == (503, "signature_uncheckable")
    assert response["Retry-After"] == "60"
    assert nothing_is_stored()


# --- A secret is exchanged ------------------------------------------------------------------------------------------


def test_while_a_secret_is_exchanged_both_are_taken_and_then_only_the_new_one(
    genuine: Message, stripe: FakeStripe, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = json.loads(genuine[0])
    answers = []
    for secrets in (("whsec_new", SECRET), ("whsec_new",)):
        settings.STRIPE = replace(settings.STRIPE, webhook_secrets=secrets)
        gateway = StripeGateway(settings.STRIPE, FakeStripeTransport(stripe))
        monkeypatch.setattr("igny8_core.business.billing.gateways.stripe.make", lambda keys, gateway=gateway: gateway)
        answers.append([send(STRIPE, stripe.signed(event, secret)).status_code for secret in (SECRET, "whsec_new")])

    assert answers == [[200, 200], [400, 200]]


# --- Test and live --------------------------------------------------------------------------------------------------


def test_a_live_message_at_a_test_site_is_refused_and_reported(
    stripe: FakeStripe, genuine: Message, caplog: pytest.LogCaptureFixture
) -> None:
    event = {**json.loads(genuine[0]), "livemode": True}

    response = send(STRIPE, stripe.signed(event, SECRET))

    assert outcome(response) == (400, "message_of_other_mode")
    assert [record.levelname for record in caplog.records if record.getMessage() == "webhook of the other mode"] == [
        "ERROR"
    ]
    assert nothing_is_stored()


@pytest.mark.parametrize("livemode", ["false", 0, None])
def test_a_message_that_does_not_say_its_mode_is_refused(stripe: FakeStripe, genuine: Message, livemode: Any) -> None:
    event = {**json.loads(genuine[0]), "livemode": livemode}

    assert outcome(send(STRIPE, stripe.signed(event, SECRET))) == (400, "message_of_other_mode")


@pytest.mark.parametrize("host", ["https://api.paypal.com", "https://api-m.sandbox.paypal.com", "https://evil.example"])
def test_a_certificate_of_the_other_mode_or_of_another_host_is_not_even_fetched(
    genuine_paypal: Message, host: str
) -> None:
    body, headers = genuine_paypal
    address = headers["paypal-cert-url"].replace("http://127.0.0.1", host)

    assert outcome(send(PAYPAL, (body, {**headers, "paypal-cert-url": address}))) == (400, "bad_signature")


# --- Shapes that are none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [STRIPE, PAYPAL])
@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"", "application/json", (400, "parse_error")),
        (b"{}", "text/plain", (415, "unsupported_media_type")),
        (b"{}", "", (415, "unsupported_media_type")),
        (b"a=b", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b"{}", "application/json; charset=utf-8", (400, "bad_signature")),
        (b" " * (MAX_MESSAGE_BYTES + 1), "application/json", (413, "payload_too_large")),
        (b" " * (MAX_MESSAGE_BYTES), "application/json", (400, "bad_signature")),
        (b" " * (1024 * 1024 + 1), "application/json", (413, "payload_too_large")),
        (b"[" * 100_000, "application/json", (400, "bad_signature")),
    ],
    ids=["empty", "text", "no type", "form", "charset", "above the limit", "at the limit", "megabyte", "deep"],
)
def test_what_is_no_message_is_turned_away_before_it_is_read(
    stripe: FakeStripe, paypal: FakePayPal, path: str, body: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    response = send(path, (body, {}), content_type=content_type)

    assert outcome(response) == expected
    assert nothing_is_stored()


EVENT = {"id": "evt_1", "object": "event", "type": "x.y", "livemode": False, "data": {"object": {"id": "pi_1"}}}


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"1e999",
        b"{",
        b'{"id": "evt_1"}',
        b"[" * 100_000 + b"]" * 100_000,
        json.dumps({**EVENT, "id": ""}).encode(),
        json.dumps({**EVENT, "id": "e" * 101}).encode(),
        json.dumps({**EVENT, "id": "evt\0"}).encode(),
        json.dumps({**EVENT, "id": "evt\ud800"}).encode(),
        json.dumps({**EVENT, "type": "t" * 101}).encode(),
        json.dumps({**EVENT, "type": ["x"]}).encode(),
        json.dumps({**EVENT, "data": []}).encode(),
        json.dumps({**EVENT, "data": {"object": "pi_1"}}).encode(),
    ],
    ids=lambda body: body[:60].decode(),
)
def test_a_signed_message_that_cannot_be_read_is_refused(stripe: FakeStripe, body: bytes) -> None:
    assert outcome(send(STRIPE, signed(body))) == (400, "unreadable_message")
    assert nothing_is_stored()


@pytest.mark.parametrize(
    "event",
    [
        [],
        {"id": "WH-1"},
        {"id": "WH-1", "event_type": "A.B", "resource": None},
        {"id": "WH 1", "event_type": "A.B", "resource": {}},
        {"id": "WH-" + "1" * 100, "event_type": "A.B", "resource": {}},
        {"id": "WH-1", "event_type": "a b", "resource": {}},
    ],
    ids=str,
)
def test_a_signed_message_of_paypal_that_cannot_be_read_is_refused(paypal: FakePayPal, event: Any) -> None:
    assert outcome(send(PAYPAL, paypal.signed(event))) == (400, "unreadable_message")
    assert nothing_is_stored()


def test_a_signed_body_in_another_encoding_is_refused(paypal: FakePayPal) -> None:
    body = json.dumps({"id": "WH-1", "event_type": "A.B", "resource": {}}).encode("utf-16")
    headers = paypal.signer.headers(body, paypal.webhook_id, paypal.address, "2026-11-25T10:00:00Z")

    assert outcome(send(PAYPAL, (body, headers))) == (400, "unreadable_message")


def test_the_doors_take_nothing_but_posts(stripe: FakeStripe) -> None:
    answers = {method: APIClient().generic(method, STRIPE).status_code for method in ("GET", "PUT", "PATCH", "DELETE")}

    assert set(answers.values()) == {405}


def test_a_query_is_refused(genuine: Message) -> None:
    assert outcome(send(f"{STRIPE}?secret={uuid4()}", genuine)) == (400, "invalid_input")
