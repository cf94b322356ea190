"""Ways to break what periods and renewals say of each other; for test_invariants."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import Renewal
from tests import make
from tests.billing.breaking import run, unguarded

MONTH = timedelta(days=30)


def _subscription(world: Any) -> Subscription:
    return Subscription.objects.get(account=world.paid)


def _renewal(world: Any, offset: timedelta, status: str, **columns: Any) -> Renewal:
    """A renewal whose period begins so long after the end of the subscription's period."""
    subscription = _subscription(world)
    start = subscription.current_period_end + offset
    columns = {"begun_at": start} | columns if status == "begun" else columns
    return Renewal.objects.create(
        account=world.paid,
        subscription=subscription,
        invoice=make.invoice(world.paid, subscription=subscription),
        period_start=start,
        period_end=start + MONTH,
        status=status,
        **columns,
    )


def _end_period(world: Any) -> None:
    run(
        "UPDATE igny8_subscriptions SET current_period_start = now() - interval '40 days', "
        "current_period_end = now() - interval '11 minutes' WHERE account_id = %s",
        world.paid.pk,
    )


def leave_a_period_without_renewal(world: Any) -> None:
    _end_period(world)


def leave_a_paid_period_unbegun(world: Any) -> None:
    _end_period(world)
    _renewal(world, timedelta(0), "paid")


def leave_a_period_with_a_void_renewal(world: Any) -> None:
    _end_period(world)
    renewal = _renewal(world, timedelta(0), "open")
    run("UPDATE igny8_invoices SET status = 'void' WHERE id = %s", renewal.invoice_id)


def leave_a_scheduled_end_undone(world: Any) -> None:
    _end_period(world)
    run("UPDATE igny8_subscriptions SET cancel_at_period_end = TRUE WHERE account_id = %s", world.paid.pk)


def leave_a_gap_between_periods(world: Any) -> None:
    _renewal(world, -3 * MONTH, "begun")
    _renewal(world, -2 * MONTH + timedelta(seconds=1), "begun")


def let_periods_overlap(world: Any) -> None:
    _renewal(world, -3 * MONTH, "begun")
    _renewal(world, -2 * MONTH - timedelta(seconds=1), "begun")


def run_in_another_period_than_was_begun(world: Any) -> None:
    _renewal(world, -2 * MONTH, "begun")


def renew_another_period(world: Any) -> None:
    _renewal(world, timedelta(seconds=1), "open")


def withdraw_without_event(world: Any) -> None:
    _renewal(world, timedelta(0), "withdrawn")


def begin_without_event(world: Any) -> None:
    _renewal(world, timedelta(0), "begun")


def cross_renewal(world: Any) -> None:
    renewal = _renewal(world, timedelta(0), "open")
    unguarded("igny8_renewals")
    run("UPDATE igny8_renewals SET account_id = %s WHERE id = %s", world.trial.pk, renewal.pk)


RENEWAL_BREAKS: list[tuple[int, Callable[[Any], object]]] = [
    (9, leave_a_period_without_renewal),
    (9, leave_a_paid_period_unbegun),
    (9, leave_a_period_with_a_void_renewal),
    (9, leave_a_scheduled_end_undone),
    (10, leave_a_gap_between_periods),
    (10, let_periods_overlap),
    (10, run_in_another_period_than_was_begun),
    (10, renew_another_period),
    (13, cross_renewal),
    (16, withdraw_without_event),
    (16, begin_without_event),
]
