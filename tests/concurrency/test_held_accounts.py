"""An account that somebody holds for long stops the scheduled work of no other account."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import CreditGrant, Renewal
from igny8_core.business.billing.services.credits.granting import expire_due_credits
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.renewals.beginning import begin_due_periods
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals, invoice_renewal
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common import clock
from tests import make

pytestmark = pytest.mark.usefixtures("books_balance")
A_WHILE_AGO = timedelta(minutes=5)


@contextmanager
def held(account_id: int) -> Iterator[None]:
    """Somebody else keeps the account's lock, and the database gives up at once on who wants it."""
    taken, over = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            lock_account(account_id)
            taken.set()
            over.wait()
        connection.close()

    holder = Thread(target=hold)
    holder.start()
    taken.wait()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        yield
    finally:
        over.set()
        holder.join()
        connection.close()


def running() -> Subscription:
    ordered = make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), make.operator())
    return Subscription.objects.get(pk=ordered.pk)


def with_period_over(subscription: Subscription) -> Subscription:
    end = clock.now() - A_WHILE_AGO
    start = end - timedelta(days=30)
    times = {"current_period_start": start, "current_period_end": end, "billing_anchor": start}
    Subscription.objects.filter(pk=subscription.pk).update(**times)
    return Subscription.objects.get(pk=subscription.pk)


def ending() -> Subscription:
    """One that was canceled for the end of its period, which is over."""
    return with_period_over(SubscriptionService.cancel_subscription(running()))


def paid_ahead() -> Subscription:
    """One whose next period was paid before it began, which is now."""
    subscription = with_period_over(running())
    later = clock.now() + timedelta(days=3)
    Subscription.objects.filter(pk=subscription.pk).update(current_period_end=later)
    invoice_renewal(subscription)
    renewal = Renewal.objects.get(subscription=subscription)
    PaymentService.approve_manual_payment(make.submitted_payment(renewal.invoice), make.operator())
    now = clock.now() - A_WHILE_AGO
    Renewal.objects.filter(pk=renewal.pk).update(period_start=now)
    Subscription.objects.filter(pk=subscription.pk).update(current_period_end=now)
    return subscription


def voided() -> Subscription:
    """One whose period is over while the invoice of the next one was voided."""
    subscription = with_period_over(running())
    invoice_renewal(subscription)
    mark_void(Renewal.objects.get(subscription=subscription).invoice, "Wrong")
    return subscription


def expiring() -> Subscription:
    """One whose credits are over."""
    subscription = running()
    CreditGrant.objects.filter(account=subscription.account_id).update(expires_at=clock.now() - A_WHILE_AGO)
    return subscription


@pytest.mark.parametrize(
    ("set_up", "work", "is_done"),
    [
        (ending, SubscriptionService.end_due_periods, lambda each: each.status == "canceled"),
        (paid_ahead, begin_due_periods, lambda each: each.current_period_end > clock.now()),
        (voided, invoice_due_renewals, lambda each: each.invoices.filter(status="pending").exists()),
        (expiring, expire_due_credits, lambda each: each.account.credits == 0),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_others_have_their_turn(
    set_up: Callable[[], Subscription], work: Callable[[], object], is_done: Callable[[Subscription], bool]
) -> None:
    first, second = set_up(), set_up()

    with held(first.account_id):
        work()

    assert [is_done(Subscription.objects.get(pk=each.pk)) for each in (first, second)] == [False, True]
    work()
    assert is_done(Subscription.objects.get(pk=first.pk))
