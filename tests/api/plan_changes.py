"""A paid period from START to END, plans to change to, and the owner's client at any moment of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.deliveries import deliver_others, send_now
from tests import make

SUBSCRIPTIONS = "/api/v1/billing/subscriptions/"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF = START + timedelta(days=15, hours=12)
END = datetime(2026, 4, 1, 12, tzinfo=UTC)

ClientAt = Callable[[datetime], APIClient]


def pay(invoice: Invoice, operator: User) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), operator)


def plans_to_change_between() -> None:
    make.payment_method()
    make.plan("starter")
    make.plan("growth", price=Decimal("139.00"), included_credits=2000, max_sites=3)
    make.plan("mini", price=Decimal("19.00"), included_credits=100, max_sites=1, max_users=1)
    make.plan("yearly", price=Decimal("1390.00"), included_credits=24000, billing_cycle="annual")


def paid_period() -> User:
    """The plans, and the owner of an account that has paid for starter from START to END."""
    plans_to_change_between()
    with time_machine.travel(START, tick=False):
        owner = make.owner({"status": "pending_payment"})
        pay(make.subscription(owner.account).invoices.get(), make.operator())
    return User.objects.get(pk=owner.pk)


def post(client: APIClient, action: str, moment: datetime = HALF, **body: Any) -> Any:
    with time_machine.travel(moment, tick=False):
        return client.post(f"{SUBSCRIPTIONS}{action}/", body, format="json")


def current(owner: User) -> Subscription:
    return Subscription.objects.select_related("plan", "pending_plan", "account__plan").latest("pk")


def require_sound() -> None:
    # What happened at other times would be late by now. Mails, with the documents in them, have tests of their own.
    deliver_others()
    send_now()
    assert [result for result in broken_invariants() if result.violations] == []
