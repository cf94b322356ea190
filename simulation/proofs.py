"""What has to be true at the end, a line each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.invariants import INVARIANTS
from igny8_core.business.billing.models import CAPTURED_STATUSES, CreditNote, Payment
from igny8_core.common.money import minor_units
from igny8_core.events.models import Delivery, DeliveryStatus
from simulation.charges import not_charged, past_due_without_reason
from simulation.periods import gaps_and_overlaps, not_invoiced_once, wrong_ends
from simulation.run import CHECKED_EVERY, Outcome


@dataclass(frozen=True)
class Proof:
    """A promise, and what contradicts it: nothing, if it was kept."""

    name: str
    against: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.against


def proofs(outcome: Outcome) -> Iterator[Proof]:
    """All of them, in the order in which they are printed."""
    observed = outcome.observed
    yield Proof(f"all {len(INVARIANTS)} invariants hold at the end, and each {CHECKED_EVERY} days", outcome.broken)
    yield Proof(f"one invoice for each of {observed.count} periods, and it is paid", not_invoiced_once(observed))
    yield Proof("periods touch without gap or overlap", gaps_and_overlaps(observed))
    yield Proof("periods end where a calendar says", wrong_ends(observed))
    people = outcome.people
    yield Proof("a card that works is charged by itself for each renewal", not_charged(people))
    if outcome.plot.schedulers == 1:
        # Several take their tasks in another order, and where the day's end is near, past due may come first.
        yield Proof("nobody is past due who leaves it to such a card", past_due_without_reason(people))
    yield Proof("the card's money at the gateway is the money in the books", _card_money(outcome.purse.stripe))
    yield Proof("no mail waits or was given up", _mails_not_sent())
    if not outcome.plot.kills:
        yield Proof("no mail was sent twice", [f"{outcome.mails_again} mails"] if outcome.mails_again else [])
    yield Proof("no scheduled task failed", outcome.failed_tasks)


def _card_money(stripe: FakeStripe) -> list[str]:
    """Currencies in which the gateway holds something else for us than the books say."""
    held: Counter[str] = Counter()
    for charge in stripe.all("charge"):
        if charge["paid"]:
            held[charge["currency"].upper()] += charge["amount_captured"] - charge["amount_refunded"]
    for dispute in stripe.all("dispute"):
        if dispute["status"] == "lost":
            held[dispute["currency"].upper()] -= dispute["amount"]
    booked: Counter[str] = Counter()
    by_card = Payment.objects.filter(payment_method="stripe")
    for payment in by_card.filter(status__in=CAPTURED_STATUSES):
        booked[payment.currency] += _units(payment.amount, payment.currency)
    for note in CreditNote.objects.filter(payment__payment_method="stripe"):
        booked[note.currency] -= _units(note.amount, note.currency)
    # What could not be booked waits for an operator, who sends it back.
    for payment in by_card.filter(needs_review=True).exclude(status__in=CAPTURED_STATUSES):
        booked[payment.currency] += stripe.one(payment.gateway_object_id)["amount_received"]
    return [
        f"{currency}: the gateway holds {held[currency]}, the books {booked[currency]} (in the smallest unit)"
        for currency in sorted(held | booked)
        if held[currency] != booked[currency]
    ]


def _units(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(minor_units(currency)))


def _mails_not_sent() -> list[str]:
    waiting = Delivery.objects.exclude(status=DeliveryStatus.DONE).select_related("event")
    return [f"{each.event.type} to {each.consumer}: {each.status} {each.last_error}" for each in waiting[:20]]
