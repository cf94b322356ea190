"""Reads what the rules of dunning need to know of unpaid invoices, with the same few queries for one and for many."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from igny8_core.auth.models import Account, BillingDriver, Subscription, SubscriptionStatus
from igny8_core.business.billing.models import (
    GATEWAY_METHODS,
    GATEWAY_UNDER_WAY,
    DunningPause,
    DunningStep,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.selectors import CHANGES_PLAN
from igny8_core.business.billing.services.dunning.calendar import local_time
from igny8_core.business.billing.services.dunning.rules import Case, Pause, Subject, Taken
from igny8_core.events.models import Delivery, DeliveryStatus

MAIL_EVENTS = ("invoice.reminded", "invoice.overdue")
# The consumer whose deliveries are billing's mails.
MAILS = "email"
# Who sends one wrong confirmation after the other does not stop the clock each time for longer.
MOST_GRACES = 3
# A card that is declined stops nothing; a payment that its gateway took a day to decide does.
LONG = timedelta(days=1)
WAITS = "A payment waits for our decision."
GRACE = "A payment was rejected; the customer has time to answer."
EXEMPT = "An operator exempted the account."
EXTENDED = "An operator extended the deadline."


@dataclass(frozen=True)
class OpenInvoice:
    """An unpaid invoice, as the rules see it, with the subscription that it is for."""

    invoice: Invoice
    account: Account
    subscription: Subscription | None
    case: Case


def dunned_invoices() -> QuerySet[Invoice]:
    """The open invoices that are ours to collect, except orders of a change of plan.

    The price of such an order holds for a day, and it is void when the period ends; nobody owes it.
    """
    open_ones = Invoice.objects.filter(status=InvoiceStatus.PENDING, stripe_invoice_id="", account__deleted_at=None)
    ours = Q(subscription=None) | Q(subscription__billing_driver=BillingDriver.LOCAL)
    return open_ones.filter(ours).exclude(subscription__status=SubscriptionStatus.CANCELED).exclude(CHANGES_PLAN)


def read_cases(invoices: Sequence[Invoice], accounts: dict[int, Account]) -> list[OpenInvoice]:
    """The cases of these invoices of these accounts, in their order."""
    ids = [invoice.pk for invoice in invoices]
    subscriptions = Subscription.objects.select_related("plan").in_bulk(
        {invoice.subscription_id for invoice in invoices if invoice.subscription_id}
    )
    plans = set(InvoiceLine.objects.filter(invoice__in=ids, kind=LineKind.PLAN).values_list("invoice", flat=True))
    taken, pauses = _taken(ids), _pauses(invoices, accounts)
    found = []
    for invoice in invoices:
        account = accounts[invoice.account_id]
        subscription = subscriptions.get(invoice.subscription_id or 0) if invoice.pk in plans else None
        if subscription:
            subscription.account = account
        case = Case(
            subject=_subject(subscription),
            country=account.billing_country,
            invoice_on=invoice.invoice_date,
            due_on=invoice.due_date,
            pauses=pauses[invoice.pk],
            taken=taken[invoice.pk],
        )
        found.append(OpenInvoice(invoice, account, subscription, case))
    return found


def _subject(subscription: Subscription | None) -> Subject:
    if subscription is None:
        return Subject.OTHER
    is_order = subscription.status == SubscriptionStatus.PENDING_PAYMENT
    return Subject.ORDER if is_order else Subject.RENEWAL


def _taken(invoice_ids: Collection[int]) -> dict[int, dict[int, Taken]]:
    """What was taken of each invoice, by stage, with what became of the newest mail of each."""
    steps = list(DunningStep.objects.filter(invoice__in=invoice_ids))
    fate: dict[tuple[str, int], str] = {}
    if steps:
        mails = Delivery.objects.filter(
            consumer=MAILS,
            event__type__in=MAIL_EVENTS,
            event__object_type=Invoice._meta.label_lower,
            event__object_id__in=[str(number) for number in {step.invoice_id for step in steps}],
        )
        told = mails.order_by("event_id").values_list("event__object_id", "event__data__stage", "status")
        fate = {(invoice, stage): status for invoice, stage, status in told}
    found: dict[int, dict[int, Taken]] = defaultdict(dict)
    for step in steps:
        status = fate.get((str(step.invoice_id), step.stage))
        found[step.invoice_id][step.stage] = Taken(
            on=step.taken_on,
            is_skipped=step.is_skipped,
            is_delivered=status == DeliveryStatus.DONE,
            is_lost=status in {DeliveryStatus.DEAD, DeliveryStatus.DROPPED},
        )
    return found


def _pauses(invoices: Sequence[Invoice], accounts: dict[int, Account]) -> dict[int, list[Pause]]:
    found: dict[int, list[Pause]] = defaultdict(list)
    of_account: dict[int, list[int]] = defaultdict(list)
    for invoice in invoices:
        of_account[invoice.account_id].append(invoice.pk)
    for decision in DunningPause.objects.filter(account__in=accounts):
        account = accounts[decision.account_id]
        end = decision.until
        if decision.ended_at:
            end = min(end, local_time(account, decision.ended_at).date() - timedelta(days=1))
        pause = Pause(local_time(account, decision.created_at).date(), end, EXTENDED if decision.invoice_id else EXEMPT)
        held = [decision.invoice_id] if decision.invoice_id else of_account[decision.account_id]
        for invoice_id in held:
            found[invoice_id].append(pause)
    graces: dict[int, int] = defaultdict(int)
    for payment in Payment.objects.filter(invoice__in=[invoice.pk for invoice in invoices]).order_by("pk"):
        waited = _waiting(payment, accounts[payment.account_id], graces)
        found[payment.invoice_id] += [waited] if waited else []
    return found


def _waiting(payment: Payment, account: Account, graces: dict[int, int]) -> Pause | None:
    """The days on which a payment waited or waits for us or its gateway; after a rejection with the time to answer."""
    start = local_time(account, payment.created_at).date()
    is_manual = payment.payment_method not in GATEWAY_METHODS
    if payment.status == PaymentStatus.PENDING_APPROVAL or payment.needs_review:
        return Pause(start, why=WAITS)
    if payment.status in GATEWAY_UNDER_WAY and payment.status != PaymentStatus.PENDING:
        return Pause(start, why=WAITS)
    if payment.status != PaymentStatus.FAILED or payment.failed_at is None:
        return None
    if not is_manual and payment.failed_at - payment.created_at < LONG:
        return None
    end = local_time(account, payment.failed_at).date()
    if is_manual and graces[payment.invoice_id] < MOST_GRACES:
        graces[payment.invoice_id] += 1
        end += timedelta(days=settings.DUNNING.grace_days)
    return Pause(start, end, GRACE)
