"""The console's dashboard: what waits for operators, and how the business stands; figures come from reports.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince

from igny8_core.auth.models import SubscriptionStatus
from igny8_core.business.billing import reports
from igny8_core.business.billing.models import PaymentStatus, WebhookState
from igny8_core.business.billing.selectors import payment_method_configs
from igny8_core.business.billing.services.reconciliation.books import BROKEN, TASK
from igny8_core.common import clock
from igny8_core.common.money import amount_text
from igny8_core.console.charts import Chart, Point, chart_of
from igny8_core.console.columns import change_url
from igny8_core.events.runs import last_runs

SHOWN = 5


@dataclass(frozen=True)
class Card:
    """A figure, a line of explanation, and a link to the list behind it. `tone`: "", "urgent" or "danger"."""

    title: str
    figure: str
    detail: str
    href: str
    icon: str
    tone: str = ""


@dataclass(frozen=True)
class Cell:
    """A text in a list; with `href` a link. `is_wide`: left out where there is little room."""

    text: str
    href: str = ""
    flag: str = ""
    is_wide: bool = False
    is_number: bool = False


@dataclass(frozen=True)
class Listing:
    """The first rows of a list, with a link to all of it; `nothing` stands there if it is empty."""

    title: str
    href: str
    more: str
    head: tuple[Cell, ...]
    rows: Sequence[tuple[Cell, ...]]
    nothing: str


def environment(request: HttpRequest) -> list[str] | None:
    """The ribbon "Development" under DEBUG, so that nobody mistakes a development server for production."""
    return ["Development", "warning"] if settings.DEBUG else None


def waiting_badge(request: HttpRequest) -> str:
    """The number in the sidebar: how many payments wait for a decision."""
    return str(_waiting(request)[0].count)


def review_badge(request: HttpRequest) -> str:
    """The number below it: how many payments do not match what their gateway says."""
    return str(_waiting(request)[1])


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the dashboard, with the figures that this operator may see."""
    may = request.user.has_perm
    cards = _books_cards() if may("events.view_event") else []
    charts: list[Chart] = []
    lists: list[Listing] = []
    if may("billing.view_payment"):
        waiting, to_review = _waiting(request)
        revenue = reports.revenue_by_month()
        cards += [_waiting_card(waiting), *_review_cards(to_review), _revenue_card(revenue)]
        charts += _revenue_charts(revenue)
        lists += [_oldest_waiting(), _failed_payments()]
    if may("billing.view_webhookevent"):
        cards += _message_cards()
    if may("billing.view_paymentmethodconfig"):
        cards += _sample_cards()
    if may("igny8_auth.view_subscription"):
        plans = reports.active_subscriptions_by_plan()
        cards += [_subscriptions_card(plans), _recurring_card()]
        charts.append(_plans_chart(plans))
        lists.append(_past_due())
    if may("igny8_auth.view_account"):
        cards += _account_cards()
        charts.append(_accounts_chart())
    if may("billing.view_credittransaction"):
        cards.append(_credits_card())
    if may("events.view_event"):
        lists.append(_done_today())
    return {**context, "cards": cards, "charts": charts, "lists": lists}


def _waiting(request: HttpRequest) -> tuple[reports.Waiting, int]:
    """Payments that wait for approval and for review. Sidebar and page share one result per request."""
    if not hasattr(request, "igny8_waiting"):
        request.igny8_waiting = (reports.pending_approvals(), reports.payments_to_review())  # type: ignore[attr-defined]
    found: tuple[reports.Waiting, int] = request.igny8_waiting  # type: ignore[attr-defined]
    return found


def _books_cards() -> list[Card]:
    """A red card while the last check of the books found broken rules; none if all hold."""
    checked = last_runs().get(TASK)
    if not (checked and checked.count):
        return []
    detail = "Rules of money, credits or accounts are broken; find out why before you decide more"
    return [Card("Books to check", f"{checked.count:,}", detail, _list("events_event", type=BROKEN), "error", "danger")]


def _waiting_card(waiting: reports.Waiting) -> Card:
    since = timesince(waiting.oldest_at, depth=1) if waiting.oldest_at else ""
    detail = f"The oldest has waited for {since}" if since else "Nothing to do"
    address = reverse("admin:billing_payment_queue")
    return Card("Payments to approve", f"{waiting.count:,}", detail, address, "payments", "urgent" if since else "")


def _review_cards(count: int) -> list[Card]:
    """A card for payments that do not match what their gateway says; none if there are none."""
    address = _list("billing_payment", needs_review__exact="1")
    detail = "The gateway's data does not match ours"
    return [Card("Payments to review", f"{count:,}", detail, address, "report", "urgent")] if count else []


