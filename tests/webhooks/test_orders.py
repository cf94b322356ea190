"""In whatever order the messages of one payment's life come, its books end the same (WHK-08)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import factorial
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Payment, WebhookEvent
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    process_due_messages,
    process_message,
    replay_message_now,
)
from tests.cases import run_rounds
from tests.webhooks.cast import SECRET, books, card_payment, due_again, events_of, paypal_payment, stored

pytestmark = pytest.mark.django_db

Event = dict[str, Any]

STRIPE_LIFE = [
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.closed",
]
PAYPAL_LIFE = [
    "CHECKOUT.ORDER.APPROVED",
    "PAYMENT.CAPTURE.COMPLETED",
    "PAYMENT.CAPTURE.REFUNDED",
    "CUSTOMER.DISPUTE.CREATED",
    "PAYMENT.CAPTURE.REVERSED",
]
# What is only said while it lasts: who hears of it later has nothing to say.
PASSING = {"payment.processing"}


def live_at_stripe(stripe: FakeStripe, payment: Payment) -> Iterator[Event]:
    """Declined, processed, taken, partly refunded, disputed, lost: the event that tells of each, once it happened."""
    intent = stripe.one(payment.gateway_object_id)
    stripe.decline_next()
    stripe.pay_in_browser(intent["client_secret"])
    yield stripe.events("payment_intent.payment_failed")[-1]
    stripe.leave_processing()
    stripe.pay_in_browser(intent["client_secret"])
    yield stripe.events("payment_intent.processing")[-1]
    stripe.finish_processing(intent["id"])
    yield stripe.events("payment_intent.succeeded")[-1]
    stripe.refund_in_dashboard(intent["id"], 3000)
    yield stripe.events("charge.refunded")[-1]
    dispute = stripe.open_dispute(intent["id"])
    yield stripe.events("charge.dispute.created")[-1]
    stripe.close_dispute(dispute["id"], won=False)
    yield stripe.events("charge.dispute.closed")[-1]


def live_at_paypal(paypal: FakePayPal, payment: Payment) -> Iterator[Event]:
    """Approved, taken, partly refunded, disputed, lost and so reversed."""
    paypal.approve(payment.gateway_object_id)
    yield paypal.events("CHECKOUT.ORDER.APPROVED")[-1]
    # As our own page does, when the customer is back before PayPal's message.
    paypal.capture_order(payment.gateway_object_id, {}, f"pay-{payment.uuid}-capture")
    yield paypal.events("PAYMENT.CAPTURE.COMPLETED")[-1]
    (capture,) = paypal.captures_with(str(payment.uuid))
    paypal.refund_in_dashboard(capture.id, Decimal(30))
    yield paypal.events("PAYMENT.CAPTURE.REFUNDED")[-1]
    dispute_id = paypal.open_dispute(capture.id)
    yield paypal.events("CUSTOMER.DISPUTE.CREATED")[-1]
    paypal.close_dispute(dispute_id)
    yield paypal.events("PAYMENT.CAPTURE.REVERSED")[-1]


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block writes. By hand, because services refuse to ask a gateway in a block of Django's."""
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT life")
        yield
        cursor.execute("ROLLBACK TO SAVEPOINT life")
        cursor.execute("RELEASE SAVEPOINT life")


# What differs from order to order and decides nothing: numbers of rows, times, and what was told of them.
BY_CHANCE = (models.AutoField, models.UUIDField, models.DateTimeField, models.JSONField, models.ForeignKey)
OF_EVENTS = {"object_id", "request_id"}


def rows_of_all() -> str:
    """A digest of every row of ours, but for what differs by chance."""
    digests = []
    for model in apps.get_models():
        meta = model._meta
        if meta.app_label in {"igny8_auth", "billing", "events"}:
            kept = [each.column for each in meta.concrete_fields if not isinstance(each, BY_CHANCE)]
            row = f"row({', '.join(f'r.{column}' for column in kept if column not in OF_EVENTS)})::text"
            digests.append(f"SELECT coalesce(string_agg({row}, '|' ORDER BY {row}), '') FROM {meta.db_table} r")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT md5(string_agg(rows, '/')) FROM ({' UNION ALL '.join(digests)}) each(rows)")
        (digest,) = cursor.fetchone()
        return str(digest)


# Messages in an order, and the books after the last of them with what was told of the payment.
End = tuple[tuple[str, ...], tuple[dict[str, Any], list[str]]]


def ends_of(payment: Payment, left: list[WebhookEvent], known: dict[str, list[End]]) -> list[End]:
    """Process the messages in every order.

    Orders that begin alike share their beginning. Those that have brought the database to the same rows, which say
    also what is left, go on alike from there, so they go on once: `known` has where that ended.
    """
    if not left:
        return [((), (books(payment), [kind for kind in events_of(payment) if kind not in PASSING]))]
    here = rows_of_all()
    if here not in known:
        known[here] = []
        for event in left:
            with undone():
                done = process_message(event)
                assert done.state == "processed", done.last_error
                rest = ends_of(payment, [other for other in left if other != event], known)
            known[here] += [((f"{event.type} {event.event_id}", *order), end) for order, end in rest]
    return known[here]


