"""How people pay: by bank with a confirmation, or by card, as their habit is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_parameters import Refusal
from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice, InvoiceStatus
from igny8_core.business.billing.services.collection.gateway_payments import complete_payment
from igny8_core.business.billing.services.payment_methods.kept_cards import renewals_need_card_of
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments.offline import create_manual_payment
from igny8_core.common import clock
from igny8_core.common.errors import DomainError
from simulation.charges import BETWEEN_ROUNDS, leaves_it_to_the_card
from simulation.people import Habit, Person

DECLINES = "insufficient_funds"
GONE = "stolen_card"


@dataclass
class Purse:
    """What all payers share: the gateway, numbers of transfers, and what happened."""

    stripe: FakeStripe
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    transfers: int = 0

    def attempt(self, name: str, act: Callable[[], object]) -> bool:
        """Do something and count it; a refusal is counted by its code. Whether it was done."""
        try:
            act()
        except DomainError as refusal:
            self.refused[f"{name}: {refusal.code}"] += 1
            return False
        self.done[name] += 1
        return True


def pay_what_is_due(person: Person, invoices: list[Invoice], purse: Purse) -> None:
    """Pay the person's open invoices for which the person thinks that it is time."""
    today = person.here(clock.now())
    _care_for_card(person, today, purse)
    for invoice in invoices:
        if invoice.pk not in person.pays_on:
            person.pays_on[invoice.pk] = _day_to_pay(person, invoice, purse)
        if person.pays_on[invoice.pk] <= today and not person.stopped:
            _pay(person, invoice, purse)
            person.pays_on[invoice.pk] = today + timedelta(days=4)
    _pay_once_more(person, purse)


def _care_for_card(person: Person, today: date, purse: Purse) -> None:
    if person.card_works_again and person.card_works_again <= today:
        for card in _cards(person):
            purse.stripe.set_card_declines(card, "")
        person.card_works_again = None


def _cards(person: Person) -> list[str]:
    saved = AccountPaymentMethod.objects.filter(account__owner=person.owner, type=card_method())
    return list(saved.exclude(gateway_method_id="").values_list("gateway_method_id", flat=True))


def _day_to_pay(person: Person, invoice: Invoice, purse: Purse) -> date:
    """When the person pays this invoice; of a renewal by card only if the charge did not do it."""
    today = person.here(clock.now())
    is_renewal = any(line.is_renewal for line in invoice.lines.all())
    if not is_renewal or invoice.due_date <= invoice.invoice_date:
        return today + timedelta(days=person.late_by if person.habit == Habit.LATE else 0)
    if person.pays_by_card and person.habit in {Habit.LATE, Habit.NEVER}:
        _break_card(person, invoice, purse)
    if person.habit == Habit.LATE:
        return invoice.due_date + timedelta(days=person.late_by)
    if person.pays_by_card and person.is_asked_every_time:
        # The charge can only fail, so they are there on the day.
        return invoice.due_date
    if leaves_it_to_the_card(person):
        return _charged_on(person, invoice) + timedelta(days=person.pick.randint(1, 3))
    return invoice.due_date - timedelta(days=person.pick.randint(0, 4))


def _charged_on(person: Person, invoice: Invoice) -> date:
    """The last day, where the person is, on which a round of the schedule first finds the charge due."""
    renewal = invoice.renewal_paid
    return person.here(renewal.period_start + BETWEEN_ROUNDS) if renewal else invoice.due_date


def _break_card(person: Person, invoice: Invoice, purse: Purse) -> None:
    """Before a renewal is charged: the card of somebody late or gone does not work."""
    if person.habit == Habit.NEVER and not person.stopped:
        return
    for card in _cards(person):
        purse.stripe.set_card_declines(card, DECLINES if person.habit == Habit.LATE else GONE)
    if person.habit == Habit.LATE:
        person.card_works_again = invoice.due_date + timedelta(days=person.late_by)


def _pay(person: Person, invoice: Invoice, purse: Purse) -> None:
    pay = _by_card if person.pays_by_card else _by_bank
    if pay(person, invoice, purse):
        person.paid += 1
        if person.habit == Habit.TWICE:
            person.repeats.append(invoice.pk)


def _by_bank(person: Person, invoice: Invoice, purse: Purse) -> bool:
    def confirm() -> None:
        purse.transfers += 1
        # Now and then somebody copies the reference of the transfer before.
        number = purse.transfers - (1 if person.pick.random() < 0.02 else 0)
        create_manual_payment(
            invoice,
            "bank_transfer",
            f"TR-{number}",
            amount=invoice.total,
            submitted_by=person.owner,
            transferred_on=person.here(clock.now()),
        )

    is_done = purse.attempt("confirmed a transfer", confirm)
    if is_done and person.habit == Habit.TWICE:
        purse.attempt("confirmed a transfer again", confirm)
    return is_done


def _by_card(person: Person, invoice: Invoice, purse: Purse) -> bool:
    def enter_card() -> None:
        # As the page does: the card is saved where renewals need it.
        saves, by = renewals_need_card_of(invoice), person.owner
        payment = PaymentService.create_stripe_payment(invoice, save_card=saves, started_by=by).payment
        if not payment.gateway_object_id:
            return
        try:
            intent = purse.stripe.pay_in_browser(_secret(purse, payment.gateway_object_id), person.card)
            if intent["status"] == "requires_action":
                purse.stripe.authenticate(intent["id"])
        except Refusal:
            # The form is an old one: paid or closed meanwhile.
            purse.done["card forms that were over"] += 1
        if person.pick.random() < 0.7:
            complete_payment(payment)

    is_done = purse.attempt("entered a card", enter_card)
    if is_done and person.habit == Habit.TWICE and person.pick.random() < 0.5:
        purse.attempt("confirmed a transfer for what a card paid", lambda: _by_bank_anyway(person, invoice, purse))
    return is_done


def _by_bank_anyway(person: Person, invoice: Invoice, purse: Purse) -> None:
    purse.transfers += 1
    create_manual_payment(invoice, "bank_transfer", f"TR-{purse.transfers}", submitted_by=person.owner)


def _pay_once_more(person: Person, purse: Purse) -> None:
    """Pay again what is paid already. Nobody may be charged twice."""
    again, person.repeats = person.repeats, []
    for pk in again:
        _pay_paid_one(person, pk, purse)


def _pay_paid_one(person: Person, pk: int, purse: Purse) -> None:
    invoice = Invoice.objects.select_related("account", "subscription").get(account__owner=person.owner, pk=pk)
    if invoice.status == InvoiceStatus.PENDING:
        person.repeats.append(pk)
    elif person.pays_by_card:
        purse.attempt("paid again by card", lambda: _charge_again(invoice))
    else:
        purse.attempt("confirmed a transfer again", lambda: _by_bank_anyway(person, invoice, purse))


def _charge_again(invoice: Invoice) -> None:
    PaymentService.create_stripe_payment(invoice, "pm_card_visa")


def _secret(purse: Purse, object_id: str) -> str:
    return str(purse.stripe.one(object_id)["client_secret"])
