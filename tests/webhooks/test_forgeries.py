"""Whoever is not the gateway has no effect, even where its signature can be made to fit (WHK-01, 03, 09)."""

import json
import random
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
import stripe as sdk
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.db import connection

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.paypal_signing import Signer
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import Payment, WebhookEvent
from igny8_core.business.billing.services.webhook_inbox.inbox import MOST_TRIES, process_due_messages, process_message
from tests.api.world import fingerprint
from tests.gateways.test_paypal_signature import with_crc
from tests.webhooks.cast import (
    PAYPAL,
    SECRET,
    STRIPE,
    Message,
    books,
    card_payment,
    due_again,
    paid_by_card,
    paid_by_paypal,
    paypal_payment,
    send,
    stored,
)

pytestmark = pytest.mark.django_db

FORGERIES = 500
Forge = Callable[[bytes, dict[str, str], random.Random], Message]


def changed(body: bytes, pick: random.Random) -> bytes:
    """The body with one byte of it changed, left out, or put in."""
    place = pick.randrange(len(body))
    byte = bytes([pick.choice([value for value in range(32, 127) if value != body[place]])])
    return pick.choice([body[:place] + byte + body[place + 1 :], body[:place] + body[place + 1 :] + b" ", body + byte])


def by_stripe(body: bytes, secret: str, at: int | None = None) -> str:
    return sdk.WebhookSignature.generate_signature_header(body.decode(), secret, at)


def noise(pick: random.Random) -> str:
    return "".join(pick.choice("tv01=,abcdef 9äß€\t") for _ in range(pick.randint(0, 200)))


STRIPE_FORGERIES: list[Forge] = [
    lambda body, headers, pick: (changed(body, pick), headers),
    lambda body, headers, pick: (body, {}),
    lambda body, headers, pick: (body, {"Stripe-Signature": noise(pick)}),
    lambda body, headers, pick: (body, {"Stripe-Signature": by_stripe(body, f"whsec_{pick.random()}")}),
    lambda body, headers, pick: (body, {"Stripe-Signature": by_stripe(body, "")}),
    lambda body, headers, pick: (
        body,
        {"Stripe-Signature": by_stripe(body, SECRET, int(time.time()) - pick.randint(302, 10**9))},
    ),
    # The time is signed, too.
    lambda body, headers, pick: (
        body,
        {"Stripe-Signature": headers["Stripe-Signature"].replace("t=1", f"t={pick.randint(2, 9)}", 1)},
    ),
    lambda body, headers, pick: (
        body,
        {"Stripe-Signature": headers["Stripe-Signature"].replace("v1=", pick.choice(["v0=", "v2=", "v1=f", "", "v1"]))},
    ),
    lambda body, headers, pick: (
        body,
        {"Stripe-Signature": f"t={int(time.time())}," + ",".join(f"v1={pick.randbytes(32).hex()}" for _ in range(20))},
    ),
    lambda body, headers, pick: (
        body,
        # A secret or a certificate that the caller brings along.
        {"Stripe-Signature": by_stripe(body, "whsec_mine"), "Stripe-Webhook-Secret": "whsec_mine"},
    ),
]
PAYPAL_HEADERS = [
    "paypal-transmission-id",
    "paypal-transmission-time",
    "paypal-transmission-sig",
    "paypal-cert-url",
    "paypal-auth-algo",
]
EVIL_ADDRESSES = [
    "https://evil.example/v1/notifications/certs/CERT-1",
    "http://127.0.0.1/v1/notifications/certs/CERT-1",
    "http://169.254.169.254/latest/meta-data",
    "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
    "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
    "file:///etc/passwd",
    "",
]


def set_header(headers: dict[str, str], name: str, value: str) -> dict[str, str]:
    return {**headers, name: value}


def without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {other: value for other, value in headers.items() if other != name}


