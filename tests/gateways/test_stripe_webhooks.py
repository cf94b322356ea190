"""StripeGateway: whether a message is Stripe's, and what it is about."""

import json
import time
from typing import Any, Literal

import pytest
import stripe
import time_machine

from igny8_core.business.billing.gateways.protocol import BadSignature
from igny8_core.business.billing.gateways.stripe.charges import StripeGateway
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from tests.gateways.stripe_cast import OLD_SECRET, SECRET, Shop

NOW = 1_800_000_000


def message(shop: Shop, **signing: Any) -> tuple[bytes, dict[str, str]]:
    """A genuine message, signed now unless `signing` says otherwise."""
    event = shop.fake.events("customer.created")[0]
    return shop.fake.signed(event, **{"secret": SECRET, **signing})


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_each_configured_secret_signs(secret: str) -> None:
    shop = Shop()
    body, headers = message(shop, secret=secret)

    shop.gateway.verify_webhook(body, headers)


@pytest.mark.parametrize(("age", "is_taken"), [(301, False), (299, True), (0, True), (-299, True), (-301, True)])
def test_a_message_is_taken_for_five_minutes(age: int, is_taken: bool) -> None:
    shop = Shop()
    body, headers = message(shop, at=NOW - age)

    with time_machine.travel(NOW, tick=False):
        if is_taken:
            shop.gateway.verify_webhook(body, headers)
        else:
            with pytest.raises(BadSignature):
                shop.gateway.verify_webhook(body, headers)


def test_a_changed_body_is_refused() -> None:
    shop = Shop()
    body, headers = message(shop)

    with pytest.raises(BadSignature):
        shop.gateway.verify_webhook(body.replace(b"ada@", b"eve@"), headers)


def test_a_body_that_was_written_anew_is_refused() -> None:
    shop = Shop()
    body, headers = message(shop)

    with pytest.raises(BadSignature):
        shop.gateway.verify_webhook(json.dumps(json.loads(body)).encode(), headers)


@pytest.mark.parametrize("header", ["", "t=1", "v1=00", "nonsense", "t=x,v1=00", "t=1,v1=é", "t=1,v0=00", "t=,v1="])
def test_a_header_that_is_none_is_refused(header: str) -> None:
    shop = Shop()
    body, _ = message(shop)

    with pytest.raises(BadSignature):
        shop.gateway.verify_webhook(body, {"Stripe-Signature": header})


def test_without_a_header_a_message_is_refused() -> None:
    shop = Shop()

    with pytest.raises(BadSignature):
        shop.gateway.verify_webhook(message(shop)[0], {})


def test_the_name_of_the_header_may_be_in_small_letters() -> None:
    shop = Shop()
    body, headers = message(shop)

    shop.gateway.verify_webhook(body, {name.lower(): value for name, value in headers.items()})


def test_a_foreign_secret_is_refused() -> None:
    shop = Shop()

    with pytest.raises(BadSignature):
        shop.gateway.verify_webhook(*message(shop, secret="whsec_strange"))


def test_without_a_secret_nothing_is_believed() -> None:
    shop = Shop()
    gateway = StripeGateway(StripeSettings("sk_test_shop", "pk_test_shop", (), live=False))

    for secret in (SECRET, ""):
        with pytest.raises(BadSignature):
            gateway.verify_webhook(*message(shop, secret=secret))


def test_bytes_that_are_no_text_are_refused() -> None:
    signature = stripe.WebhookSignature.generate_signature_header("{}", SECRET, int(time.time()))

    with pytest.raises(BadSignature):
        Shop().gateway.verify_webhook(b"\xff{}", {"Stripe-Signature": signature})


@pytest.mark.parametrize("shape", ["endive", "2022-11-15"])
def test_every_message_names_its_objects_in_both_shapes(shape: Literal["endive", "2022-11-15"]) -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id)
    charge = shop.pay(card=card_id)
    refund = shop.gateway.refund(shop.refund_order(charge, "1.00"))
    dispute = shop.fake.open_dispute(charge.object_id)
    setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")
    shop.fake.complete_setup(setup.setup_id)
    subscription = shop.fake.make_subscription(shop.customer_id, card_id, amount=1900)
    shop.gateway.forget_card(card_id)
    money = {"payment_intent": charge.object_id, "charge": charge.capture_id}
    mine = {"customer": shop.customer_id}
    expected = {
        "payment_intent.succeeded": {**money, **mine, "payment_method": card_id},
        "charge.succeeded": {**money, **mine, "payment_method": card_id},
        "charge.refunded": {**money, **mine, "payment_method": card_id},
        "refund.created": {**money, "refund": refund.refund_id},
        "charge.dispute.created": {**money, "dispute": dispute["id"]},
        "payment_method.detached": {**mine, "payment_method": card_id},
        "setup_intent.created": {**mine, "setup_intent": setup.setup_id},
        "customer.subscription.created": {**mine, "subscription": subscription["id"]},
        "customer.created": mine,
    }

    for type_, related in expected.items():
        event = shop.fake.events(type_)[0]
        body, headers = shop.fake.signed(event, SECRET, shape)
        shop.gateway.verify_webhook(body, headers)
        read = shop.gateway.read_webhook(body)

        assert dict(read.related) == related, type_
        assert (read.event_id, read.type, read.object_id) == (event["id"], type_, event["data"]["object"]["id"])
        assert read.live is False
        assert read.created_at is not None
        assert read.api_version == ("2026-10-28.endive" if shape == "endive" else shape)


def test_a_paid_invoice_names_its_subscription_and_in_the_old_shape_its_payment() -> None:
    shop = Shop()
    subscription = shop.fake.make_subscription(shop.customer_id, shop.fake.save_card(shop.customer_id), amount=1900)
    event = shop.fake.events("invoice.paid")[0]

    new = shop.gateway.read_webhook(shop.fake.signed(event, SECRET)[0])
    old = shop.gateway.read_webhook(shop.fake.signed(event, SECRET, "2022-11-15")[0])

    named = {
        "invoice": subscription["latest_invoice"],
        "customer": shop.customer_id,
        "subscription": subscription["id"],
    }
    intent = shop.fake.events("payment_intent.succeeded")[0]["data"]["object"]
    assert dict(new.related) == named
    assert dict(old.related) == {**named, "payment_intent": intent["id"], "charge": intent["latest_charge"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"id": "evt_1", "object": "event", "type": "x"}',
        b'{"id": "evt_1", "object": "event", "type": "x", "data": null}',
        b'{"id": "evt_1", "object": "event", "type": "x", "data": {"object": []}}',
        b'{"id": "evt_1", "object": "event", "type": "x", "data": {"object": {"object": "balance"}}}',
        b'{"id": "evt_1", "object": "event", "type": null, "data": {"object": {"id": "pi_1"}}}',
        b'{"id": 7, "object": "event", "type": "x", "data": {"object": {"id": "pi_1"}}}',
        b'{"id": "evt_1", "object": "v2.core.event", "type": "x", "data": {"object": {"id": "pi_1"}}}',
    ],
)
def test_what_is_no_event_cannot_be_read(body: bytes) -> None:
    with pytest.raises(ValueError, match="The message is no"):
        Shop().gateway.read_webhook(body)


def test_an_event_of_a_kind_that_we_do_not_know_is_read() -> None:
    body = (
        b'{"id": "evt_1", "object": "event", "type": "moon.rose", "data": {"object": {"id": "m_1", "object": "moon"}}}'
    )

    read = Shop().gateway.read_webhook(body)

    assert (read.type, read.object_id, read.live, dict(read.related)) == ("moon.rose", "m_1", None, {})
