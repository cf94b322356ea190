"""What breaks the invariants of dunning. A world is that of test_invariants.py."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from igny8_core.business.billing.models import DunningStep, Payment
from tests.billing.breaking import run


def fall_behind_without_a_subscription(world: Any) -> None:
    run("UPDATE igny8_accounts SET status = 'past_due' WHERE id = %s", world.paid.pk)


def suspend_who_has_paid(world: Any) -> None:
    run("UPDATE igny8_accounts SET status = 'suspended', suspended_reason = 'non_payment' WHERE id = %s", world.paid.pk)


def step_while(payment: str, after: timedelta) -> Callable[[Any], object]:
    """A step that was taken so long after a payment was submitted."""

    def take(world: Any) -> None:
        confirmed: Payment = getattr(world, payment)
        DunningStep.objects.create(
            account=confirmed.account,
            invoice=confirmed.invoice,
            stage=1,
            kind="overdue",
            amount_due=confirmed.amount,
            taken_on=timezone.now().date(),
            taken_at=confirmed.created_at + after,
        )

    take.__name__ = f"step_while_{payment}"
    return take


def step_while_rejected(world: Any) -> None:
    Payment.objects.filter(pk=world.rejected.pk).update(failed_at=world.rejected.created_at + timedelta(hours=2))
    step_while("rejected", timedelta(hours=1))(world)


DUNNING_BREAKS: list[tuple[int, Callable[[Any], object]]] = [
    (21, fall_behind_without_a_subscription),
    (21, suspend_who_has_paid),
    (22, step_while("waiting", timedelta(hours=1))),
    (22, step_while_rejected),
]
