"""Remind operators of confirmations that wait for them: until they decide, the clock of dunning stands still."""

from datetime import date

from django.conf import settings
from django.db.models import QuerySet

from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.business.billing.services.dunning.calendar import DAY, Calendar, current_calendar
from igny8_core.common import clock
from igny8_core.common.db import lock_text, service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event

REMINDED = "payment.left_undecided"
# The operators are in no country: their own days off are those of the table for all countries.
NOWHERE = ""


@service_transaction
def remind_of_undecided() -> int:
    """Tell the operators of all confirmations that wait for long, at most once on each business day.

    Long is settings.CONFIRMATION_REMINDER_DAYS business days. Returns how many there are; 0 if nobody is told now.
    """
    today, calendar = clock.today(), current_calendar()
    late = [payment for payment in undecided() if is_late(payment, today, calendar)]
    if not late or not calendar.is_business_day(NOWHERE, today):
        return 0
    lock_text(REMINDED, f"{today}")
    if Event.objects.filter(type=REMINDED, created_at__date=today).exists():
        return 0
    # About the oldest one, and of no account: it is for operators, and tells of several customers.
    facts = {"payment_ids": [payment.pk for payment in late]}
    events.record(events.NewEvent(REMINDED, late[0], account_id=None, data=facts))
    return len(late)


def undecided() -> QuerySet[Payment]:
    """The confirmations that wait for an operator, oldest first."""
    waiting = Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL).select_related("account", "invoice")
    return waiting.order_by("created_at", "pk")


def is_late(payment: Payment, today: date, calendar: Calendar) -> bool:
    """Whether as many business days have passed since the confirmation came as operators are given."""
    came_on, passed = payment.created_at.date(), 0
    day = today
    while day > came_on and passed < settings.CONFIRMATION_REMINDER_DAYS:
        passed += calendar.is_business_day(NOWHERE, day)
        day -= DAY
    return passed >= settings.CONFIRMATION_REMINDER_DAYS