def _message_cards() -> list[Card]:
    """A card for webhook messages that match nothing here; none if there are none."""
    count = reports.webhooks_to_review()
    address = _list("billing_webhookevent", state__exact=WebhookState.NEEDS_REVIEW)
    detail = "About money or subscriptions that we do not know"
    card = Card("Webhook messages to review", f"{count:,}", detail, address, "mark_email_unread", "urgent")
    return [card] if count else []


def _sample_cards() -> list[Card]:
    """A red card while sample bank and wallet details are switched on; none if there are none."""
    count = payment_method_configs().filter(is_sample=True, is_enabled=True).count()
    address = _list("billing_paymentmethodconfig", is_sample__exact="1")
    detail = (
        "Customers see sample bank or wallet details, and nobody would get their money"
        if settings.OFFER_SAMPLE_PAYEES
        else "Not offered to customers until you enter your own bank or wallet details"
    )
    card = Card("Payment methods to set up", f"{count:,}", detail, address, "account_balance", "danger")
    return [card] if count else []


def _revenue_card(revenue: list[reports.MonthRevenue]) -> Card:
    """This month's revenue; under it last month's, and the other currencies."""
    this, last = _months_named(revenue)
    nets = {currency: (this[currency], last.get(currency, Decimal(0))) for currency in this}
    ordered = sorted(nets, key=lambda currency: (-nets[currency][0], -nets[currency][1], currency))
    texts = [(amount_text(nets[name][0], name), f"{amount_text(nets[name][1], name)} last month") for name in ordered]
    others = [f"{now} ({before})" for now, before in texts[1:]]
    detail = "; ".join([texts[0][1], *others]) if texts else "Money allocated, less money given back"
    address = _list("billing_payment", **_since("processed_at", clock.today().replace(day=1)))
    return Card(f"Revenue in {clock.now():%B}", texts[0][0] if texts else "0", detail, address, "trending_up")


