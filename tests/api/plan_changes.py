"""A paid period from START to END, plans to change to, and the owner's client at any moment of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from igny8_core.business.billing.services.payment_service import PaymentService
from rest_framework.test import APIClient

from igny8_core.auth.models import Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice
from igny8_core.events.deliveries import deliver_due
from tests import make

SUBSCRIPTIONS = "/api/v1/billing/subscriptions/"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF = START + timedelta(days=15, hours=12)
END = datetime(2026, 4, 1, 12, tzinfo=UTC)

ClientAt = Callable[[datetime], APIClient]


def pay(invoice: Invoice, operator: User) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), operator)


def post(client: APIClient, action: str, moment: datetime = HALF, **body: Any) -> Any:
    with time_machine.travel(moment, tick=False):
        return client.post(f"{SUBSCRIPTIONS}{action}/", body, format="json")


def current(owner: User) -> Subscription:
    return Subscription.objects.select_related("plan", "pending_plan", "account__plan").latest("pk")


def require_sound() -> None:
    # What happened at other times would be late by now.
    deliver_due()
    assert [result for result in broken_invariants() if result.violations] == []
