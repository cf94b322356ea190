"""Billing's queries. Whatever belongs to an account is looked up from the account."""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import (
    Count,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextChoices,
    Window,
    prefetch_related_objects,
)

from igny8_core.auth.models import LIVE_STATUSES, Account, Subscription
from igny8_core.business.billing.models import (
    GATEWAY_METHODS,
    PAYMENTS_UNDER_WAY,
    REFUNDS_UNDER_WAY,
    AccountPaymentMethod,
    Allocation,
    CreditCostConfig,
    CreditGrant,
    CreditNote,
    CreditPackage,
    CreditTransaction,
    Dispute,
    DisputeStatus,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineKind,
    Payment,
    PaymentMethodConfig,
    PaymentProof,
    PaymentStatus,
    Refund,
    Renewal,
    RenewalStatus,
)
from igny8_core.common import clock
from igny8_core.common.db import among

# Money that is said to be on its way.
DECIDED_LATER = [PaymentStatus.PENDING_APPROVAL, PaymentStatus.PROCESSING, PaymentStatus.UNKNOWN]
# For a query of invoices: whether one sells a change of plan, or a credit package.
CHANGES_PLAN = Exists(InvoiceLine.objects.filter(invoice=OuterRef("pk"), kind=LineKind.PLAN_CHANGE))
SELLS_CREDITS = Exists(InvoiceLine.objects.filter(invoice=OuterRef("pk"), kind=LineKind.CREDIT_PACKAGE))


def invoices_of(account: Account) -> QuerySet[Invoice]:
    """The account's invoices with account and subscription, newest first."""
    return Invoice.objects.filter(account=account).select_related("account", "subscription")


def live_subscription_of(account: Account) -> Subscription | None:
    """The account's one live subscription with its plans, or None."""
    live = Subscription.objects.filter(account=account, status__in=LIVE_STATUSES)
    return live.select_related("account", "plan", "pending_plan").first()


def last_subscription_of(account: Account) -> Subscription | None:
    """The account's live subscription, otherwise the one that ended last, with its plans; None if it never had one."""
    ended = Subscription.objects.filter(account=account).select_related("account", "plan", "pending_plan")
    return live_subscription_of(account) or ended.order_by("-pk").first()


def open_invoices_of(subscription: Subscription) -> list[Invoice]:
    """Unpaid invoices of the subscription."""
    open_statuses = [InvoiceStatus.PENDING, InvoiceStatus.UNCOLLECTIBLE]
    invoices = Invoice.objects.filter(account_id=subscription.account_id, subscription=subscription)
    return list(invoices.filter(status__in=open_statuses).order_by("pk"))


def open_order_of(account: Account, package: CreditPackage, price: tuple[Decimal, str]) -> Invoice | None:
    """The open invoice for one such package at this price, if there is one.

    For an account that has paid before, not the one whose payment waits for a decision: it can buy more meanwhile.
    """
    total, currency = price
    invoices = Invoice.objects.filter(account=account, status=InvoiceStatus.PENDING, total=total, currency=currency)
    orders = invoices.filter(lines__package=package, lines__kind=LineKind.CREDIT_PACKAGE)
    if not account.has_never_paid:
        orders = orders.exclude(payments__status__in=DECIDED_LATER)
    return orders.order_by("-pk").first()


def has_payment_under_way(invoice: Invoice) -> bool:
    """Whether a payment of the invoice is still undecided."""
    return Payment.objects.filter(invoice=invoice, status__in=PAYMENTS_UNDER_WAY).exists()


def open_plan_changes_of(subscription: Subscription) -> list[Invoice]:
    """Unpaid invoices for a change of the subscription's plan."""
    open_invoices = Invoice.objects.filter(
        account_id=subscription.account_id, subscription=subscription, status=InvoiceStatus.PENDING
    )
    return list(open_invoices.filter(CHANGES_PLAN).order_by("pk"))


def undecided_renewal_of(subscription: Subscription) -> Renewal | None:
    """The renewal of the subscription's next period with its invoice, if its period has not begun; or None."""
    undecided = Renewal.objects.filter(account_id=subscription.account_id, subscription=subscription)
    undecided = undecided.filter(status__in=[RenewalStatus.OPEN, RenewalStatus.PAID])
    return undecided.select_related("invoice").order_by("-pk").first()