PAYPAL_FORGERIES: list[Forge] = [
    lambda body, headers, pick: (changed(body, pick), headers),
    lambda body, headers, pick: (body, without(headers, pick.choice(PAYPAL_HEADERS))),
    lambda body, headers, pick: (body, set_header(headers, "paypal-cert-url", pick.choice(EVIL_ADDRESSES))),
    lambda body, headers, pick: (body, set_header(headers, "paypal-transmission-id", str(uuid4()))),
    lambda body, headers, pick: (
        body,
        set_header(headers, "paypal-transmission-time", f"20{pick.randint(10, 99)}-01-01T00:00:00Z"),
    ),
    lambda body, headers, pick: (
        body,
        set_header(headers, "paypal-auth-algo", pick.choice(["none", "SHA1withRSA", "HS256", "sha256withrsa"])),
    ),
    lambda body, headers, pick: (
        body,
        set_header(
            headers, "paypal-transmission-sig", pick.choice(["", "AAAA", noise(pick), headers[PAYPAL_HEADERS[2]][:-8]])
        ),
    ),
    lambda body, headers, pick: (body, set_header(headers, pick.choice(PAYPAL_HEADERS), noise(pick) or "x")),
]


def forgeries_of(
    message: Message, forge: list[Forge], extra: list[dict[str, str]], count: int, pick: random.Random
) -> list[Message]:
    """That many forgeries of a genuine message, of each kind equally many; `extra` are whole sets of headers."""
    kinds = [*forge, *(lambda body, headers, pick, more=more: (body, more) for more in extra)]
    return [kinds[number % len(kinds)](*message, pick) for number in range(count)]  # type: ignore[operator]


@pytest.mark.stress
def test_500_forged_messages_have_no_effect(stripe: FakeStripe, paypal: FakePayPal) -> None:
    pick = random.Random(2000)
    paid_by_card(stripe)
    paid_by_paypal(paypal)
    card = stripe.signed(stripe.events("payment_intent.succeeded")[0], SECRET)
    order = paypal.signed(paypal.events("PAYMENT.CAPTURE.COMPLETED")[0])
    stranger = Signer(key=generate_private_key(public_exponent=65537, key_size=2048), name=paypal.signer.name)
    others = [
        stranger.headers(order[0], paypal.webhook_id, paypal.address, order[1]["paypal-transmission-time"]),
        paypal.signer.headers(order[0], "ANOTHER", paypal.address, order[1]["paypal-transmission-time"]),
        card[1],
    ]
    half = FORGERIES // 2
    forged = [(STRIPE, message) for message in forgeries_of(card, STRIPE_FORGERIES, [order[1]], half, pick)]
    forged += [(PAYPAL, message) for message in forgeries_of(order, PAYPAL_FORGERIES, others, half, pick)]
    pick.shuffle(forged)
    before = fingerprint()
    with connection.cursor() as cursor:
        # Nothing of a forgery reaches the database, so that the test's own transaction is idle for long.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")

    answers = [send(path, message) for path, message in forged]
    process_due_messages()

    assert len(answers) == FORGERIES
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "bad_signature")}
    assert fingerprint() == before
    # Nobody but PayPal itself was asked for a certificate.
    assert set(paypal.troubles.paths("certs")) <= {f"/v1/notifications/certs/{paypal.signer.name}"}


def test_a_forgery_that_the_signature_lets_pass_settles_nothing(paypal: FakePayPal) -> None:
    """The signature covers a CRC32 only: with the headers of one delivery any body can be made to fit."""
    payment, mine = paypal_payment(paypal), paid_by_paypal(paypal)
    told = paypal.events("PAYMENT.CAPTURE.COMPLETED")[0]
    body, headers = paypal.signed(told)
    # Somebody else's payment is said to be taken, in an event of its own.
    charge_request = {**told, "id": "WH-FORGED", "resource": {**told["resource"], "custom_id": str(payment.uuid)}}
    charge_request["resource"]["supplementary_data"] = {"related_ids": {"order_id": payment.gateway_object_id}}
    forged = with_crc(json.dumps(charge_request).encode(), crc32(body))
    before = books(payment), books(mine)

    answer = send(PAYPAL, (forged, headers))
    process_due_messages()

    assert answer.status_code == 200
    assert WebhookEvent.objects.get().event_id == "WH-FORGED"
    assert (books(payment), books(mine)) == before
    assert Payment.objects.get(pk=payment.pk).status == "pending"


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("PAYMENT.CAPTURE.REFUNDED", {"id": "REFUND1234567", "status": "COMPLETED"}),
        ("PAYMENT.CAPTURE.REVERSED", {"id": "REFUND1234567", "status": "COMPLETED"}),
        ("PAYMENT.CAPTURE.DENIED", {"status": "DECLINED"}),
    ],
)
def test_a_forged_loss_takes_nothing_back(paypal: FakePayPal, kind: str, resource: dict[str, Any]) -> None:
    payment = paid_by_paypal(paypal)
    told = paypal.events("PAYMENT.CAPTURE.COMPLETED")[0]
    process_message(stored("paypal", paypal.signed(told)))
    body, headers = paypal.signed(told)
    up = [{"rel": "up", "href": f"{paypal.address}/v2/payments/captures/{told['resource']['id']}"}]
    charge_request = {
        **told,
        "id": "WH-FORGED",
        "event_type": kind,
        "resource": {**told["resource"], "links": up, **resource},
    }
    charge_request["resource_type"] = "refund" if "REFUND" in resource.get("id", "") else "capture"
    before = books(payment)

    send(PAYPAL, (with_crc(json.dumps(charge_request).encode(), crc32(body)), headers))
    process_due_messages()

    assert WebhookEvent.objects.get(event_id="WH-FORGED").state == "processed"
    assert books(payment) == before
    assert before["payment"] == "succeeded"


