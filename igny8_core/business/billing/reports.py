"""Figures about the whole business for operators, one query each. The console and the operators' API show the same."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from igny8_core.auth.models import Account, AccountStatus, BillingCycle, Plan, Site, Subscription, SubscriptionStatus
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    CreditNote,
    CreditTransaction,
    CreditTransactionType,
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentStatus,
    WebhookEvent,
    WebhookState,
)
from igny8_core.common import clock
from igny8_core.common.money import round_amount
from igny8_core.events.models import Event

MONTHS = 12
FAILED_DAYS = 30
NOTHING = Decimal(0)


@dataclass(frozen=True)
class StatusCount:
    """How many accounts have a status."""

    status: AccountStatus
    accounts: int


@dataclass(frozen=True)
class MonthCount:
    """How many accounts were created in a month (YYYY-MM, UTC)."""

    month: str
    accounts: int


@dataclass(frozen=True)
class PlanCount:
    """How many active subscriptions a plan has."""

    plan: str
    name: str
    subscriptions: int


@dataclass(frozen=True)
class CurrencyAmount:
    """An amount in a currency."""

    currency: str
    amount: Decimal


@dataclass(frozen=True)
class MonthRevenue:
    """What was paid (`gross`) and refunded in a month. A refund counts in the month in which it was made."""

    month: str
    currency: str
    gross: Decimal
    refunded: Decimal

    @property
    def net(self) -> Decimal:
        """Paid minus refunded; below zero if more was refunded."""
        return self.gross - self.refunded


@dataclass(frozen=True)
class CreditFlow:
    """The credits that were `issued`, `used` and `expired` in a time."""

    issued: int
    used: int
    expired: int


@dataclass(frozen=True)
class Waiting:
    """Payments that operators have to decide. `oldest_at` is None if there are none."""

    count: int
    oldest_at: datetime | None

    @property
    def oldest_age_hours(self) -> int | None:
        """Whole hours since the oldest payment was submitted."""
        return (clock.now() - self.oldest_at) // timedelta(hours=1) if self.oldest_at else None


@dataclass(frozen=True)
class AccountCounts:
    """What an account has, in numbers."""

    sites: int
    invoices: int
    open_invoices: int
    payments_to_decide: int


def accounts_by_status() -> list[StatusCount]:
    """How many accounts have each status, also for a status that no account has."""
    found = dict(Account.objects.order_by().values_list("status").annotate(count=Count("pk")))
    return [StatusCount(status, found.get(status.value, 0)) for status in AccountStatus]


def credits_outstanding() -> int:
    """The unspent credits of all accounts together."""
    return Account.objects.aggregate(total=Sum("credits"))["total"] or 0


def new_accounts_by_month(months: int = MONTHS) -> list[MonthCount]:
    """The accounts created in each of the last `months` months, including this one, oldest first."""
    wanted = _months(months)
    made = Account.objects.filter(created_at__gte=wanted[0]).order_by()
    by_month = made.annotate(month=TruncMonth("created_at", tzinfo=UTC)).values_list("month")
    found = dict(by_month.annotate(count=Count("pk")))
    return [MonthCount(_name(month), found.get(month, 0)) for month in wanted]


def active_subscriptions_by_plan() -> list[PlanCount]:
    """The number of active subscriptions by plan, largest first."""
    active = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).order_by()
    # Count first, then look up the few plans: joining half a million rows first took five times as long.
    counts = dict(active.values_list("plan_id").annotate(count=Count("pk")))
    plans = Plan.objects.filter(pk__in=counts)
    rows = [PlanCount(plan.slug, plan.name, counts[plan.pk]) for plan in plans]
    return sorted(rows, key=lambda row: (-row.subscriptions, row.plan))


def monthly_recurring_revenue() -> list[CurrencyAmount]:
    """What active subscriptions bring in per month by their terms, by currency. An annual price counts one twelfth."""
    active = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).order_by()
    sums = active.values_list("terms_currency", "terms_billing_cycle").annotate(total=Sum("terms_price"))
    twelfths: dict[str, Decimal] = defaultdict(Decimal)
    for currency, cycle, total in sums:
        twelfths[currency] += (1 if cycle == BillingCycle.ANNUAL else 12) * total
    # Divided and rounded once at the end, because rounding errors of many subscriptions would add up.
    return [
        CurrencyAmount(currency, round_amount(total / 12, currency)) for currency, total in sorted(twelfths.items())
    ]


def revenue_by_month(months: int = MONTHS) -> list[MonthRevenue]:
    """The revenue of the last `months` months, including this one: by month, oldest first, then by currency.

    A currency with any payment or refund has a row for every month.
    """
    wanted = _months(months)
    captured = Payment.objects.filter(processed_at__gte=wanted[0], status__in=CAPTURED_STATUSES)
    gross = _sums(captured, "processed_at")
    refunded = _sums(CreditNote.objects.filter(payment__isnull=False, created_at__gte=wanted[0]), "created_at")
    currencies = sorted({currency for _, currency in [*gross, *refunded]})
    return [
        MonthRevenue(
            _name(month), currency, gross.get((month, currency), NOTHING), refunded.get((month, currency), NOTHING)
        )
        for month in wanted
        for currency in currencies
    ]


def credits_this_month() -> CreditFlow:
    """Credits issued, used and expired since the first of this month (UTC)."""
    entries = CreditTransaction.objects.filter(created_at__gte=_months(1)[0])
    sums = entries.aggregate(
        issued=Sum("amount", filter=Q(amount__gt=0)),
        used=Sum("amount", filter=Q(transaction_type=CreditTransactionType.USAGE)),
        expired=Sum("amount", filter=Q(transaction_type=CreditTransactionType.EXPIRY)),
    )
    return CreditFlow(sums["issued"] or 0, -(sums["used"] or 0), -(sums["expired"] or 0))


def pending_approvals() -> Waiting:
    """How many payments wait for a decision, and since when."""
    found = _waiting().aggregate(count=Count("pk"), oldest=Min("created_at"))
    return Waiting(found["count"], found["oldest"])


def webhooks_to_review() -> int:
    """How many webhook messages wait for an operator because they match nothing here."""
    return WebhookEvent.objects.filter(state=WebhookState.NEEDS_REVIEW).count()


def payments_to_review() -> int:
    """How many payments need an operator's review."""
    return Payment.objects.filter(needs_review=True).count()


