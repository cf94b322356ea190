"""The same message many times at once, at the door and in the workers, has one effect (WHK-07)."""

from itertools import chain, repeat
from typing import Any

import pytest

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import Payment, WebhookEvent
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    process_due_messages,
    process_message,
    replay_message,
)
from tests.concurrency.race import all_at_once, kinds
from tests.webhooks.cast import (
    PAYPAL,
    SECRET,
    STRIPE,
    Message,
    books,
    card_payment,
    due_again,
    events_of,
    paypal_payment,
    send,
    states,
)
from tests.webhooks.test_orders import live_at_paypal, live_at_stripe

pytestmark = pytest.mark.usefixtures("books_balance")

# Door and workers do not look at what a message is about: the first of a payment comes that often, later ones less so.
MOST, SOME = 32, 8
as_many_copies = pytest.mark.parametrize("later", [SOME, pytest.param(MOST, marks=pytest.mark.stress)])


def delivered_at_once(path: str, message: Message, copies: int) -> WebhookEvent:
    """Send that many copies together; exactly one of them is new."""
    answers: list[Any] = all_at_once([lambda: send(path, message)] * copies)

    said = [answer.json()["message"] for answer in answers]
    assert (said.count("Stored."), said.count("Already stored.")) == (1, copies - 1)
    return WebhookEvent.objects.latest("pk")


def processed_at_once(event: WebhookEvent, copies: int) -> None:
    """Two storms: workers that take it, of whom one gets it, and workers that process it without having taken it."""
    tried = all_at_once([process_due_messages] * copies)
    assert sorted(tried) == [0] * (copies - 1) + [1]  # type: ignore[type-var]

    replay_message(event)
    outcomes = all_at_once([lambda: process_message(WebhookEvent.objects.get(pk=event.pk))] * copies)
    assert kinds(outcomes) == {"WebhookEvent": copies}
    # Who lost a race at the database, or at the gateway, tries again.
    due_again()
    process_due_messages()
    assert WebhookEvent.objects.get(pk=event.pk).state == "processed"


@as_many_copies
def test_many_copies_of_each_message_of_a_card_payment_have_one_effect(stripe: FakeStripe, later: int) -> None:
    payment = card_payment(stripe)
    seen = []

    for event, copies in zip(live_at_stripe(stripe, payment), chain([MOST], repeat(later)), strict=False):
        processed_at_once(delivered_at_once(STRIPE, stripe.signed(event, SECRET), copies), copies)
        now = books(payment)
        seen.append((now["payment"], now["refunded"], now["grants"], len(now["refunds"]), len(now["notes"])))

    assert seen == [
        ("pending", "0.00", 0, 0, 0),
        ("processing", "0.00", 0, 0, 0),
        ("succeeded", "0.00", 1, 0, 0),
        ("partially_refunded", "30.00", 1, 1, 1),
        ("disputed", "30.00", 1, 1, 1),
        ("refunded", "89.00", 1, 2, 2),
    ]
    assert events_of(payment) == [
        "payment.dispute_lost",
        "payment.disputed",
        "payment.processing",
        "payment.refunded",
        "payment.refunded",
        "payment.started",
        "payment.succeeded",
    ]
    assert states() == ["processed"] * 6


@as_many_copies
def test_many_copies_of_each_message_of_a_paypal_payment_have_one_effect(paypal: FakePayPal, later: int) -> None:
    payment = paypal_payment(paypal)

    for event, copies in zip(live_at_paypal(paypal, payment), chain([MOST], repeat(later)), strict=False):
        processed_at_once(delivered_at_once(PAYPAL, paypal.signed(event), copies), copies)

    now = books(payment)
    assert (now["payment"], now["refunded"], now["grants"], len(now["notes"])) == ("refunded", "89.00", 1, 2)
    assert len(paypal.captures_with(str(payment.uuid))) == 1
    assert events_of(payment).count("payment.succeeded") == 1
    assert states("paypal") == ["processed"] * 5


def test_all_messages_of_many_payments_at_once_are_each_done_once(stripe: FakeStripe) -> None:
    payments = [card_payment(stripe) for _ in range(8)]
    told = [event for payment in payments for event in live_at_stripe(stripe, payment)]
    messages = [stripe.signed(event, SECRET) for event in told]

    all_at_once([lambda message=message: send(STRIPE, message) for message in messages[:32]])
    all_at_once([lambda message=message: send(STRIPE, message) for message in messages[16:]])
    tried = all_at_once([process_due_messages] * 8)
    for _ in range(3):
        due_again()
        process_due_messages()

    assert sum(tried) >= len(messages)  # type: ignore[arg-type]
    assert states() == ["processed"] * len(messages)
    ends = [books(payment) for payment in payments]
    assert {(end["payment"], end["refunded"], end["grants"], len(end["notes"])) for end in ends} == {
        ("refunded", "89.00", 1, 2)
    }
    assert Payment.objects.filter(needs_review=True).count() == 0
