"""StripeGateway: collecting money, from the first try to whatever became of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import stripe
import time_machine

from fake_gateways.stripe_transport import FakeStripeTransport
from igny8_core.business.billing.gateways.protocol import (
    Charge,
    ChargeState,
    Declined,
    Gateway,
    Misconfigured,
    Unavailable,
    UnknownObject,
)
from tests.gateways.stripe_cast import SETTINGS, Shop


def test_the_adapter_is_a_gateway_that_does_not_phone_home() -> None:
    gateway: Gateway = Shop().gateway

    assert (gateway.name, gateway.live) == ("stripe", False)
    assert stripe.enable_telemetry is False


def test_a_payment_waits_for_the_customer_and_then_succeeds() -> None:
    shop = Shop()

    charge = shop.gateway.start(shop.order(metadata={"invoice_id": "7"}))
    shop.fake.pay_in_browser(charge.client_secret)
    paid = shop.gateway.complete(charge.object_id, "payment-1")

    assert (charge.state, charge.amount, charge.reference) == (
        ChargeState.AWAITING_CUSTOMER,
        Decimal("12.34"),
        "payment-1",
    )
    assert (paid.state, paid.amount, paid.currency) == (ChargeState.SUCCEEDED, Decimal("12.34"), "USD")
    assert paid.capture_id.startswith("ch_")
    assert paid.customer_id == shop.customer_id
    held = shop.fake.one(charge.object_id)
    assert held["metadata"] == {"payment_id": "payment-1", "invoice_id": "7"}
    assert (held["description"], held["payment_method_types"]) == ("INV-1", ["card"])


def test_our_reference_wins_over_metadata_of_the_same_name() -> None:
    shop = Shop()

    charge = shop.gateway.start(shop.order(metadata={"payment_id": "somebody else's"}))

    assert charge.reference == "payment-1"


def test_a_saved_card_is_charged_at_once_without_the_customer() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id)

    charge = shop.pay(card=card_id, off_session=True)

    assert (charge.state, charge.payment_method_id, charge.live) == (ChargeState.SUCCEEDED, card_id, False)
    assert charge.created_at is not None
    assert abs(datetime.now(UTC) - charge.created_at) < timedelta(seconds=5)


def test_a_payment_can_save_its_card() -> None:
    shop = Shop()

    charge = shop.gateway.start(shop.order(save_card=True))
    shop.fake.pay_in_browser(charge.client_secret, "pm_card_mastercard")

    assert [method["card"]["brand"] for method in shop.saved_cards()] == ["mastercard"]


def test_the_bank_may_want_the_customer_to_prove_who_they_are() -> None:
    shop = Shop()

    asked = shop.pay(card="pm_card_authenticationRequired", return_url="https://shop.example/back")
    action = shop.fake.one(asked.object_id)["next_action"]
    shop.fake.authenticate(asked.object_id)

    assert action["redirect_to_url"]["return_url"] == "https://shop.example/back"
    assert asked.state is ChargeState.REQUIRES_ACTION
    assert asked.client_secret
    assert shop.gateway.fetch(asked.object_id).state is ChargeState.SUCCEEDED


def test_a_customer_who_fails_to_prove_it_is_declined_and_may_try_again() -> None:
    shop = Shop()
    asked = shop.pay(card="pm_card_authenticationRequired")

    shop.fake.fail_authentication(asked.object_id)

    failed = shop.gateway.fetch(asked.object_id)
    assert (failed.state, failed.failure_code) == (ChargeState.DECLINED, "payment_intent_authentication_failure")
    assert "not confirmed" in failed.failure_text
    shop.fake.pay_in_browser(asked.client_secret)
    paid = shop.gateway.fetch(asked.object_id)
    assert (paid.state, paid.failure_code) == (ChargeState.SUCCEEDED, "")


def test_without_the_customer_a_bank_that_wants_them_declines() -> None:
    shop = Shop()
    card_id = shop.fake.save_card(shop.customer_id, "pm_card_authenticationRequired")

    with pytest.raises(Declined) as refused:
        shop.pay(card=card_id, off_session=True)

    charge = refused.value.charge
    assert refused.value.code == "authentication_required"
    assert charge is not None
    assert (charge.state, charge.payment_method_id, charge.capture_id) == (ChargeState.DECLINED, card_id, "")
    assert shop.fake.charges_count() == 0


@pytest.mark.parametrize(
    ("card", "code", "said"),
    [
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "not enough money"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "security code"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "in a few minutes"),
        ("pm_card_chargeDeclined", "generic_decline", "bank declined"),
        ("pm_card_chargeDeclinedLostCard", "generic_decline", "bank declined"),
        ("pm_card_chargeDeclinedStolenCard", "generic_decline", "bank declined"),
        ("pm_card_chargeDeclinedFraudulent", "generic_decline", "bank declined"),
    ],
)
def test_a_declined_card_says_what_helps_the_customer_and_hides_suspicions(card: str, code: str, said: str) -> None:
    shop = Shop()

    with pytest.raises(Declined, match=said) as refused:
        shop.pay(card=card)

    assert refused.value.code == code
    assert refused.value.charge is not None
    assert refused.value.charge.failure_code == code
    assert refused.value.request_id.startswith("req_")
    assert shop.gateway.fetch(refused.value.charge.object_id).failure_text == refused.value.text


def test_another_customers_card_is_refused() -> None:
    shop = Shop()
    stranger = shop.gateway.create_customer("account-2", "bob@example.com", "Bob")
    card_id = shop.fake.save_card(stranger)

    with pytest.raises(Declined) as refused:
        shop.pay(card=card_id)

    assert refused.value.code == "payment_method_unusable"
    assert shop.fake.charges_count() == 0


def test_an_unknown_customer_is_our_mistake() -> None:
    shop = Shop()

    with pytest.raises(Misconfigured):
        shop.gateway.start(shop.order(customer_id="cus_nobody"))


def test_a_charge_that_stripe_still_thinks_about_is_processing() -> None:
    shop = Shop()
    shop.fake.leave_processing()

    charge = shop.pay()
    shop.fake.finish_processing(charge.object_id, declines="insufficient_funds")

    assert charge.state is ChargeState.PROCESSING
    assert shop.gateway.fetch(charge.object_id).state is ChargeState.DECLINED


def test_a_lost_answer_is_asked_for_again_and_charges_once() -> None:
    shop = Shop()
    shop.fake.lose_next_answers(2, method="POST")

    charge = shop.pay()

    assert charge.state is ChargeState.SUCCEEDED
    keys = [asked.idempotency_key for asked in shop.fake.requests("POST", "/v1/payment_intents")]
    assert keys == ["pay:payment-1:create"] * 3
    assert shop.fake.charges_count("payment-1") == 1


def test_after_an_unknown_outcome_the_same_order_gets_the_same_charge() -> None:
    shop = Shop()
    shop.fake.lose_next_answers(3, method="POST")

    with pytest.raises(Unavailable) as lost:
        shop.pay()
    charge = shop.pay()

    assert lost.value.may_have_happened
    assert charge.state is ChargeState.SUCCEEDED
    assert shop.fake.charges_count() == 1


def test_a_decline_whose_answer_was_lost_stays_a_decline() -> None:
    shop = Shop()
    shop.fake.lose_next_answers(3, method="POST")

    with pytest.raises(Unavailable):
        shop.pay(card="pm_card_chargeDeclined")
    with pytest.raises(Declined):
        shop.pay(card="pm_card_chargeDeclined")

    assert len(shop.fake.all("charge")) == 1


def test_starting_again_tells_what_the_attempt_has_become_since() -> None:
    shop = Shop()
    asked = shop.pay(card="pm_card_authenticationRequired")
    with pytest.raises(Declined) as refused:
        shop.pay("payment-2", card="pm_card_chargeDeclined")
    assert refused.value.charge is not None

    shop.fake.authenticate(asked.object_id)
    shop.fake.pay_in_browser(refused.value.charge.client_secret)

    assert shop.pay(card="pm_card_authenticationRequired").state is ChargeState.SUCCEEDED
    assert shop.pay("payment-2", card="pm_card_chargeDeclined").state is ChargeState.SUCCEEDED
    assert shop.fake.charges_count() == 2


def test_another_order_under_the_same_reference_finds_the_first_one() -> None:
    shop = Shop()
    first = shop.pay()

    again = shop.gateway.start(shop.order(amount="99.00", payment_method_id="pm_card_visa"))

    assert (again.object_id, again.amount) == (first.object_id, Decimal("12.34"))
    assert shop.fake.charges_count() == 1


def test_another_order_under_a_reference_that_began_nothing_is_our_mistake() -> None:
    shop = Shop()
    with pytest.raises(Misconfigured):
        shop.gateway.start(shop.order(customer_id="cus_nobody"))

    with pytest.raises(Misconfigured, match="idempotency_error"):
        shop.gateway.start(shop.order())


def test_completing_confirms_what_only_waits_for_that() -> None:
    shop = Shop()
    client = stripe.StripeClient(SETTINGS.secret_key, http_client=FakeStripeTransport(shop.fake))
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"})

    waiting = shop.gateway.fetch(intent.id)
    done = shop.gateway.complete(intent.id, "payment-9")

    assert (waiting.state, waiting.raw_status) == (ChargeState.AWAITING_CUSTOMER, "requires_confirmation")
    assert done.state is ChargeState.SUCCEEDED
    assert shop.gateway.complete(intent.id, "payment-9").object_id == done.object_id
    assert shop.fake.charges_count() == 1


def test_completing_what_somebody_else_completes_meanwhile_charges_once() -> None:
    shop = Shop()
    client = stripe.StripeClient(SETTINGS.secret_key, http_client=FakeStripeTransport(shop.fake))
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd", "payment_method": "pm_card_visa"})
    held = shop.fake.hold_back_next(method="GET")

    with ThreadPoolExecutor(1) as thread:
        late = thread.submit(shop.gateway.complete, intent.id, "payment-9")
        assert held.has_arrived.wait(60)
        client.v1.payment_intents.confirm(intent.id)
        held.release()

        assert late.result().state is ChargeState.SUCCEEDED
    assert shop.fake.charges_count() == 1


def test_an_attempt_is_found_by_its_reference_near_its_time() -> None:
    shop = Shop()
    order, now = shop.order(), datetime.now(UTC)
    assert shop.gateway.find(order, now) is None

    with time_machine.travel(now - timedelta(days=3)):
        shop.pay("too old")
    for number in range(120):
        shop.gateway.start(shop.order(f"other-{number}"))
    begun = shop.pay()

    found = shop.gateway.find(order, now)
    assert found is not None
    assert found.object_id == begun.object_id
    assert found.capture_id == begun.capture_id
    assert shop.gateway.find(shop.order("too old"), now) is None
    assert shop.gateway.find(shop.order(customer_id=""), now) == found


def test_of_two_attempts_under_one_reference_the_paid_one_is_found() -> None:
    shop = Shop()
    now = datetime.now(UTC)
    with time_machine.travel(now - timedelta(hours=25)):
        paid = shop.pay()
    with time_machine.travel(now - timedelta(minutes=1)):
        shop.gateway.start(shop.order())  # A day later the key is forgotten.

    found = shop.gateway.find(shop.order(), now - timedelta(hours=20))

    assert found is not None
    assert found.object_id == paid.object_id


def test_recent_attempts_come_page_by_page() -> None:
    shop = Shop()
    began = datetime.now(UTC) - timedelta(seconds=1)
    with time_machine.travel(began - timedelta(days=1)):
        shop.gateway.start(shop.order("yesterday"))
    references = [f"payment-{number}" for number in range(101)]
    for reference in references:
        shop.gateway.start(shop.order(reference))

    found = list(shop.gateway.recent(began))

    assert [charge.reference for charge in found] == references[::-1]


def test_an_attempt_can_be_ended_until_it_has_succeeded() -> None:
    shop = Shop()
    waiting, paid = shop.gateway.start(shop.order("waiting")), shop.pay("paid")

    assert shop.gateway.cancel(waiting.object_id).state is ChargeState.CANCELED
    assert shop.gateway.cancel(waiting.object_id).state is ChargeState.CANCELED
    assert shop.gateway.cancel(paid.object_id).state is ChargeState.SUCCEEDED


def test_a_charge_leads_to_its_attempt() -> None:
    shop = Shop()
    charge = shop.pay()

    assert shop.gateway.charge_of_capture(charge.capture_id) == charge


@pytest.mark.parametrize("object_id", ["pi_nobody", "", "../v1/customers"])
def test_what_stripe_does_not_have_is_unknown(object_id: str) -> None:
    gateway = Shop().gateway

    for ask in (gateway.fetch, gateway.cancel, gateway.charge_of_capture, gateway.card, gateway.card_setup):
        with pytest.raises(UnknownObject):
            ask(object_id)
    for look in (gateway.refund_with_id, gateway.dispute, gateway.subscription, gateway.invoice):
        with pytest.raises(UnknownObject):
            look(object_id)


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("12.34", "USD", 1234),
        ("1234", "JPY", 1234),
        ("1.230", "KWD", 1230),
        ("5000", "UGX", 500_000),
        ("700", "ISK", 70_000),
    ],
)
def test_amounts_reach_stripe_in_its_own_unit_and_come_back(amount: str, currency: str, units: int) -> None:
    shop = Shop()

    charge = shop.pay(amount=amount, currency=currency)

    held = shop.fake.one(charge.object_id)
    assert (held["amount"], held["currency"]) == (units, currency.lower())
    assert (charge.amount, charge.currency) == (Decimal(amount), currency)


def test_an_amount_that_stripe_cannot_take_is_not_sent() -> None:
    shop = Shop()

    with pytest.raises(Misconfigured) as refused:
        shop.pay(amount="1.234", currency="KWD")

    assert refused.value.code == "amount_not_expressible"
    assert shop.fake.requests("POST", "/v1/payment_intents") == []


def test_thirty_threads_share_one_adapter() -> None:
    shop = Shop()

    def pay(number: int) -> Charge:
        return shop.pay(f"payment-{number}")

    with ThreadPoolExecutor(30) as threads:
        charges = list(threads.map(pay, range(60)))

    assert [charge.reference for charge in charges] == [f"payment-{number}" for number in range(60)]
    assert shop.fake.charges_count() == 60


def test_the_key_shows_in_no_text() -> None:
    assert SETTINGS.secret_key not in repr(SETTINGS)
    assert SETTINGS.webhook_secrets[0] not in repr(SETTINGS)