def oldest_waiting(limit: int) -> list[Payment]:
    """The payments that have waited longest for a decision, with account and invoice."""
    return list(_waiting().select_related("account", "invoice").order_by("created_at", "pk")[:limit])


def failed_payments() -> QuerySet[Payment]:
    """Payments that failed or were rejected in the last 30 days, newest first, with account and invoice."""
    since = clock.now() - timedelta(days=FAILED_DAYS)
    failed = Payment.objects.filter(status=PaymentStatus.FAILED, failed_at__gte=since)
    return failed.select_related("account", "invoice").order_by("-failed_at", "-pk")


def recent_events(limit: int) -> list[Event]:
    """The latest events of all accounts, with account and actor."""
    return list(Event.objects.select_related("account", "actor").order_by("-pk")[:limit])


def account_counts(account: Account) -> AccountCounts:
    """How many sites, invoices and payments to decide an account has."""
    invoices = Invoice.objects.filter(account=account)
    counted = invoices.aggregate(all=Count("pk"), open=Count("pk", filter=Q(status=InvoiceStatus.PENDING)))
    return AccountCounts(
        sites=Site.objects.filter(account=account).count(),
        invoices=counted["all"],
        open_invoices=counted["open"],
        payments_to_decide=_waiting().filter(account=account).count(),
    )


def _waiting() -> QuerySet[Payment]:
    return Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL)


def _months(number: int) -> list[datetime]:
    """The start of each of the last `number` months in UTC, oldest first."""
    now = clock.now()
    count = now.year * 12 + now.month - 1
    return [datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(count - number + 1, count + 1)]


def _name(month: datetime) -> str:
    return f"{month:%Y-%m}"


def _sums(rows: "QuerySet[Payment] | QuerySet[CreditNote]", column: str) -> dict[tuple[datetime, str], Decimal]:
    grouped = rows.order_by().annotate(month=TruncMonth(column, tzinfo=UTC)).values_list("month", "currency")
    return {(month, currency): total for month, currency, total in grouped.annotate(total=Sum("amount"))}