def _months_named(revenue: list[reports.MonthRevenue]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Net amounts by currency of the last month in `revenue`, and of the one before."""
    months = sorted({row.month for row in revenue})[-2:]
    found = [{row.currency: row.net for row in revenue if row.month == month} for month in months]
    return (found[1], found[0]) if len(found) > 1 else ({}, {})


def _subscriptions_card(plans: list[reports.PlanCount]) -> Card:
    count = sum(plan.subscriptions for plan in plans)
    address = _list("igny8_auth_subscription", status__exact=SubscriptionStatus.ACTIVE)
    return Card("Active subscriptions", f"{count:,}", "Paid and in their period", address, "autorenew")


def _recurring_card() -> Card:
    sums = sorted(reports.monthly_recurring_revenue(), key=lambda row: (-row.amount, row.currency))
    amounts = [amount_text(row.amount, row.currency) for row in sums]
    detail = ", ".join([*amounts[1:], "recurring a month by the terms in force, net of tax"])
    address = reverse("admin:igny8_auth_subscription_changelist")
    return Card("MRR", amounts[0] if amounts else "0", detail, address, "event_repeat")


def _account_cards() -> tuple[Card, Card]:
    found = [row for row in reports.accounts_by_status() if row.accounts]
    counts = (f"{row.accounts:,} {row.status.label.lower()}" for row in found)
    address = reverse("admin:igny8_auth_account_changelist")
    total, outstanding = sum(row.accounts for row in found), reports.credits_outstanding()
    return (
        Card("Accounts", f"{total:,}", ", ".join(counts) or "None yet", address, "apartment"),
        Card("Unspent credits", f"{outstanding:,}", "Granted to accounts and not spent yet", address, "toll"),
    )


def _credits_card() -> Card:
    flow = reports.credits_this_month()
    detail = f"issued; {flow.used:,} used, {flow.expired:,} expired, {flow.taken_back:,} taken back"
    address = _list("billing_credittransaction", **_since("created_at", clock.today().replace(day=1)))
    return Card(f"Credits in {clock.now():%B}", f"{flow.issued:,}", detail, address, "add_card")


def _revenue_charts(revenue: list[reports.MonthRevenue]) -> Iterator[Chart]:
    """One for each currency: amounts of different currencies are never put on one scale."""
    address = _list("billing_payment", status__exact=PaymentStatus.SUCCEEDED)
    head = ("Month", "Revenue", "Given back")
    for currency in sorted({row.currency for row in revenue}):
        months = [row for row in revenue if row.currency == currency]
        points = [
            Point(_month(row.month), row.net, amount_text(row.net, currency), (amount_text(row.refunded, currency),))
            for row in months
        ]
        yield chart_of(f"Revenue by month in {currency}", head, points, address)


def _accounts_chart() -> Chart:
    weeks = reports.new_accounts_by_week()
    points = [Point(f"{week.monday:%d %b}", week.accounts, f"{week.accounts:,}") for week in weeks]
    address = reverse("admin:igny8_auth_account_changelist")
    return chart_of("New accounts by week", ("Week from", "Accounts"), points, address)


def _plans_chart(plans: Sequence[reports.PlanCount]) -> Chart:
    points = [Point(plan.name, plan.subscriptions, f"{plan.subscriptions:,}") for plan in plans]
    address = _list("igny8_auth_subscription", status__exact=SubscriptionStatus.ACTIVE)
    return chart_of("Active subscriptions by plan", ("Plan", "Subscriptions"), points, address)


def _oldest_waiting() -> Listing:
    rows = [
        (
            Cell(payment.invoice.invoice_number, reverse("admin:billing_payment_check", args=[payment.pk])),
            Cell(payment.account.name),
            Cell(payment.manual_reference, flag="repeated" if payment.is_flagged_duplicate else "", is_wide=True),
            Cell(amount_text(payment.amount, payment.currency), is_number=True),
            Cell(timesince(payment.created_at, depth=1), is_wide=True, is_number=True),
        )
        for payment in reports.oldest_waiting(SHOWN)
    ]
    return Listing(
        "Longest waiting payments",
        reverse("admin:billing_payment_queue"),
        "Check them one by one",
        (Cell("Invoice"), Cell("Account"), Cell("Reference", is_wide=True), *_numbers("Amount", wide="Waiting")),
        rows,
        "No payments are waiting for approval.",
    )


def _failed_payments() -> Listing:
    rows = [
        (
            Cell(payment.invoice.invoice_number, change_url("billing_payment", payment.pk)),
            Cell(payment.account.name),
            Cell(payment.failure_reason, is_wide=True),
            Cell(amount_text(payment.amount, payment.currency), is_number=True),
            Cell(_ago(payment.failed_at), is_wide=True, is_number=True),
        )
        for payment in reports.failed_payments()[:SHOWN]
    ]
    return Listing(
        "Failed payments",
        _list("billing_payment", status__exact=PaymentStatus.FAILED, **_since("failed_at", reports.failed_since())),
        f"All that failed in the last {reports.FAILED_DAYS} days",
        (Cell("Invoice"), Cell("Account"), Cell("Reason", is_wide=True), *_numbers("Amount", wide="Failed")),
        rows,
        f"No payment failed in the last {reports.FAILED_DAYS} days.",
    )


def _past_due() -> Listing:
    rows = [
        (
            Cell(row.account.name, change_url("igny8_auth_subscription", row.pk)),
            Cell(row.plan.name, is_wide=True),
            Cell(amount_text(row.terms_price or Decimal(0), row.terms_currency or ""), is_number=True),
            Cell(_ago(row.current_period_end), is_number=True),
        )
        for row in reports.past_due()[:SHOWN]
    ]
    return Listing(
        "Past due subscriptions",
        _list("igny8_auth_subscription", status__exact=SubscriptionStatus.PAST_DUE),
        "All that are past due",
        (Cell("Account"), Cell("Plan", is_wide=True), *_numbers("Price", "Period ended")),
        rows,
        "No subscription is past due.",
    )


def _done_today() -> Listing:
    rows = [
        (
            Cell(event.type, change_url("events_event", event.pk)),
            Cell(event.account.name if event.account else ""),
            Cell(str(event.actor or ""), is_wide=True),
            Cell(f"{event.created_at:%H:%M}", is_number=True),
        )
        for event in reports.operators_events_today()[:SHOWN]
    ]
    return Listing(
        "What operators did today",
        _list("events_event", who="operators", **_since("created_at", clock.today())),
        "All of today",
        (Cell("Event"), Cell("Account"), Cell("By", is_wide=True), *_numbers("At (UTC)")),
        rows,
        "No operator has done anything since midnight (UTC).",
    )


def _numbers(*names: str, wide: str = "") -> tuple[Cell, ...]:
    last = (Cell(wide, is_wide=True, is_number=True),) if wide else ()
    return (*(Cell(name, is_number=True) for name in names), *last)


def _list(model: str, **filters: str) -> str:
    """The address of a model's list with filters; `model` is app_model."""
    return reverse(f"admin:{model}_changelist", query=filters)


def _since(column: str, moment: date) -> dict[str, str]:
    """The filters of a list from a moment on, or from the beginning of a day."""
    return {f"{column}_from_0": f"{moment:%Y-%m-%d}", f"{column}_from_1": f"{moment:%H:%M:%S}"}


def _month(name: str) -> str:
    return f"{date.fromisoformat(f'{name}-01'):%b %y}"


def _ago(moment: Any) -> str:
    return f"{timesince(moment, depth=1)} ago" if moment else ""
