"""The console's first page: what waits for operators and how business stands, one query per figure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

from igny8_core.auth.models import Account, AccountStatus, Subscription, SubscriptionStatus
from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.events.console import amount_text, change_url
from igny8_core.events.models import Event

SHOWN_WAITING = 5
SHOWN_EVENTS = 8


@dataclass(frozen=True)
class Card:
    """A figure with a line under it and the list it comes from."""

    title: str
    figure: str
    detail: str
    href: str
    icon: str
    urgent: bool = False


def environment(request: HttpRequest) -> list[str] | None:
    """A ribbon that tells a development machine from the real thing."""
    return ["Development", "warning"] if settings.DEBUG else None


def waiting_badge(request: HttpRequest) -> str:
    """How many payments wait for approval, for the sidebar."""
    return str(Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL).count())


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what this operator may see."""
    cards: list[Card] = []
    if request.user.has_perm("billing.view_payment"):
        cards += [_waiting_card(), _revenue_card()]
        context["waiting"] = _oldest_waiting()
        context["waiting_url"] = _waiting_url()
    if request.user.has_perm("igny8_auth.view_subscription"):
        cards.append(_subscriptions_card())
    if request.user.has_perm("igny8_auth.view_account"):
        cards += _account_cards()
    if request.user.has_perm("events.view_event"):
        context["recent_events"] = _recent_events()
        context["events_url"] = reverse("admin:events_event_changelist")
    context["cards"] = cards
    return context


def _waiting_card() -> Card:
    waiting = Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL)
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    detail = f"The oldest for {timesince(found['oldest'], depth=1)}" if found["oldest"] else "Nothing to do"
    return Card("To approve", str(found["count"]), detail, _waiting_url(), "payments", bool(found["count"]))


def _revenue_card() -> Card:
    begin = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    succeeded = Payment.objects.filter(status=PaymentStatus.SUCCEEDED, processed_at__gte=begin)
    sums = succeeded.order_by().values_list("currency").annotate(total=Sum("amount")).order_by("-total")
    amounts = [amount_text(total or Decimal(0), currency) for currency, total in sums]
    first, others = (amounts[0], ", ".join(amounts[1:])) if amounts else ("0", "")
    address = f"{reverse('admin:billing_payment_changelist')}?status__exact={PaymentStatus.SUCCEEDED}"
    return Card(f"Revenue in {begin:%B}", first, others or "Payments that succeeded", address, "trending_up")


def _subscriptions_card() -> Card:
    count = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).count()
    address = f"{reverse('admin:igny8_auth_subscription_changelist')}?status__exact={SubscriptionStatus.ACTIVE}"
    return Card("Active subscriptions", f"{count:,}", "Paid and running", address, "autorenew")


def _account_cards() -> tuple[Card, Card]:
    rows = Account.objects.order_by().values_list("status").annotate(count=Count("pk"), balance=Sum("credits"))
    found = {status: (count, balance) for status, count, balance in rows}
    counts = (f"{found[status.value][0]:,} {status.label.lower()}" for status in AccountStatus if status.value in found)
    address = reverse("admin:igny8_auth_account_changelist")
    total = sum(count for count, _ in found.values())
    outstanding = sum(balance for _, balance in found.values())
    return (
        Card("Accounts", f"{total:,}", ", ".join(counts) or "None yet", address, "apartment"),
        Card("Credits outstanding", f"{outstanding:,}", "Granted and not spent", address, "toll"),
    )


def _waiting_url() -> str:
    return f"{reverse('admin:billing_payment_changelist')}?status__exact={PaymentStatus.PENDING_APPROVAL}"


def _oldest_waiting() -> list[dict[str, Any]]:
    waiting = Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL).select_related("account", "invoice")
    return [
        {
            "url": change_url("billing_payment", payment.pk),
            "invoice": payment.invoice.invoice_number,
            "account": payment.account.name,
            "amount": amount_text(payment.amount, payment.currency),
            "reference": payment.manual_reference,
            "flagged": payment.is_flagged_duplicate,
            "since": timesince(payment.created_at, depth=1),
        }
        for payment in waiting.order_by("created_at", "pk")[:SHOWN_WAITING]
    ]


def _recent_events() -> list[dict[str, Any]]:
    events = Event.objects.select_related("account", "actor").order_by("-pk")[:SHOWN_EVENTS]
    return [
        {
            "url": change_url("events_event", event.pk),
            "type": event.type,
            "account": event.account.name if event.account else "",
            "actor": str(event.actor or ""),
            "at": f"{timesince(event.created_at, depth=1)} ago",
        }
        for event in events
    ]
