"""What has to be true at the end, a line each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Sum

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.invariants import INVARIANTS
from igny8_core.business.billing.models import CAPTURED_STATUSES, CreditNote, Payment
from igny8_core.common.money import minor_units
from igny8_core.events.models import Delivery, DeliveryStatus
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
    yield Proof("the card's money at the gateway is the money in the books", _card_money(outcome.purse.stripe))
    yield Proof("no mail waits or was given up", _mails_not_sent())
    if not outcome.plot.kills:
        yield Proof("no mail was sent twice", [f"{outcome.mails_again} mails"] if outcome.mails_again else [])
    yield Proof("no scheduled task failed", outcome.failed_tasks)


def _card_money(stripe: FakeStripe) -> list[str]:
    """Currencies in which what the gateway took and gave back is not what payments and credit notes say."""
    at_gateway: dict[str, list[int]] = {}
    for charge in stripe.all("charge"):
        if charge["paid"]:
            sums = at_gateway.setdefault(charge["currency"].upper(), [0, 0])
            sums[0] += charge["amount_captured"]
            sums[1] += charge["amount_refunded"]
    for dispute in stripe.all("dispute"):
        if dispute["status"] == "lost":
            at_gateway[dispute["currency"].upper()][1] += dispute["amount"]
    booked = {currency: [0, 0] for currency in at_gateway}
    paid = Payment.objects.filter(payment_method="stripe", status__in=CAPTURED_STATUSES)
    notes = CreditNote.objects.filter(payment__payment_method="stripe")
    for place, rows in enumerate((paid, notes)):
        for currency, amount in rows.order_by().values_list("currency").annotate(Sum("amount")):
            booked.setdefault(currency, [0, 0])[place] = _units(amount, currency)
    return [
        f"{currency}: taken and given back {at_gateway.get(currency)}, booked {booked[currency]}"
        for currency in sorted(booked)
        if booked[currency] != at_gateway.get(currency, [0, 0])
    ]


def _units(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(minor_units(currency)))


def _mails_not_sent() -> list[str]:
    waiting = Delivery.objects.exclude(status=DeliveryStatus.DONE).select_related("event")
    return [f"{each.event.type} to {each.consumer}: {each.status} {each.last_error}" for each in waiting[:20]]
