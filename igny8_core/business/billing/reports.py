"""Figures about the whole business for operators, one query each. The console and the operators' API show the same."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from igny8_core.auth.models import (
    LIVE_STATUSES,
    Account,
    AccountStatus,
    BillingCycle,
    Plan,
    Site,
    Subscription,
    SubscriptionStatus,
    User,
)
from igny8_core.business.billing.daily_sums import midnight, sums_by_month
from igny8_core.business.billing.models import (
    DailySumKind,
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
WEEKS = 12
FAILED_DAYS = 30
MONEY = (DailySumKind.ALLOCATED, DailySumKind.RELEASED, DailySumKind.GIVEN_BACK)
CREDITS = (DailySumKind.ISSUED, DailySumKind.USED, DailySumKind.EXPIRED, DailySumKind.TAKEN_BACK)


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
class WeekCount:
    """How many accounts were created in the week that begins on a Monday (UTC)."""

    monday: date
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
    """What was allocated (`gross`) and given back in a month, each by the UTC day on which it was.

    An allocation that is released takes its money out of the month of the release.
    """

    month: str
    currency: str
    gross: Decimal
    refunded: Decimal

    @property
    def net(self) -> Decimal:
        """Allocated minus given back; below zero if more was given back."""
        return self.gross - self.refunded


@dataclass(frozen=True)
class CreditFlow:
    """What became of credits in a time.

    `issued`: added for any reason. `used`: spent, less what was given back. `expired` ran out unspent; `taken_back`
    were taken because money went back, or by an operator.
    """

    issued: int
    used: int
    expired: int
    taken_back: int


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
    """The accounts that signed up in each of the last `months` months, including this one, oldest first.

    Without accounts that were deleted since.
    """
    wanted = _months(months)
    by_month = _new_accounts(wanted[0]).annotate(month=TruncMonth("created_at", tzinfo=UTC)).values_list("month")
    found = dict(by_month.annotate(count=Count("pk")))
    return [MonthCount(_name(month), found.get(month, 0)) for month in wanted]


def new_accounts_by_week(weeks: int = WEEKS) -> list[WeekCount]:
    """The accounts that signed up in each of the last `weeks` weeks, including this one, oldest first.

    Weeks begin on Monday, UTC. Without accounts that were deleted since.
    """
    today = clock.today()
    monday = today - timedelta(days=today.weekday())
    wanted = [midnight(monday - timedelta(weeks=ago)) for ago in range(weeks - 1, -1, -1)]
    by_week = _new_accounts(wanted[0]).annotate(week=TruncWeek("created_at", tzinfo=UTC)).values_list("week")
    found = dict(by_week.annotate(count=Count("pk")))
    return [WeekCount(week.date(), found.get(week, 0)) for week in wanted]


def active_subscriptions_by_plan() -> list[PlanCount]:
    """The number of active subscriptions by plan, largest first."""
    active = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).order_by()
    # Count first, then look up the few plans: joining half a million rows first took five times as long.
    counts = dict(active.values_list("plan_id").annotate(count=Count("pk")))
    plans = Plan.objects.filter(pk__in=counts)
    rows = [PlanCount(plan.slug, plan.name, counts[plan.pk]) for plan in plans]
    return sorted(rows, key=lambda row: (-row.subscriptions, row.plan))


def monthly_recurring_revenue() -> list[CurrencyAmount]:
    """What live subscriptions bring in per month by the terms in force, net of tax, by currency.

    An annual price counts one twelfth. A subscription that was never paid has no terms in force yet.
    """
    live = Subscription.objects.filter(status__in=LIVE_STATUSES, terms_price__isnull=False).order_by()
    sums = live.values_list("terms_currency", "terms_billing_cycle").annotate(total=Sum("terms_price"))
    twelfths: dict[str, Decimal] = defaultdict(Decimal)
    for currency, cycle, total in sums:
        twelfths[currency] += (1 if cycle == BillingCycle.ANNUAL else 12) * total
    # Divided and rounded once at the end, because rounding errors of many subscriptions would add up.
    return [
        CurrencyAmount(currency, round_amount(total / 12, currency)) for currency, total in sorted(twelfths.items())
    ]


def revenue_by_month(months: int = MONTHS) -> list[MonthRevenue]:
    """The revenue of the last `months` months, including this one: by month, oldest first, then by currency.

    A currency in which any money moved in that time has a row for every month.
    """
    wanted = [month.date() for month in _months(months)]
    sums = sums_by_month(wanted[0], clock.now(), MONEY)
    currencies = sorted({currency for _, _, currency in sums})

    def of(month: date, currency: str) -> MonthRevenue:
        allocated, released, given_back = (sums[month, kind.value, currency] for kind in MONEY)
        return MonthRevenue(_name(month), currency, allocated - released, given_back)

    return [of(month, currency) for month in wanted for currency in currencies]


def credits_this_month() -> CreditFlow:
    """Credits issued, used, expired and taken back since the first of this month (UTC)."""
    month = _months(1)[0].date()
    sums = sums_by_month(month, clock.now(), CREDITS)
    issued, used, expired, taken_back = (int(sums[month, kind.value, ""]) for kind in CREDITS)
    return CreditFlow(issued, used, expired, taken_back)


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


def failed_since() -> datetime:
    """From when on a failed payment is told of: a whole second, as an address can say it."""
    return (clock.now() - timedelta(days=FAILED_DAYS)).replace(microsecond=0)


def failed_payments() -> QuerySet[Payment]:
    """Payments that failed or were rejected in the last 30 days, newest first, with account and invoice."""
    failed = Payment.objects.filter(status=PaymentStatus.FAILED, failed_at__gte=failed_since())
    return failed.select_related("account", "invoice").order_by("-failed_at", "-pk")


def past_due() -> QuerySet[Subscription]:
    """Subscriptions that are past due, those whose period ended first, first; with account and plan."""
    late = Subscription.objects.filter(status=SubscriptionStatus.PAST_DUE)
    return late.select_related("account", "plan").order_by("current_period_end", "pk")


def operators_events_today() -> QuerySet[Event]:
    """What operators have done since midnight (UTC), newest first, with account and actor."""
    operators = list(User.objects.filter(is_staff=True).values_list("pk", flat=True))
    today = Event.objects.filter(created_at__gte=midnight(clock.today()), actor_id__in=operators)
    return today.select_related("account", "actor").order_by("-pk")


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


def _name(month: date) -> str:
    return f"{month:%Y-%m}"


def _new_accounts(since: datetime) -> QuerySet[Account]:
    return Account.objects.filter(created_at__gte=since, deleted_at__isnull=True).order_by()
