"""A subscription that runs since a month's last day, and what happens to it as time passes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import time_machine

from igny8_core.auth.models import Account, AccountStatus, Plan, Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice, Payment, PaymentMethodConfig, Renewal
from igny8_core.business.billing.services.credits.granting import expire_due_credits
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.renewals.beginning import begin_due_periods
from igny8_core.business.billing.services.renewals.charging import charge_due_renewals
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
from igny8_core.business.billing.services.renewals.price_changes import announce_price_changes
from igny8_core.business.billing.services.subscriptions.ending import end_due_periods
from tests import make
from tests.rows import now
from tests.snapshots import restored

START = datetime(2026, 1, 31, 10, 30, tzinfo=UTC)
END = datetime(2026, 2, 28, 10, 30, tzinfo=UTC)
NEXT_END = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)
WEEK_BEFORE = END - timedelta(days=7)
Result = TypeVar("Result")


def at(moment: datetime, work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """What the work gives at that moment."""
    with time_machine.travel(moment, tick=False):
        return work(*args, **kwargs)


def running(plan: Plan | None = None, operator: User | None = None, **account: Any) -> Subscription:
    """A subscription that was paid for by bank transfer at START."""
    if not (plan or operator or account or is_anything_for_sale()):
        return restored("a subscription since START", _running)
    return _running(plan, operator, **account)


def is_anything_for_sale() -> bool:
    """Whether the test has plans or payment methods of its own, to which what is put back from rows does not refer."""
    return Plan.objects.exists() or PaymentMethodConfig.objects.exists()


def _running(plan: Plan | None = None, operator: User | None = None, **account: Any) -> Subscription:
    with time_machine.travel(START, tick=False):
        tenant = make.owner({"status": AccountStatus.PENDING_PAYMENT, **account}).account
        ordered = make.subscription(tenant, plan)
        payment = make.submitted_payment(ordered.invoices.get())
        PaymentService.approve_manual_payment(payment, operator or make.operator())
    return now(ordered)


def work_at(moment: datetime) -> None:
    """What the scheduled tasks do at that moment."""
    with time_machine.travel(moment, tick=False):
        expire_due_credits()
        begin_due_periods()
        end_due_periods()
        announce_price_changes()
        invoice_due_renewals()
        charge_due_renewals()


def pay_at(moment: datetime, invoice: Invoice, operator: User | None = None) -> Payment:
    """A bank transfer for the invoice, confirmed and approved at that moment."""
    with time_machine.travel(moment, tick=False):
        payment = make.submitted_payment(now(invoice))
        PaymentService.approve_manual_payment(payment, operator or make.operator())
    return now(payment)


def renewal_of(subscription: Subscription) -> Renewal:
    """The subscription's newest renewal."""
    newest = Renewal.objects.filter(subscription=subscription).select_related("invoice", "subscription", "account")
    return newest.order_by("-period_start")[0]


def account_of(subscription: Subscription) -> Account:
    return Account.objects.get(pk=subscription.account_id)


def require_sound_at(moment: datetime) -> None:
    """All invariants hold at that moment; mails, which nobody delivers here, aside."""
    assert [result for result in at(moment, broken_invariants) if result.number != 15] == []
