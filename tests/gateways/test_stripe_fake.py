"""The stand-in for Stripe refuses what Stripe refuses; otherwise tests against it would prove nothing."""

import re
from typing import Any

import pytest
import stripe
import time_machine

from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_parameters import Refusal
from fake_gateways.stripe_transport import FakeStripeTransport

Form = dict[str, Any]

PAYMENT: Form = {"amount": 1000, "currency": "usd"}


def client(fake: FakeStripe, **settings: Any) -> stripe.StripeClient:
    """The SDK alone, without our adapter."""
    return stripe.StripeClient("sk_test_shop", http_client=FakeStripeTransport(fake), **settings)


def create(fake: FakeStripe, key: str = "", **params: Any) -> stripe.PaymentIntent:
    options: stripe.RequestOptions = {"idempotency_key": key} if key else {}
    asked: Any = {**PAYMENT, **params}
    return client(fake).v1.payment_intents.create(asked, options)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"colour": "red"}, "colour"),
        ({"amount": "ten"}, "amount"),
        ({"amount": "10.5"}, "amount"),
        ({"amount": {"usd": 10}}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"confirm": "yes"}, "confirm"),
        ({"off_session": "always"}, "off_session"),
        ({"setup_future_usage": "never"}, "setup_future_usage"),
        ({"allowed_payment_method_types": "card"}, "allowed_payment_method_types"),
        ({"allowed_payment_method_types": ["coconuts"]}, "allowed_payment_method_types[0]"),
        ({"metadata": "text"}, "metadata"),
        ({"metadata": {"a": {"b": "c"}}}, "metadata"),
        ({"metadata": {"a": "x" * 501}}, "metadata"),
        ({"payment_method_options": {"card": {"colour": "red"}}}, "payment_method_options[card][colour]"),
        ({"payment_method_options": "card"}, "payment_method_options"),
        ({"expand": ["nothing"]}, "expand"),
        ({"off_session": True}, "off_session"),
        ({"amount": 49}, "amount"),
        ({"amount": 100_000_000}, "amount"),
        ({"amount": 1230, "currency": "ugx"}, "amount"),
        ({"amount": 1234, "currency": "kwd"}, "amount"),
        ({"customer": "cus_nobody"}, "customer"),
        ({"payment_method": "pm_nobody"}, "payment_method"),
    ],
)
def test_a_parameter_that_stripe_would_refuse_is_refused(params: Form, named: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        create(FakeStripe(), **params)

    assert refused.value.param == named


def test_the_parameter_of_older_samples_is_refused_by_its_own_code() -> None:
    fake = FakeStripe()
    old: Any = {"payment_method_types": ["card"]}

    with pytest.raises(stripe.InvalidRequestError) as payment:
        create(fake, **old)
    with pytest.raises(stripe.InvalidRequestError) as setup:
        client(fake).v1.setup_intents.create(old)

    assert payment.value.code == setup.value.code == "payment_method_types_no_longer_supported"


def test_another_version_of_the_api_is_refused() -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client(FakeStripe(), stripe_version="2022-11-15").v1.payment_intents.list()


@pytest.mark.parametrize("key", ["sk_live_shop", "pk_test_shop", "sk_test_other"])
def test_only_the_shops_own_test_key_is_taken(key: str) -> None:
    fake = FakeStripe("sk_test_shop")

    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient(key, http_client=FakeStripeTransport(fake)).v1.payment_intents.list()
    assert client(fake).v1.payment_intents.list().data == []


def test_an_address_that_it_does_not_have_is_not_found() -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client(FakeStripe()).v1.payouts.list()

    assert refused.value.http_status == 404


def test_a_key_repeats_its_answer_even_a_decline_and_refuses_other_parameters() -> None:
    fake = FakeStripe()

    first, again = create(fake, "key-1"), create(fake, "key-1")
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            create(fake, "key-2", confirm=True, payment_method="pm_card_chargeDeclined")
    with pytest.raises(stripe.IdempotencyError):
        create(fake, "key-1", amount=2000)

    assert first.id == again.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(fake.all("payment_intent")) == 2


def test_a_key_is_forgotten_after_a_day() -> None:
    fake = FakeStripe()

    with time_machine.travel("2026-01-01 12:00Z", tick=False):
        first = create(fake, "key-1")
    with time_machine.travel("2026-01-02 13:00Z", tick=False):
        second = create(fake, "key-1")

    assert first.id != second.id


def test_a_key_does_not_remember_what_was_never_begun() -> None:
    fake = FakeStripe()
    with pytest.raises(stripe.InvalidRequestError):
        create(fake, "key-1", colour="red")

    assert create(fake, "key-1").id


def test_each_use_of_a_test_cards_name_is_another_card_that_serves_once() -> None:
    fake = FakeStripe()
    first = create(fake, confirm=True, payment_method="pm_card_visa")
    second = create(fake, confirm=True, payment_method="pm_card_visa")

    assert first.payment_method != second.payment_method
    with pytest.raises(stripe.InvalidRequestError) as refused:
        create(fake, confirm=True, payment_method=first.payment_method)
    assert refused.value.param == "payment_method"


def test_a_saved_card_serves_its_owner_only() -> None:
    fake = FakeStripe()
    ada, bob = (client(fake).v1.customers.create({"name": name}).id for name in ("Ada", "Bob"))
    card_id = client(fake).v1.payment_methods.attach("pm_card_visa", {"customer": ada}).id

    for customer in ({"customer": bob}, {}):
        with pytest.raises(stripe.InvalidRequestError, match="another customer"):
            create(fake, confirm=True, payment_method=card_id, **customer)
    assert create(fake, confirm=True, payment_method=card_id, customer=ada).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError):
        client(fake).v1.payment_methods.attach(card_id, {"customer": bob})
    with pytest.raises(stripe.CardError):
        client(fake).v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": bob})


