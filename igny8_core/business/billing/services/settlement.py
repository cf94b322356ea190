"""What follows from captured money: the same steps in the same order, whoever found the money."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import LIVE_STATUSES, Account, AccountStatus, BillingDriver, Subscription, User
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    PLAN_LINES,
    CreditGrantKind,
    CreditTransaction,
    CreditTransactionType,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Payment,
    Renewal,
    RenewalStatus,
)
from igny8_core.business.billing.pricing import credit_line, next_period, plan_line_of
from igny8_core.business.billing.services.credits.granting import grant_credits, take_back_credits
from igny8_core.business.billing.services.invoices.lifecycle import mark_paid
from igny8_core.business.billing.services.payment_states.transitions import succeed
from igny8_core.business.billing.services.subscriptions.activation import (
    activate_subscription,
    begin_renewal,
)
from igny8_core.business.billing.services.subscriptions.transitions import activate_account
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop
from igny8_core.common.set_writes import NeedsDatabase, written_together
from igny8_core.events import services as events

# What an operator reads about an account that has paid and still cannot be used.
UNUSABLE = {
    AccountStatus.CANCELED: gettext_noop(
        "The account is canceled. It can be used again once a plan is ordered and paid."
    ),
    AccountStatus.SUSPENDED: gettext_noop("The account stays suspended until an operator lifts the suspension."),
    AccountStatus.PENDING_PAYMENT: gettext_noop("The account still waits for the payment of its plan."),
}


@dataclass(frozen=True)
class Settlement:
    """What a captured payment brought about."""

    payment: Payment
    credits_added: int
    total_credits: int
    activated_account: bool = False

    @property
    def text(self) -> str:
        """What the operator who approved the payment reads: what has happened."""
        return " ".join(part for part in (_("Payment approved successfully."), self.outcome, self.caution) if part)

    @property
    def outcome(self) -> str:
        """What the payment bought, as a sentence."""
        line, subscription = plan_line_of(self.invoice), self.invoice.subscription
        is_change = line is not None and line.kind == LineKind.PLAN_CHANGE
        is_ours = _is_ours(subscription)
        if subscription and is_ours and is_change:
            return _("The plan is %(plan)s from now on.") % {"plan": subscription.plan.name}
        if self.activated_account:
            return _("Account activated.")
        if subscription and is_ours and line and line.is_renewal and line.period_end:
            return _("The plan %(plan)s is paid until %(day)s.") % {
                "plan": subscription.plan.name,
                "day": f"{line.period_end:%Y-%m-%d}",
            }
        if subscription and is_ours and line:
            return _("The plan %(plan)s is paid.") % {"plan": subscription.plan.name}
        if self.credits_added:
            text = ngettext(
                "%(credits_added)s credit was added.", "%(credits_added)s credits were added.", self.credits_added
            )
            return text % {"credits_added": self.credits_added}
        return _("Invoice %(invoice_number)s is paid.") % {"invoice_number": self.invoice.invoice_number}

    @property
    def caution(self) -> str:
        """Why the account cannot be used yet, as a sentence; empty if it can."""
        return UNUSABLE.get(AccountStatus(self.account.status), "")

    @property
    def invoice(self) -> Invoice:
        return self.payment.invoice

    @property
    def account(self) -> Account:
        return self.payment.account


def capture(payment: Payment, by: User | None = None, **columns: Any) -> Settlement:
    """Mark a payment as succeeded and do everything that follows from it, all or nothing.

    No other code makes a payment succeed (tests/billing/test_payment_transitions.py).
    `by`: the operator who found the money; None if a gateway reported it. `columns`: further columns of the payment to
    save with the transition. The caller holds the locks of account, payment and invoice.
    Raises TransitionNotAllowed, InvoiceNotPayable, SubscriptionNotPayable, PlanChangeOutdated, PlanChangePeriodOver.
    """
    account, invoice = payment.account, payment.invoice
    before = account.status
    with events.recorded_together():
        succeed(payment, by, **columns)
        mark_paid(invoice, payment)
        if invoice.subscription:
            invoice.subscription.account = account
            activate_subscription(invoice.subscription, payment)
        added = _grant_credits(invoice, payment, payment.processed_at or clock.now())
    is_activated = before != AccountStatus.ACTIVE and account.status == AccountStatus.ACTIVE
    return Settlement(payment, added, account.credits, is_activated)


@dataclass(frozen=True)
class CapturedTogether:
    """What became of payments that were captured as a set, by their ids.

    `left`: those whose rules have to ask the database for more; each is to be captured by itself.
    """

    settled: dict[int, Settlement] = field(default_factory=dict)
    refused: dict[int, DomainError] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)


def capture_many(payments: Sequence[Payment], capture_one: Callable[[Payment], Settlement]) -> CapturedTogether:
    """Capture payments of as many accounts with a few statements for all of them, by the rules of `capture`.

    `capture_one` refuses a payment or calls `capture` with it. The caller holds the locks, and rolls everything back if
    NotAllWritten comes. tests/billing/test_capture_many.py compares the rows with those of one at a time.
    """
    done = CapturedTogether()
    with (
        events.recorded_together(),
        written_together(len(payments), CreditTransaction._meta.db_table) as writes,
    ):
        for payment in payments:
            try:
                with writes.change():
                    done.settled[payment.pk] = capture_one(payment)
            except DomainError as refusal:
                done.refused[payment.pk] = refusal
            except NeedsDatabase:
                done.left.append(payment.pk)
    return done


@service_transaction
def begin_paid_period(renewal: Renewal) -> bool:
    """Begin the period of a renewal that was paid before it, once it is due; False if there is nothing to begin (yet).

    Its credits are granted now, and an account that was past due can be used again. Safe to repeat.
    """
    account, now = lock_account(renewal.account_id), clock.now()
    undecided = [RenewalStatus.OPEN, RenewalStatus.PAID]
    of_account = Renewal.objects.filter(account=account, status__in=undecided, subscription__status__in=LIVE_STATUSES)
    due = of_account.filter(pk=renewal.pk, period_start__lte=now).first()
    paid = Payment.objects.filter(account=account, invoice=renewal.invoice_id, status__in=CAPTURED_STATUSES)
    payment_id = paid.filter(invoice__status=InvoiceStatus.PAID).order_by("-pk").values_list("pk", flat=True).first()
    if due is None or payment_id is None:
        return False
    payment = lock_payment(account, payment_id)
    subscription, due = payment.invoice.subscription, payment.invoice.renewal_paid
    if subscription is None or due is None:
        return False
    subscription.account = account
    with events.recorded_together():
        begin_renewal(subscription, due, payment, now)
        activate_account(subscription, subscription.plan, payment.approved_by_id)
        granted = _grant_credits(payment.invoice, payment, now)
        # Money that went back before the period began buys nothing of it.
        take_back_credits(
            payment.account,
            int(granted * payment.refunded_amount // payment.invoice.total),
            granted_for=[f"invoice:{payment.invoice_id}"],
            source=f"refunded_before:{payment.invoice_id}",
            description=gettext_noop("Refunded before the period began"),
        )
    return True


def _grant_credits(invoice: Invoice, payment: Payment, now: datetime) -> int:
    """Grant the credits that the invoice sold, once per invoice. Returns how many.

    Those of a renewal that was paid early wait for their period.
    """
    line = credit_line(invoice.lines.all())
    if line is None or (line.is_renewal and _is_paid_ahead(invoice.renewal_paid)):
        return 0
    is_plan = line.kind in PLAN_LINES
    amount = (line.credits or 0) * line.quantity
    grant_credits(
        payment.account,
        amount,
        kind=CreditGrantKind.PLAN if is_plan else CreditGrantKind.PURCHASE,
        transaction_type=CreditTransactionType.SUBSCRIPTION if is_plan else CreditTransactionType.PURCHASE,
        source=f"invoice:{invoice.pk}",
        description=f"{line.description} ({invoice.invoice_number})",
        expires_at=_expiry(payment, line, now),
        actor=payment.approved_by_id,
        metadata={"invoice_id": invoice.pk, "payment_id": payment.pk},
    )
    return amount


def _expiry(payment: Payment, line: InvoiceLine, now: datetime) -> datetime | None:
    """When the credits of a line expire: plan credits with their period, bought ones after their package's days."""
    if line.valid_days:
        return now + timedelta(days=line.valid_days)
    if line.kind not in PLAN_LINES or line.credits_rollover:
        return None
    subscription = payment.invoice.subscription
    period_end = subscription.current_period_end if subscription else None
    if period_end is None or period_end > now:
        return period_end
    # Credits that were just paid for must not expire at once. For a renewal that was paid after its own period, they
    # last as long as the period that is running by then; Stripe can collect late too, and those do not expire.
    if subscription is None or not (line.is_renewal and _is_ours(subscription)):
        return None
    while period_end <= now:
        period_end = next_period(subscription.billing_anchor or period_end, period_end, line.billing_cycle).end
    return period_end


def _is_paid_ahead(renewal: Renewal | None) -> bool:
    return renewal is not None and renewal.status == RenewalStatus.PAID


def _is_ours(subscription: Subscription | None) -> bool:
    return subscription is not None and subscription.billing_driver == BillingDriver.LOCAL
