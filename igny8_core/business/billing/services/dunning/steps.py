"""Takes the steps of dunning that are due: mails, past due, suspension, and the end.

Every step is one transaction under the account's lock. A worker that is killed leaves no half of one, and a second
schedule finds what the first one did.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import AccountStatus, BillingDriver, Subscription, SubscriptionStatus
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import DunningStep, Invoice, InvoiceStatus, StageKind
from igny8_core.business.billing.services.dunning.calendar import Calendar, current_calendar, local_time
from igny8_core.business.billing.services.dunning.cases import (
    OpenInvoice,
    dunned_invoices,
    read_cases,
)
from igny8_core.business.billing.services.dunning.rules import (
    Stage,
    Step,
    clock_day,
    is_past_due,
    next_step,
)
from igny8_core.business.billing.services.subscriptions.ending import end_unpaid
from igny8_core.business.billing.services.subscriptions.transitions import mark_past_due, suspend_unpaid
from igny8_core.common import clock
from igny8_core.common.batches import others_go_on
from igny8_core.common.db import service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.events import services as events

BATCH = 500
# Reminders move before holidays, and the customer's day can be tomorrow already.
MARGIN = timedelta(days=41)


def take_due_steps() -> int:
    """Take every step that is due now, at most one of an invoice. Returns how many invoices had one.

    What one account refuses (its lock, an attempt that cannot be closed) waits for the next run. RuntimeError in a
    transaction if an attempt to pay a voided invoice is open.
    """
    calendar, taken = current_calendar(), 0
    for batch in _batches():
        for each in batch:
            if has_work(each, clock.now(), calendar) and _took(each, calendar):
                taken += 1
    return taken + end_abandoned_orders()


def has_work(case: OpenInvoice, now: datetime, calendar: Calendar) -> bool:
    """Whether something is to be done about an invoice now."""
    at = local_time(case.account, now)
    return _lacks_status(case, at) or next_step(case.case, at, settings.DUNNING, calendar) is not None


@service_transaction
def take_due_step(invoice: Invoice, calendar: Calendar) -> bool:
    """Take the step of an invoice that is due now. Returns False if none is.

    Raises what end_unpaid raises.
    """
    account = lock_account(invoice.account_id, "owner")
    invoice = lock_invoice(account, invoice.pk)
    if not dunned_invoices().filter(pk=invoice.pk).exists():
        return False
    [case] = read_cases([invoice], {account.pk: account})
    at = local_time(account, clock.now())
    step = next_step(case.case, at, settings.DUNNING, calendar)
    fell = _lacks_status(case, at)
    if fell:
        _bring_status(case, at)
    if step:
        _record(case, step, at)
    return fell or step is not None


def end_abandoned_orders() -> int:
    """End orders that were never paid and whose invoice is gone, as if it had not been paid. Returns how many.

    Otherwise such an account would wait for ever for the payment of nothing.
    """
    wait = timedelta(days=settings.INVOICE_DUE_DAYS + settings.DUNNING.cancel_after)
    orders = Subscription.objects.filter(
        status=SubscriptionStatus.PENDING_PAYMENT,
        billing_driver=BillingDriver.LOCAL,
        created_at__lte=clock.now() - wait,
    ).exclude(invoices__status=InvoiceStatus.PENDING)
    ended = 0
    for order in orders.order_by("pk")[:BATCH]:
        with others_go_on("an abandoned order", subscription=order.pk):
            end_unpaid(order, gettext_noop("The order was never paid"))
            ended += 1
    return ended


def _batches() -> Iterator[list[OpenInvoice]]:
    horizon = clock.today() - timedelta(days=min((*settings.DUNNING.reminders, 0))) + MARGIN
    due, last = dunned_invoices().filter(due_date__lte=horizon).order_by("pk"), 0
    while invoices := list(due.filter(pk__gt=last).select_related("account__owner")[:BATCH]):
        last = invoices[-1].pk
        yield read_cases(invoices, {invoice.account_id: invoice.account for invoice in invoices})
        if len(invoices) < BATCH:
            return


def _took(case: OpenInvoice, calendar: Calendar) -> bool:
    taken = False
    with others_go_on("a step of dunning", invoice=case.invoice.pk):
        taken = take_due_step(case.invoice, calendar)
    return taken


def _lacks_status(case: OpenInvoice, at: datetime) -> bool:
    """Whether subscription or account have a better status than the unpaid invoice allows."""
    subscription = case.subscription
    if subscription is None or not is_past_due(case.case, at.date()):
        return False
    is_behind = subscription.status == SubscriptionStatus.PAST_DUE
    is_free = case.account.status == AccountStatus.ACTIVE
    return not is_behind or is_free or _has_to_be_suspended(case)


def _has_to_be_suspended(case: OpenInvoice) -> bool:
    """Whether the suspension was taken, and lifted by the payment of something else."""
    return case.account.status == AccountStatus.PAST_DUE and _was_suspended(case)


def _was_suspended(case: OpenInvoice) -> bool:
    taken = case.case.taken.get(settings.DUNNING.suspend_after)
    return taken is not None and not taken.is_skipped


def _bring_status(case: OpenInvoice, at: datetime) -> None:
    if case.subscription is None:
        return
    mark_past_due(case.subscription)
    if _has_to_be_suspended(case):
        suspend_unpaid(case.account, _facts(case, at))


def _record(case: OpenInvoice, step: Step, at: datetime) -> None:
    """Record a step and those that it skips, and do what it says."""
    for stage in step.skipped:
        _write(case, stage, at, is_skipped=True)
    _write(case, step.stage, at)
    facts = _facts(case, at) | {"stage": step.stage.day}
    if step.stage.kind == StageKind.REMINDER:
        events.record(events.about("invoice.reminded", case.invoice, None, facts))
    elif step.stage.kind == StageKind.OVERDUE:
        events.record(events.about("invoice.overdue", case.invoice, None, facts))
    elif step.stage.kind == StageKind.SUSPENSION:
        suspend_unpaid(case.account, facts)
    elif case.subscription:
        end_unpaid(case.subscription, gettext_noop("Not paid in time"))


def _write(case: OpenInvoice, stage: Stage, at: datetime, *, is_skipped: bool = False) -> None:
    due = {"kind": stage.kind, "amount_due": case.invoice.total - case.invoice.settled_amount}
    columns = {**due, "is_skipped": is_skipped, "taken_on": at.date(), "taken_at": at}
    key = {"account": case.account, "invoice": case.invoice, "stage": stage.day}
    again = DunningStep.objects.filter(invoice=case.invoice, stage=stage.day).first()
    if again is None:
        DunningStep.objects.create(**key, **columns)
        return
    # The mail of this stage was given up, so the stage is not used up.
    DunningStep.objects.filter(pk=again.pk).update(**columns, tries=again.tries + 1)


def _facts(case: OpenInvoice, at: datetime) -> dict[str, str | int]:
    invoice = case.invoice
    due = invoice.total - invoice.settled_amount
    return {
        "invoice_id": invoice.pk,
        "invoice_number": invoice.invoice_number,
        "amount_due": str(due),
        "currency": invoice.currency,
        "subject": case.case.subject.value,
        "day": clock_day(case.case.due_on, at.date(), case.case.pauses),
    }
