"""Renewals that saved cards paid by themselves, against what the population's scripts say."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from igny8_core.business.billing.models import CAPTURED_STATUSES, Invoice, Payment, Renewal, RenewalStatus
from igny8_core.business.billing.services.collection.attempts import RENEWAL_KEY
from igny8_core.business.billing.services.dunning.calendar import local_time
from igny8_core.events.models import Event
from simulation.people import Habit, Person

# The schedule runs three times a day here, so what is due late in the day is charged in the night after it.
BETWEEN_ROUNDS = timedelta(hours=8)


def leaves_it_to_the_card(person: Person) -> bool:
    """Whether each renewal of this person is charged by itself: they pay by a card that works, and do nothing."""
    return person.pays_by_card and person.habit == Habit.EXACT and not person.is_asked_every_time


def how_renewals_were_paid() -> Counter[str]:
    """Renewals that a card paid: by themselves when they were due, or by somebody who entered it."""
    found: Counter[str] = Counter()
    for renewal, payment in _paid_by_card():
        is_in_time = payment.created_at <= renewal.period_start
        by_hand = "entered before" if is_in_time else "entered after"
        found["charged by themselves" if _is_charge(payment) else by_hand] += 1
    return found


def is_late(invoice: Invoice) -> bool:
    """Whether a paid invoice was paid after its due date, where the customer is."""
    paid_at = invoice.paid_at
    return paid_at is not None and local_time(invoice.account, paid_at - BETWEEN_ROUNDS).date() > invoice.due_date


def not_charged(people: Iterable[Person]) -> list[str]:
    """Renewals of those who leave it to the card that were paid in another way, or not when they were due."""
    left = _owners(people)
    wrong = []
    for renewal, payment in _paid_by_card():
        if renewal.account.owner_id in left and not (_is_charge(payment) and not renewal.declines):
            wrong.append(f"account {renewal.account_id}: {renewal.period_start} was paid by {payment.uuid}")
    return wrong


def past_due_without_reason(people: Iterable[Person]) -> list[str]:
    """Subscriptions that were past due although their customer leaves it to a card that works."""
    left = _owners(people)
    events = Event.objects.filter(type="subscription.past_due").select_related("account").order_by("pk")
    return [
        f"account {event.account_id}: past due on {event.created_at}"
        for event in events
        if event.account and event.account.owner_id in left
    ]


def _owners(people: Iterable[Person]) -> set[int]:
    return {person.owner.pk for person in people if person.owner and leaves_it_to_the_card(person)}


def _paid_by_card() -> Iterable[tuple[Renewal, Payment]]:
    begun = Renewal.objects.filter(status=RenewalStatus.BEGUN).select_related("account").order_by("pk")
    paid = Payment.objects.filter(status__in=CAPTURED_STATUSES, payment_method="stripe")
    by_invoice = {payment.invoice_id: payment for payment in paid.order_by("pk")}
    return [(renewal, by_invoice[renewal.invoice_id]) for renewal in begun if renewal.invoice_id in by_invoice]


def _is_charge(payment: Payment) -> bool:
    return payment.request_key.startswith(RENEWAL_KEY)