def open_orders_of(subscription: Subscription) -> list[Invoice]:
    """The subscription's unpaid invoices and the account's unpaid credit packages. Other debts are not orders."""
    open_statuses = [InvoiceStatus.PENDING, InvoiceStatus.UNCOLLECTIBLE]
    orders = Invoice.objects.filter(account_id=subscription.account_id, status__in=open_statuses)
    return list(orders.filter(Q(subscription=subscription) | SELLS_CREDITS).order_by("pk"))


def money_of_plans(subscription: Subscription) -> QuerySet[Allocation]:
    """The allocations to the subscription's paid invoices, with invoice, lines and payment, oldest first.

    Each is annotated with what happened to its payment: the amounts `disputed` and `lost` in disputes, the amount
    `returning` in refunds under way, the credits taken back by refunds (`credits_taken`), and `is_unclear`: the
    disputed amount is not known in the payment's currency.
    """
    account_id, payment = subscription.account_id, OuterRef("payment")
    disputes = Dispute.objects.filter(account_id=account_id, payment=payment)
    refunds = Refund.objects.filter(account_id=account_id, payment=payment, is_return=False)
    notes = CreditNote.objects.filter(account_id=account_id, payment=payment)
    in_its_currency = disputes.filter(currency=OuterRef("currency"))
    undecided_or_lost = disputes.filter(status__in=[DisputeStatus.OPEN, DisputeStatus.LOST])
    money = Allocation.objects.filter(
        account_id=account_id,
        invoice__subscription=subscription,
        invoice__status=InvoiceStatus.PAID,
        payment__isnull=False,
        released_at__isnull=True,
    )
    return (
        money.select_related("invoice", "payment")
        .prefetch_related("invoice__lines")
        .annotate(
            disputed=_sum(in_its_currency.filter(status=DisputeStatus.OPEN), "amount"),
            lost=_sum(in_its_currency.filter(status=DisputeStatus.LOST), "amount"),
            is_unclear=Exists(undecided_or_lost.exclude(currency=OuterRef("currency"))),
            returning=_sum(refunds.filter(status__in=REFUNDS_UNDER_WAY), "amount"),
            credits_taken=_sum(notes, "credits_taken_back"),
        )
        .order_by("invoice__paid_at", "invoice_id", "pk")
    )


def _sum(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.order_by().values("payment").annotate(total=Sum(column)).values("total"))


def payments_of(account: Account) -> QuerySet[Payment]:
    """The account's payments with their invoice, newest first."""
    return Payment.objects.filter(account=account).select_related("invoice")


def proofs_of(account: Account) -> QuerySet[PaymentProof]:
    """The payment proofs that the account uploaded, with the payment that each was used for."""
    return PaymentProof.objects.filter(account=account).select_related("payment")


def payments_under_way_of(account: Account) -> QuerySet[Payment]:
    """The account's undecided payments with their invoice, oldest first."""
    return payments_of(account).filter(status__in=PAYMENTS_UNDER_WAY).order_by("pk")


def credit_notes_of(account: Account) -> QuerySet[CreditNote]:
    """The account's credit notes with their invoice and payment, newest first."""
    return CreditNote.objects.filter(account=account).select_related("invoice", "payment")


def saved_methods_of(account: Account) -> QuerySet[AccountPaymentMethod]:
    """The account's saved payment methods."""
    return AccountPaymentMethod.objects.filter(account=account)


def credit_packages() -> QuerySet[CreditPackage]:
    """Credit packages that are for sale, in display order."""
    return CreditPackage.objects.filter(is_active=True)


def costs_in_use(operation_types: Collection[str]) -> dict[str, int]:
    """What one unit of each of these operations costs, in credits; operations that are not in use are left out."""
    costs = CreditCostConfig.objects.filter(operation_type__in=operation_types, is_active=True)
    return dict(costs.values_list("operation_type", "credits_per_unit"))


def credit_transactions_of(account: Account) -> QuerySet[CreditTransaction]:
    """The account's credit ledger, newest first."""
    return CreditTransaction.objects.filter(account=account)


def live_grants_of(account: Account) -> QuerySet[CreditGrant]:
    """The account's grants that can be spent now, in the order in which they are spent."""
    unexpired = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    grants = CreditGrant.objects.filter(unexpired, account=account, remaining__gt=0)
    return grants.order_by("expires_at", "kind", "pk")