def test_a_payment_is_confirmed_once() -> None:
    fake = FakeStripe()
    paid = create(fake, confirm=True, payment_method="pm_card_visa")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client(fake).v1.payment_intents.confirm(paid.id)

    assert refused.value.code == "payment_intent_unexpected_state"
    assert fake.charges_count() == 1


def test_what_is_over_cannot_be_paid_or_completed_in_the_browser() -> None:
    fake = FakeStripe()
    paid = create(fake, confirm=True, payment_method="pm_card_visa")
    setup = client(fake).v1.setup_intents.create({"usage": "off_session"})
    fake.complete_setup(setup.id)

    for secret in (paid.client_secret, setup.client_secret):
        assert secret is not None
        with pytest.raises(Refusal, match=r"not waiting|status of succeeded"):
            fake.pay_in_browser(secret)
    with pytest.raises(KeyError):
        fake.pay_in_browser("pi_1_secret_made_up")


def test_events_tell_of_everything_in_order_also_of_what_failed() -> None:
    fake, heard = FakeStripe(), list[str]()
    fake.on_event = lambda event: heard.append(event["type"])

    create(fake, confirm=True, payment_method="pm_card_visa")
    with pytest.raises(stripe.CardError):
        create(fake, confirm=True, payment_method="pm_card_chargeDeclined")

    assert heard == [event["type"] for event in fake.events()]
    assert heard == [
        *("payment_intent.created", "charge.succeeded", "payment_intent.succeeded"),
        *("payment_intent.created", "charge.failed", "payment_intent.payment_failed"),
    ]


def test_who_hears_of_an_event_can_ask_back_at_once() -> None:
    fake, seen = FakeStripe(), list[str]()

    def look(event: Form) -> None:
        if event["type"] == "payment_intent.succeeded":
            seen.append(client(fake).v1.payment_intents.retrieve(event["data"]["object"]["id"]).status)

    fake.on_event = look
    create(fake, confirm=True, payment_method="pm_card_visa")

    assert seen == ["succeeded"]


def test_what_was_told_does_not_change_afterwards() -> None:
    fake = FakeStripe()
    intent = create(fake)
    assert intent.client_secret is not None

    fake.pay_in_browser(intent.client_secret)

    assert fake.events("payment_intent.created")[0]["data"]["object"]["status"] == "requires_payment_method"
    assert re.fullmatch(r"evt_\w+", fake.events()[0]["id"])


def test_the_next_charges_can_be_declined_whatever_the_card() -> None:
    fake = FakeStripe()
    fake.decline_next("insufficient_funds")

    with pytest.raises(stripe.CardError) as refused:
        create(fake, confirm=True, payment_method="pm_card_visa")

    assert refused.value.error is not None
    assert refused.value.error.decline_code == "insufficient_funds"
    assert create(fake, confirm=True, payment_method="pm_card_visa").status == "succeeded"