def assert_all_end_as(expected: dict[str, Any], payment: Payment, events: list[WebhookEvent]) -> None:
    ends = ends_of(payment, events, {})
    _, first = ends[0]
    assert [(order, end) for order, end in ends if end != first] == []
    assert len({order for order, _ in ends}) == factorial(len(events))
    assert {name: first[0][name] for name in expected} == expected


@pytest.mark.stress
def test_all_720_orders_of_a_card_payment_s_life_end_the_same(stripe: FakeStripe) -> None:
    payment = card_payment(stripe)
    told = list(live_at_stripe(stripe, payment))
    events = [stored("stripe", stripe.signed(event, SECRET)) for event in told]
    assert [event.type for event in events] == STRIPE_LIFE

    expected = {
        "payment": "refunded",
        "refunded": "89.00",
        "review": "",
        "invoice": "paid",
        "credits": 0,
        "grants": 1,
    }
    assert_all_end_as(expected, payment, events)

    for event in random.Random(4).sample(events, len(events)):
        process_message(event)
    end = books(payment)
    assert [dispute[1] for dispute in end["disputes"]] == ["lost"]
    assert [str(note[0]) for note in end["notes"]] == ["30.00", "59.00"]
    assert broken_invariants() == []


@pytest.mark.stress
def test_all_120_orders_of_a_paypal_payment_s_life_end_the_same(paypal: FakePayPal) -> None:
    payment = paypal_payment(paypal)
    told = list(live_at_paypal(paypal, payment))
    events = [stored("paypal", paypal.signed(event)) for event in told]
    assert [event.type for event in events] == PAYPAL_LIFE

    expected = {"payment": "refunded", "refunded": "89.00", "review": "", "invoice": "paid", "credits": 0, "grants": 1}
    assert_all_end_as(expected, payment, events)
    assert len(paypal.captures_with(str(payment.uuid))) == 1


@pytest.mark.stress
def test_two_disputes_of_a_payment_end_the_same_in_all_orders_and_told_twice(stripe: FakeStripe) -> None:
    payment = card_payment(stripe)
    stripe.pay_in_browser(stripe.one(payment.gateway_object_id)["client_secret"])
    lost, won = sorted(stripe.open_dispute(payment.gateway_object_id, cents)["id"] for cents in (2000, 2000))
    stripe.close_dispute(lost, won=False)
    stripe.close_dispute(won, won=True)
    told = stripe.events("charge.dispute.created") + stripe.events("charge.dispute.closed")
    events = [stored("stripe", stripe.signed(event, SECRET)) for event in told]

    disputes = [(lost, "lost", Decimal("20.00")), (won, "won", Decimal("20.00"))]
    expected = {"payment": "disputed", "refunded": "20.00", "review": "", "disputes": disputes, "credits": 776}
    assert_all_end_as(expected, payment, events)

    for event in [*events, *reversed(events)]:
        process_message(event)
        replay_message_now(event)
    assert {name: books(payment)[name] for name in expected} == expected
    assert [kind for kind in events_of(payment) if "dispute" in kind] == [
        "payment.dispute_lost",
        "payment.dispute_won",
        "payment.disputed",
        "payment.disputed",
    ]
    assert broken_invariants() == []


@run_rounds(12, 25)
def test_messages_that_come_while_the_life_goes_on_end_it_the_same(stripe: FakeStripe, rounds: int) -> None:
    pick = random.Random(20261125)
    ends = []
    for _ in range(rounds):
        payment = card_payment(stripe)
        waiting: list[Event] = []
        for event in live_at_stripe(stripe, payment):
            waiting.append(event)
            pick.shuffle(waiting)
            for _ in range(pick.randint(0, len(waiting))):
                process_message(stored("stripe", stripe.signed(waiting.pop(), SECRET)))
        for event in waiting:
            process_message(stored("stripe", stripe.signed(event, SECRET)))
        end = books(payment)
        assert [dispute[1] for dispute in end.pop("disputes")] == ["lost"]
        del end["ids"]
        end["refunds"] = [refund[1:] for refund in end["refunds"]]
        ends.append((end, [kind for kind in events_of(payment) if kind not in PASSING]))

    assert all(end == ends[0] for end in ends)
    assert ends[0][0]["payment"] == "refunded"
    assert broken_invariants() == []


def test_the_same_in_stripe_s_old_shapes(stripe: FakeStripe) -> None:
    ends = []
    for shape in ("endive", "2022-11-15"):
        payment = card_payment(stripe)
        for event in reversed(list(live_at_stripe(stripe, payment))):
            done = process_message(stored("stripe", stripe.signed(event, SECRET, shape=shape)))
            assert done.state == "processed"
        ends.append((books(payment)["payment"], books(payment)["refunded"], events_of(payment)))

    assert ends[0] == ends[1]


def test_every_message_twice_and_backwards_changes_nothing_more(stripe: FakeStripe, paypal: FakePayPal) -> None:
    card, order = card_payment(stripe), paypal_payment(paypal)
    events = [stored("stripe", stripe.signed(event, SECRET)) for event in live_at_stripe(stripe, card)]
    events += [stored("paypal", paypal.signed(event)) for event in live_at_paypal(paypal, order)]
    process_due_messages()
    before = books(card), books(order), events_of(card), events_of(order)

    for event in [*events, *reversed(events)]:
        replay_message_now(event)
    due_again()
    process_due_messages()

    assert (books(card), books(order), events_of(card), events_of(order)) == before
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"processed"}