def test_a_set_of_headers_serves_for_one_message_only(paypal: FakePayPal, caplog: pytest.LogCaptureFixture) -> None:
    paid_by_paypal(paypal)
    told = paypal.events("PAYMENT.CAPTURE.COMPLETED")[0]
    body, headers = paypal.signed(told)
    send(PAYPAL, (body, headers))
    before = fingerprint()

    answer = send(PAYPAL, (with_crc(json.dumps({**told, "id": "WH-FORGED"}).encode(), crc32(body)), headers))

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert any(record.levelname == "ERROR" and "forged" in record.getMessage() for record in caplog.records)
    assert fingerprint() == before


# --- Genuine messages about the wrong thing -------------------------------------------------------------------------


def test_money_at_one_gateway_settles_no_payment_of_the_other(stripe: FakeStripe, paypal: FakePayPal) -> None:
    card, order = card_payment(stripe), paypal_payment(paypal)
    before = books(card), books(order)
    # At each gateway somebody pays in the name of the other one's payment.
    intent = stripe.create_payment_intent(
        {"amount": 8900, "currency": "usd", "metadata": {"payment_id": str(order.uuid)}}
    )
    stripe.pay_in_browser(intent["client_secret"])
    unit = {"custom_id": str(card.uuid), "amount": {"currency_code": "USD", "value": "89.00"}}
    _, made = paypal.create_order({"intent": "CAPTURE", "purchase_units": [unit]}, "stranger")
    paypal.approve(made["id"])
    paypal.capture_order(made["id"], {}, "stranger-capture")

    stored("stripe", stripe.signed(stripe.events("payment_intent.succeeded")[-1], SECRET))
    stored("paypal", paypal.signed(paypal.events("PAYMENT.CAPTURE.COMPLETED")[-1]))
    for _ in range(MOST_TRIES):
        process_due_messages()
        due_again()

    assert (books(card), books(order)) == before
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"dead"}


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(8899, "usd"), (8901, "usd"), (8900, "eur"), (8900, "usd")],
    ids=["a cent less", "a cent more", "other currency", "another customer"],
)
def test_money_that_does_not_fit_settles_nothing_and_waits_for_an_operator(
    stripe: FakeStripe, amount: int, currency: str
) -> None:
    payment = card_payment(stripe)
    other = card_payment(stripe)
    customer = other if currency == "usd" and amount == 8900 else payment
    intent = stripe.create_payment_intent(
        {
            "amount": amount,
            "currency": currency,
            "customer": customer.account.stripe_customer_id,
            "metadata": {"payment_id": str(payment.uuid)},
        }
    )
    stripe.pay_in_browser(intent["client_secret"])

    process_message(stored("stripe", stripe.signed(stripe.events("payment_intent.succeeded")[-1], SECRET)))

    payment.refresh_from_db()
    assert (payment.status, payment.needs_review) == ("pending", True)
    assert books(payment)["invoice"] == "pending"
    assert books(payment)["credits"] == 0
    assert books(other)["payment"] == "pending"


def test_a_message_at_the_door_of_the_other_gateway_is_refused(stripe: FakeStripe, paypal: FakePayPal) -> None:
    paid_by_card(stripe)
    paid_by_paypal(paypal)
    card = stripe.signed(stripe.events("payment_intent.succeeded")[0], SECRET)
    order = paypal.signed(paypal.events("PAYMENT.CAPTURE.COMPLETED")[0])

    assert [send(PAYPAL, card).status_code, send(STRIPE, order).status_code] == [400, 400]
    assert not WebhookEvent.objects.exists()