def expiring_credits(account: Account, *, days: int, grants_shown: int) -> dict[str, Any]:
    """What is lost within `days` if nobody spends it, and the next `grants_shown` grants, for ExpiringCreditsOutput."""
    expiring = live_grants_of(account).filter(expires_at__lte=clock.now() + timedelta(days=days))
    # A window is summed before the rows are cut off: one statement, however many grants there are.
    grants = list(expiring.annotate(total=Window(Sum("remaining")))[:grants_shown])
    return {"total": grants[0].total if grants else 0, "grants": grants}


def spendable_credits(account: Account) -> int:
    """The credits that can be spent now. Expired grants do not count, even before their credits are taken back."""
    return live_grants_of(account).aggregate(total=Sum("remaining"))["total"] or 0


def is_available(payment_method: str) -> bool:
    """Whether this method can take money now: card and PayPal need their gateway's keys."""
    # Each gateway's keys are the setting of its name, or None.
    return payment_method not in GATEWAY_METHODS or getattr(settings, payment_method.upper()) is not None


# --- For platform operators: every account's ---------------------------------------------------------------------


def all_invoices() -> QuerySet[Invoice]:
    """Every invoice with its account and subscription."""
    return Invoice.objects.select_related("account", "subscription")


def invoices_matching(invoices: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
    """The invoices whose number or account name begins with `text`, in any case."""
    accounts = Account.objects.filter(name__istartswith=text)
    return invoices.filter(Q(invoice_number__startswith=text.upper()) | among("account_id", accounts))


def all_subscriptions() -> QuerySet[Subscription]:
    """Every subscription, also those that have ended, with its account and plans."""
    return Subscription.objects.select_related("account", "plan", "pending_plan")


def all_renewals() -> QuerySet[Renewal]:
    """Every renewal with its account, subscription and invoice."""
    return Renewal.objects.select_related("account", "subscription__plan", "invoice")


class Timing(TextChoices):
    """Whether an open renewal is due."""

    AHEAD = "ahead", "Later"
    BEHIND = "behind", "Due and unpaid"


def renewals_in_time(renewals: QuerySet[Renewal], timing: Timing) -> QuerySet[Renewal]:
    """The open renewals that are due later, or that are due and unpaid."""
    opened, now = renewals.filter(status=RenewalStatus.OPEN), clock.now()
    return opened.filter(period_start__gt=now) if timing == Timing.AHEAD else opened.filter(period_start__lte=now)


def renewal_counts() -> dict[str, int]:
    """How many renewals wait for what, and how many cards are charged next within a day."""
    now, renewals = clock.now(), Renewal.objects.all()
    undecided = renewals.filter(status__in=[RenewalStatus.OPEN, RenewalStatus.PAID])
    is_open = Q(status=RenewalStatus.OPEN)
    return undecided.aggregate(
        ahead=Count("pk", is_open & Q(period_start__gt=now)),
        behind=Count("pk", is_open & Q(period_start__lte=now)),
        paid_ahead=Count("pk", Q(status=RenewalStatus.PAID)),
        declined=Count("pk", is_open & Q(declines__gt=0)),
        charged_within_a_day=Count("pk", Q(next_charge_at__lte=now + timedelta(days=1))),
    )


def all_proofs() -> QuerySet[PaymentProof]:
    """Every uploaded file with the payment that it was used for."""
    return PaymentProof.objects.select_related("payment")


def all_payments() -> QuerySet[Payment]:
    """Every payment with its invoice, account and the operator who decided."""
    return Payment.objects.select_related("invoice", "account", "approved_by")


def grant_sources(payment: Payment) -> list[str]:
    """The possible sources of the grant for a payment's invoice: the invoice; in older releases the payment."""
    return [f"invoice:{payment.invoice_id}", f"payment:{payment.pk}"]


def with_disputes(payment: Payment) -> Payment:
    """The payment with its disputes, oldest first, and the credit note of what each took."""
    disputes = Dispute.objects.select_related("refund__credit_note").order_by("pk")
    prefetch_related_objects([payment], Prefetch("disputes", disputes))
    return payment


def payment_method_configs() -> QuerySet[PaymentMethodConfig]:
    """Every configured payment method, enabled or not."""
    return PaymentMethodConfig.objects.all()


def credit_costs() -> QuerySet[CreditCostConfig]:
    """What each operation costs, in use or not."""
    return CreditCostConfig.objects.all()
