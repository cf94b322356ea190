"""Ordering a plan and starting it."""

from decimal import Decimal
from typing import Any

import pytest

from igny8_core.auth.models import SUBSCRIPTION_TRANSITIONS, Account, Subscription, SubscriptionStatus, User
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice
from igny8_core.business.billing.pricing import period_end
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common.errors import TransitionNotAllowed
from igny8_core.common.states import transition
from igny8_core.events.models import Event
from tests import make
from tests.refusals import require_refusal

pytestmark = pytest.mark.django_db

order = SubscriptionService.create_subscription


def test_an_order_makes_subscription_invoice_and_default_method(alice: User) -> None:
    make.payment_method()

    subscription = order(alice.account, make.plan(), "bank_transfer", created_by=alice)

    assert (subscription.status, subscription.current_period_end) == ("pending_payment", None)
    assert subscription.invoices.get().total == Decimal("89")
    method = AccountPaymentMethod.objects.get()
    assert (method.type, method.display_name, method.is_default) == ("bank_transfer", "Bank Transfer", True)
    account = Account.objects.get(pk=alice.account_id)
    assert (account.status, account.payment_method) == ("active", "bank_transfer")
    assert subscription.payment_method == account.default_payment_method == "bank_transfer"
    assert list(Event.objects.order_by("pk").values_list("type", "actor_id")) == [
        ("subscription.created", alice.pk),
        ("invoice.created", alice.pk),
    ]


@pytest.mark.parametrize("fields", [{"price": 0}, {"is_public": False}, {"is_active": False}])
def test_a_plan_that_is_free_hidden_or_retired_is_not_ordered(alice: User, fields: dict[str, Any]) -> None:
    make.payment_method()
    plan = make.plan("other", **fields)

    require_refusal(errors.PlanNotOffered, lambda: order(alice.account, plan, "bank_transfer"))


def test_a_method_that_is_not_offered_or_not_set_up_is_refused(alice: User) -> None:
    make.payment_method()
    make.payment_method(payment_method="stripe")

    for method in ("local_wallet", "manual", "cash", ""):
        require_refusal(
            errors.PaymentMethodNotAvailable, lambda method=method: order(alice.account, make.plan(), method)
        )
    require_refusal(errors.GatewayNotConfigured, lambda: order(alice.account, make.plan(), "stripe"))


def test_one_subscription_is_live_at_a_time(alice: User) -> None:
    first = make.subscription(alice.account)
    for status in (SubscriptionStatus.PENDING_PAYMENT, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE):
        now = alice.date_joined
        Subscription.objects.filter(pk=first.pk).update(
            status=status,
            billing_anchor=now,
            current_period_start=now,
            current_period_end=period_end(now, 1, "monthly"),
            **make.in_force(),
        )
        require_refusal(errors.SubscriptionAlreadyLive, lambda: order(alice.account, make.plan(), "bank_transfer"))
    Subscription.objects.filter(pk=first.pk).update(status="canceled")

    assert order(alice.account, make.plan(), "bank_transfer").status == "pending_payment"


def test_a_new_default_method_replaces_the_old_one(alice: User) -> None:
    make.payment_method(payment_method="local_wallet", display_name="JazzCash")
    first = make.subscription(alice.account)
    Subscription.objects.filter(pk=first.pk).update(status="canceled")

    order(alice.account, make.plan(), "local_wallet")

    assert list(AccountPaymentMethod.objects.filter(is_default=True).values_list("type", flat=True)) == ["local_wallet"]
    assert AccountPaymentMethod.objects.count() == 2


@pytest.mark.parametrize(("cycle", "months"), [("monthly", 1), ("annual", 12)])
def test_the_first_period_is_as_long_as_the_plans_cycle(olga: User, cycle: str, months: int) -> None:
    plan = make.plan("cyclic", billing_cycle=cycle)
    payment = make.submitted_payment(make.subscription(plan_ordered=plan).invoices.get())

    subscription = PaymentService.approve_manual_payment(payment, olga).invoice.subscription

    assert subscription.current_period_end == period_end(subscription.billing_anchor, months, "monthly")


@pytest.mark.parametrize("start", SubscriptionStatus)
@pytest.mark.parametrize("end", SubscriptionStatus)
def test_a_subscription_moves_only_as_the_table_says(start: SubscriptionStatus, end: SubscriptionStatus) -> None:
    subscription = make.subscription()
    now = subscription.created_at
    period = {"billing_anchor": now, "current_period_start": now, "current_period_end": period_end(now, 1, "monthly")}
    Subscription.objects.filter(pk=subscription.pk).update(status=start, **period, **make.in_force())
    subscription.refresh_from_db()

    if end in SUBSCRIPTION_TRANSITIONS[start]:
        transition(subscription, end, SUBSCRIPTION_TRANSITIONS)
        assert Subscription.objects.get(pk=subscription.pk).status == end
    else:
        require_refusal(TransitionNotAllowed, lambda: transition(subscription, end, SUBSCRIPTION_TRANSITIONS))


def test_an_order_that_fails_half_way_leaves_nothing(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make.payment_method()

    def fail(*args: Any, **kwargs: Any) -> Invoice:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("igny8_core.business.billing.services.subscriptions.ordering.create_subscription_invoice", fail)

    require_refusal(RuntimeError, lambda: order(alice.account, make.plan(), "bank_transfer"))
