"""Plans are changed, paid for and ended at the same instant: one order stands at the end, and the books balance."""

import random
from decimal import Decimal

import pytest
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService

from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.models import Invoice, Payment
from tests import make
from tests.concurrency.race import all_at_once, kinds, outcome_of
from tests.concurrency.unlocked import without_row_locks

THREADS = 8
ROUNDS = 5

upgrade = SubscriptionService.upgrade_subscription
cancel = SubscriptionService.cancel_subscription


def active() -> Subscription:
    ordered = make.subscription(plan_ordered=make.plan("starter"))
    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), make.operator())
    return Subscription.objects.select_related("account", "plan").get(pk=ordered.pk)


def open_changes(subscription: Subscription) -> int:
    return Invoice.objects.filter(subscription=subscription, status="pending").count()


@pytest.mark.usefixtures("books_balance")
def test_of_many_upgrades_at_once_one_order_is_open_at_the_end() -> None:
    growth, subscription = make.plan("growth", price=Decimal("139.00")), active()

    outcomes = all_at_once([lambda: upgrade(subscription, growth)] * THREADS)

    assert kinds(outcomes) == {"Invoice": THREADS}
    assert open_changes(subscription) == 1


@pytest.mark.usefixtures("transactional_db")
def test_canary_without_the_account_lock_two_orders_stay_open() -> None:
    growth, stayed_open = make.plan("growth", price=Decimal("139.00")), 0

    for _ in range(ROUNDS):
        subscription = active()
        with without_row_locks():
            all_at_once([lambda subscription=subscription: upgrade(subscription, growth)] * THREADS)
        stayed_open = max(stayed_open, open_changes(subscription))

    assert stayed_open > 1


@pytest.mark.usefixtures("books_balance")
def test_an_upgrade_is_paid_or_its_subscription_ends_never_both() -> None:
    growth, operator = make.plan("growth", price=Decimal("139.00")), make.operator()
    for _ in range(ROUNDS):
        subscription = active()
        invoice = upgrade(subscription, growth)
        assert invoice
        calls = [
            lambda invoice=invoice: PaymentService.create_manual_payment(invoice, "bank_transfer", f"BT-{invoice.pk}"),
            lambda subscription=subscription: cancel(subscription, cancel_at_period_end=False),
        ]

        outcomes = all_at_once(random.sample(calls, 2))

        payment = next((outcome for outcome in outcomes if isinstance(outcome, Payment)), None)
        subscription.refresh_from_db()
        invoice.refresh_from_db()
        if payment:
            assert kinds(outcomes) == {"Payment": 1, "PaymentUnderWay": 1}
            assert (subscription.status, invoice.status) == ("active", "pending")
            PaymentService.approve_manual_payment(payment, operator)
            assert Account.objects.get(pk=subscription.account_id).plan.slug == "growth"
        else:
            assert kinds(outcomes) == {"InvoiceNotPayable": 1, "Subscription": 1}
            assert (subscription.status, invoice.status) == ("canceled", "void")


@pytest.mark.usefixtures("books_balance")
def test_two_orders_of_a_first_plan_at_once_make_one() -> None:
    make.payment_method()
    account, plan = make.owner({"status": "trial"}).account, make.plan("starter")

    outcomes = all_at_once([lambda: SubscriptionService.create_subscription(account, plan, "bank_transfer")] * THREADS)

    assert kinds(outcomes) == {"Subscription": 1, "SubscriptionAlreadyLive": THREADS - 1}
    assert Invoice.objects.filter(account=account).count() == 1


@pytest.mark.usefixtures("books_balance")
def test_the_end_of_a_period_is_done_once_however_many_workers_do_it() -> None:
    subscription = active()
    cancel(subscription)
    Subscription.objects.update(current_period_end="2026-01-02T00:00Z", current_period_start="2026-01-01T00:00Z")

    outcomes = all_at_once([SubscriptionService.end_due_periods] * THREADS)

    assert all(isinstance(outcome, int) for outcome in outcomes)
    assert subscription.account.events.filter(type="subscription.canceled").count() == 1
    assert type(outcome_of(lambda: cancel(subscription))).__name__ == "NoSubscription"
