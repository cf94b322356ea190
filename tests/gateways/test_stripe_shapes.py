"""Stripe's objects in the shape of our version and in those of older ones."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from igny8_core.business.billing.gateways.protocol import ChargeState, RefundState
from igny8_core.business.billing.gateways.stripe import mappers

START, END, LATER = 1_767_225_600, 1_769_904_000, 1_772_323_200  # The first days of January, February, March 2026.

SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1",
    "object": "subscription",
    "status": "active",
    "customer": "cus_1",
    "livemode": False,
    "metadata": {"account_id": "7"},
    "canceled_at": None,
    "ended_at": None,
    "cancel_at": None,
    "cancel_at_period_end": False,
}
NEW_ITEM = {"id": "si_1", "price": {"id": "price_1"}, "current_period_start": START, "current_period_end": END}
NEW_SUBSCRIPTION = {**SUBSCRIPTION, "items": {"data": [NEW_ITEM]}}
OLD_SUBSCRIPTION = {
    **SUBSCRIPTION,
    "items": {"data": [{"id": "si_1", "plan": {"id": "price_1"}}]},
    "plan": {"id": "price_1"},
    "current_period_start": START,
    "current_period_end": END,
}

INVOICE: dict[str, Any] = {
    "id": "in_1",
    "object": "invoice",
    "status": "paid",
    "customer": {"id": "cus_1", "object": "customer"},
    "currency": "eur",
    "amount_due": 1900,
    "amount_paid": 1900,
    "livemode": True,
    "description": None,
    "period_start": START - 1,
    "period_end": START,
}
LINE: dict[str, Any] = {"id": "il_1", "description": "1 × Pro", "period": {"start": START, "end": END}}
CHANGE: dict[str, Any] = {"id": "il_0", "description": "Unused time", "period": {"start": START - 9, "end": START}}
NEW_INVOICE = {
    **INVOICE,
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
    "lines": {
        "data": [
            {**CHANGE, "parent": {"invoice_item_details": {"proration": True}}},
            {**LINE, "parent": {"subscription_item_details": {"proration": False}}},
        ]
    },
    "payments": {
        "data": [
            {"status": "canceled", "is_default": True, "payment": {"payment_intent": "pi_0"}},
            {
                "status": "paid",
                "payment": {"type": "payment_intent", "payment_intent": {"id": "pi_1"}, "charge": "ch_1"},
            },
        ]
    },
}
OLD_INVOICE = {
    **INVOICE,
    "subscription": {"id": "sub_1", "object": "subscription"},
    "paid": True,
    "payment_intent": "pi_1",
    "charge": "ch_1",
    "lines": {"data": [{**CHANGE, "proration": True}, {**LINE, "proration": False}]},
}

INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "status": "succeeded",
    "amount": 1234,
    "amount_received": 1200,
    "currency": "usd",
    "customer": None,
    "livemode": False,
    "metadata": {"payment_id": "payment-1"},
    "last_payment_error": None,
}
CHARGE = {"id": "ch_1", "object": "charge", "amount_refunded": 200, "disputed": True}


def utc(month: int) -> datetime:
    return datetime(2026, month, 1, tzinfo=UTC)


@pytest.mark.parametrize("shape", [NEW_SUBSCRIPTION, OLD_SUBSCRIPTION])
def test_a_subscription_reads_the_same_in_both_shapes(shape: dict[str, Any]) -> None:
    subscription = mappers.subscription_of(shape)

    assert (subscription.subscription_id, subscription.customer_id, subscription.price_id) == (
        "sub_1",
        "cus_1",
        "price_1",
    )
    assert (subscription.period_start, subscription.period_end) == (utc(1), utc(2))
    assert (subscription.status, subscription.live, subscription.is_cancel_scheduled) == ("active", False, False)
    assert subscription.metadata == {"account_id": "7"}


def test_the_period_is_what_all_items_have_in_common() -> None:
    yearly = {**NEW_ITEM, "current_period_start": START - 5, "current_period_end": LATER}

    subscription = mappers.subscription_of({**SUBSCRIPTION, "items": {"data": [NEW_ITEM, yearly]}})

    assert (subscription.period_start, subscription.period_end) == (utc(1), utc(2))


@pytest.mark.parametrize("how", [{"cancel_at_period_end": True}, {"cancel_at": END}])
def test_both_ways_to_schedule_a_cancellation_count(how: dict[str, Any]) -> None:
    assert mappers.subscription_of({**NEW_SUBSCRIPTION, **how}).is_cancel_scheduled
    assert not mappers.subscription_of({**NEW_SUBSCRIPTION, **how, "ended_at": END}).is_cancel_scheduled


@pytest.mark.parametrize("shape", [NEW_INVOICE, OLD_INVOICE])
def test_an_invoice_reads_the_same_in_both_shapes(shape: dict[str, Any]) -> None:
    invoice = mappers.invoice_of(shape)

    assert (invoice.invoice_id, invoice.subscription_id, invoice.customer_id) == ("in_1", "sub_1", "cus_1")
    assert (invoice.payment_intent_id, invoice.charge_id) == ("pi_1", "ch_1")
    assert (invoice.amount_paid, invoice.amount_due, invoice.currency) == (Decimal(19), Decimal(19), "EUR")
    assert (invoice.description, invoice.status, invoice.live) == ("1 × Pro", "paid", True)
    assert (invoice.period_start, invoice.period_end) == (utc(1), utc(2))


def test_an_invoice_without_lines_or_payments_is_still_read() -> None:
    invoice = mappers.invoice_of(INVOICE)

    assert (invoice.subscription_id, invoice.payment_intent_id, invoice.description) == ("", "", "")
    assert (invoice.period_start, invoice.period_end) == (None, None)


def test_an_invoice_of_changes_only_covers_their_time() -> None:
    line = {**CHANGE, "proration": True, "period": {"start": START, "end": END}}

    assert mappers.invoice_of({**INVOICE, "lines": {"data": [line]}}).period_end == utc(2)


@pytest.mark.parametrize("held", [{"latest_charge": CHARGE}, {"charges": {"data": [CHARGE]}}])
def test_a_payment_reads_the_same_in_both_shapes(held: dict[str, Any]) -> None:
    charge = mappers.charge_of({**INTENT, **held})

    assert (charge.capture_id, charge.refunded, charge.is_disputed) == ("ch_1", Decimal(2), True)
    assert (charge.amount, charge.reference) == (Decimal(12), "payment-1")


def test_a_charge_that_is_an_id_is_enough() -> None:
    charge = mappers.charge_of({**INTENT, "latest_charge": "ch_1"})

    assert (charge.capture_id, charge.refunded) == ("ch_1", Decimal(0))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requires_payment_method", ChargeState.AWAITING_CUSTOMER),
        ("requires_confirmation", ChargeState.AWAITING_CUSTOMER),
        ("requires_action", ChargeState.REQUIRES_ACTION),
        ("processing", ChargeState.PROCESSING),
        ("requires_capture", ChargeState.PROCESSING),
        ("succeeded", ChargeState.SUCCEEDED),
        ("canceled", ChargeState.CANCELED),
        ("something_new", ChargeState.UNKNOWN),
    ],
)
def test_every_status_of_a_payment_has_its_state(status: str, state: ChargeState) -> None:
    charge = mappers.charge_of({**INTENT, "status": status})

    assert (charge.state, charge.raw_status) == (state, status)
    assert charge.amount == (Decimal(12) if state is ChargeState.SUCCEEDED else Decimal("12.34"))


def test_a_failed_try_makes_a_payment_declined_until_the_next() -> None:
    error = {"code": "card_declined", "decline_code": "insufficient_funds", "payment_method": {"id": "pm_1"}}

    failed = mappers.charge_of({**INTENT, "status": "requires_payment_method", "last_payment_error": error})
    next_try = mappers.charge_of({**INTENT, "status": "requires_action", "last_payment_error": error})

    assert (failed.state, failed.failure_code) == (ChargeState.DECLINED, "insufficient_funds")
    assert (failed.payment_method_id, failed.capture_id) == ("pm_1", "")
    assert next_try.state is ChargeState.REQUIRES_ACTION


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", RefundState.PENDING),
        ("requires_action", RefundState.PENDING),
        ("succeeded", RefundState.SUCCEEDED),
        ("failed", RefundState.FAILED),
        ("canceled", RefundState.CANCELED),
        ("something_new", RefundState.PENDING),
        (None, RefundState.PENDING),
    ],
)
def test_every_status_of_a_refund_has_its_state(status: str | None, state: RefundState) -> None:
    refund = mappers.refund_of({"id": "re_1", "status": status, "amount": 100, "currency": "usd", "metadata": None})

    assert (refund.state, refund.reference) == (state, "")


@pytest.mark.parametrize(
    ("status", "state", "outcome"),
    [
        ("needs_response", "open", ""),
        ("appeal_under_review", "open", ""),
        ("something_new", "open", ""),
        ("won", "won", "won"),
        ("warning_closed", "closed", "warning_closed"),
        ("prevented", "closed", "prevented"),
        ("lost", "lost", "lost"),
    ],
)
def test_a_dispute_is_over_by_four_words_only(status: str, state: str, outcome: str) -> None:
    told = {"id": "du_1", "status": status, "amount": 100, "currency": "usd", "created": 1767225600}

    dispute = mappers.dispute_of(told)

    assert (dispute.state, dispute.outcome, dispute.created_at) == (state, outcome, utc(1))
