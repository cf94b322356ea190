"""The console's dashboard: what waits for operators, and business figures, with one query per figure."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince

from igny8_core.auth.models import SubscriptionStatus
from igny8_core.business.billing import reports
from igny8_core.business.billing.models import PaymentStatus, WebhookState
from igny8_core.business.billing.selectors import payment_method_configs
from igny8_core.common import clock
from igny8_core.common.money import amount_text
from igny8_core.console.columns import change_url

SHOWN_WAITING = 5
SHOWN_EVENTS = 8


@dataclass(frozen=True)
class Card:
    """A figure, a line of explanation, and a link to the list behind it."""

    title: str
    figure: str
    detail: str
    href: str
    icon: str
    urgent: bool = False


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
    cards: list[Card] = []
    if request.user.has_perm("billing.view_payment"):
        waiting, to_review = _waiting(request)
        cards += [_waiting_card(waiting), *_review_cards(to_review), _revenue_card()]
        context["waiting"] = _oldest_waiting()
        context["waiting_url"] = _waiting_url()
    if request.user.has_perm("billing.view_webhookevent"):
        cards += _message_cards()
    if request.user.has_perm("billing.view_paymentmethodconfig"):
        cards += _sample_cards()
    if request.user.has_perm("igny8_auth.view_subscription"):
        cards.append(_subscriptions_card())
    if request.user.has_perm("igny8_auth.view_account"):
        cards += _account_cards()
    if request.user.has_perm("events.view_event"):
        context["recent_events"] = _recent_events()
        context["events_url"] = reverse("admin:events_event_changelist")
    context["cards"] = cards
    return context


def _waiting(request: HttpRequest) -> tuple[reports.Waiting, int]:
    """Payments that wait for approval and for review. Sidebar and page share one result per request."""
    if not hasattr(request, "igny8_waiting"):
        request.igny8_waiting = (reports.pending_approvals(), reports.payments_to_review())  # type: ignore[attr-defined]
    found: tuple[reports.Waiting, int] = request.igny8_waiting  # type: ignore[attr-defined]
    return found


def _waiting_card(waiting: reports.Waiting) -> Card:
    since = timesince(waiting.oldest_at, depth=1) if waiting.oldest_at else ""
    detail = f"The oldest has waited for {since}" if since else "Nothing to do"
    return Card("Payments to approve", str(waiting.count), detail, _waiting_url(), "payments", bool(waiting.count))


def _review_cards(count: int) -> list[Card]:
    """A card for payments that do not match what their gateway says; none if there are none."""
    address = f"{reverse('admin:billing_payment_changelist')}?needs_review__exact=1"
    detail = "The gateway's data does not match ours"
    return [Card("Payments to review", str(count), detail, address, "report", True)] if count else []


def _message_cards() -> list[Card]:
    """A card for webhook messages that match nothing here; none if there are none."""
    count = reports.webhooks_to_review()
    address = f"{reverse('admin:billing_webhookevent_changelist')}?state__exact={WebhookState.NEEDS_REVIEW}"
    detail = "About money or subscriptions that we do not know"
    return [Card("Webhook messages to review", str(count), detail, address, "mark_email_unread", True)] if count else []


def _sample_cards() -> list[Card]:
    """A card for sample bank and wallet details that are still in use, on sites with real customers."""
    count = (
        0 if settings.OFFER_SAMPLE_PAYEES else payment_method_configs().filter(is_sample=True, is_enabled=True).count()
    )
    address = f"{reverse('admin:billing_paymentmethodconfig_changelist')}?is_sample__exact=1"
    detail = "Not offered to customers until you enter your own bank or wallet details"
    return [Card("Payment methods to set up", str(count), detail, address, "account_balance", True)] if count else []


def _revenue_card() -> Card:
    this_month = sorted(reports.revenue_by_month(1), key=lambda revenue: -revenue.net)
    amounts = [amount_text(revenue.net, revenue.currency) for revenue in this_month]
    first, others = (amounts[0], ", ".join(amounts[1:])) if amounts else ("0", "")
    address = f"{reverse('admin:billing_payment_changelist')}?status__exact={PaymentStatus.SUCCEEDED}"
    detail = others or "Successful payments, less refunds"
    return Card(f"Revenue in {clock.now():%B}", first, detail, address, "trending_up")


def _subscriptions_card() -> Card:
    count = sum(plan.subscriptions for plan in reports.active_subscriptions_by_plan())
    address = f"{reverse('admin:igny8_auth_subscription_changelist')}?status__exact={SubscriptionStatus.ACTIVE}"
    return Card("Active subscriptions", f"{count:,}", "Paid and in their period", address, "autorenew")


def _account_cards() -> tuple[Card, Card]:
    found = [row for row in reports.accounts_by_status() if row.accounts]
    counts = (f"{row.accounts:,} {row.status.label.lower()}" for row in found)
    address = reverse("admin:igny8_auth_account_changelist")
    total, outstanding = sum(row.accounts for row in found), reports.credits_outstanding()
    return (
        Card("Accounts", f"{total:,}", ", ".join(counts) or "None yet", address, "apartment"),
        Card("Unspent credits", f"{outstanding:,}", "Granted to accounts and not spent yet", address, "toll"),
    )


def _waiting_url() -> str:
    return reverse("admin:billing_payment_queue")


def _oldest_waiting() -> list[dict[str, Any]]:
    return [
        {
            "url": reverse("admin:billing_payment_check", args=[payment.pk]),
            "invoice": payment.invoice.invoice_number,
            "account": payment.account.name,
            "amount": amount_text(payment.amount, payment.currency),
            "reference": payment.manual_reference,
            "flagged": payment.is_flagged_duplicate,
            "since": timesince(payment.created_at, depth=1),
        }
        for payment in reports.oldest_waiting(SHOWN_WAITING)
    ]


def _recent_events() -> list[dict[str, Any]]:
    return [
        {
            "url": change_url("events_event", event.pk),
            "type": event.type,
            "account": event.account.name if event.account else "",
            "actor": str(event.actor or ""),
            "at": f"{timesince(event.created_at, depth=1)} ago",
        }
        for event in reports.recent_events(SHOWN_EVENTS)
    ]
