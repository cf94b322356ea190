"""What a customer has is what was paid for, or came at the end of a period; edits of the plan never reach it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from igny8_core.auth.errors import LimitReached
from igny8_core.auth.models import Plan, Subscription, User
from igny8_core.auth.services.sites import create_site
from igny8_core.business.billing import reports
from igny8_core.business.billing.errors import NotADowngrade, PlanNotOffered, SamePlan
from igny8_core.business.billing.hot_reads import balance_of, read_balance
from igny8_core.business.billing.limits import limits_of
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.serializers import SubscriptionOutput
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.subscriptions.plan_change import quote
from tests import make, reading

pytestmark = pytest.mark.django_db

EDITED = {
    "price": Decimal("999.00"), "included_credits": 5, "max_sites": 0, "max_users": 1, "credits_rollover": True,
    "billing_cycle": "annual", "currency": "PKR",
}  # fmt: skip


@pytest.fixture
def plans() -> dict[str, Plan]:
    figures = {"starter": ("89.00", 1000), "growth": ("139.00", 2000), "scale": ("229.00", 4000)}
    return {
        slug: make.plan(slug, price=Decimal(price), included_credits=credits, max_sites=3)
        for slug, (price, credits) in figures.items()
    }


def subscribed(plan: Plan, olga: User) -> Subscription:
    ordered = make.subscription(plan_ordered=plan)
    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), olga)
    return now(ordered)


def now(subscription: Subscription) -> Subscription:
    related = ("account__plan", "account__owner", "plan", "pending_plan")
    return Subscription.objects.select_related(*related).get(pk=subscription.pk)


def downgraded(subscription: Subscription, plan: Plan) -> Subscription:
    """Moved to a smaller plan at the end of its period; a new one runs."""
    SubscriptionService.downgrade_subscription(subscription, plan)
    moment = timezone.now()
    Subscription.objects.update(current_period_end=moment)
    SubscriptionService.end_due_periods()
    Subscription.objects.update(current_period_start=moment, current_period_end=moment + timedelta(days=30))
    return now(subscription)


def test_nothing_is_in_force_before_the_first_payment(plans: dict[str, Plan]) -> None:
    ordered = make.subscription(plan_ordered=plans["growth"])

    assert ordered.terms is None
    assert SubscriptionOutput(ordered).data["terms"] is None
    # The account has what it had.
    assert limits_of(ordered.account)["sites"].max == ordered.account.plan.max_sites


@pytest.mark.parametrize("column", EDITED)
def test_an_edit_of_the_plan_reaches_nobody_who_has_it(plans: dict[str, Plan], olga: User, column: str) -> None:
    subscription = subscribed(plans["growth"], olga)
    terms = plans["growth"].terms
    before = SubscriptionOutput(subscription).data
    Plan.objects.filter(slug="growth").update(**{column: EDITED[column]})
    subscription = now(subscription)
    account = subscription.account

    assert subscription.terms == terms
    assert SubscriptionOutput(subscription).data == before
    limits = limits_of(account)
    assert (limits["sites"].max, limits["users"].max, limits["credits"].max) == (3, 5, 2000)
    balance = reading.alone(read_balance(grants_shown=1), make.user(account=account))
    assert balance_of(balance)["plan_credits"] == 2000
    assert reports.monthly_recurring_revenue() == [reports.CurrencyAmount("USD", Decimal("139.00"))]
    assert InvoiceService.create_subscription_invoice(subscription).total == 139


def test_a_site_more_is_measured_by_the_terms(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["growth"], olga)
    account, owner = subscription.account, subscription.account.owner
    assert owner
    Plan.objects.update(max_sites=0)

    for number in range(3):
        create_site(account, owner, name=f"Site {number}", industry=make.industry())
    Plan.objects.update(max_sites=9)
    with pytest.raises(LimitReached, match="allows 3 site"):
        create_site(account, owner, name="One more", industry=make.industry())


def test_an_ended_subscription_leaves_the_limits_of_the_account_s_plan(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["growth"], olga)
    Plan.objects.update(max_sites=7)

    SubscriptionService.cancel_subscription(subscription, cancel_at_period_end=False)

    assert limits_of(now(subscription).account)["sites"].max == 7


# --- What counts is what is in force, not what was paid last ------------------------------------------------------


@pytest.mark.parametrize(("first", "then"), [("scale", "starter"), ("growth", "starter"), ("scale", "growth")])
def test_after_a_smaller_plan_began_the_larger_one_can_be_ordered_again(
    plans: dict[str, Plan], olga: User, first: str, then: str
) -> None:
    subscription = downgraded(subscribed(plans[first], olga), plans[then])
    assert (subscription.plan, subscription.terms) == (plans[then], plans[then].terms)

    invoice = SubscriptionService.upgrade_subscription(subscription, plans[first])

    assert invoice
    unused, charged = invoice.lines.all()
    assert unused.plan == plans[then]
    assert -unused.unit_amount <= plans[then].price < charged.unit_amount <= plans[first].price
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)
    assert (now(subscription).plan, now(subscription).terms) == (plans[first], plans[first].terms)


def test_what_is_larger_than_the_plan_in_force_is_no_downgrade(plans: dict[str, Plan], olga: User) -> None:
    subscription = downgraded(subscribed(plans["scale"], olga), plans["starter"])

    with pytest.raises(NotADowngrade):
        SubscriptionService.downgrade_subscription(subscription, plans["growth"])
    with pytest.raises(SamePlan):
        SubscriptionService.downgrade_subscription(subscription, plans["starter"])
    assert quote(subscription.account, plans["growth"]).kind == "upgrade"


def test_a_smaller_plan_is_in_force_as_it_is_when_it_begins(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["scale"], olga)
    SubscriptionService.downgrade_subscription(subscription, plans["starter"])
    Plan.objects.filter(slug="starter").update(price=Decimal("95.00"))
    Subscription.objects.update(current_period_end=timezone.now())

    SubscriptionService.end_due_periods()

    assert now(subscription).terms_price == Decimal("95.00")


# --- Currencies never meet ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sold_in", "edited_to"), [("USD", "PKR"), ("JPY", "USD"), ("USD", "KWD")])
@pytest.mark.parametrize("is_sold_one_edited", [False, True])
@pytest.mark.parametrize("price", ["1.00", "20000.00"])
def test_a_plan_s_new_currency_is_never_set_off_against_what_was_paid(
    olga: User, sold_in: str, edited_to: str, is_sold_one_edited: bool, price: str
) -> None:
    subscription = subscribed(make.plan("sold", price=Decimal("13000"), currency=sold_in), olga)
    other = make.plan("other", price=Decimal(price), currency=edited_to, billing_cycle="annual")
    if is_sold_one_edited:
        Plan.objects.filter(slug="sold").update(currency=edited_to)
    invoices = Invoice.objects.count()

    for order in (SubscriptionService.upgrade_subscription, SubscriptionService.downgrade_subscription):
        with pytest.raises(PlanNotOffered, match=f"sold in {edited_to}, but your plan is paid in {sold_in}"):
            order(now(subscription), other)

    assert Invoice.objects.count() == invoices
    assert now(subscription).pending_plan is None


def test_the_currency_of_an_order_is_that_of_its_invoice(olga: User) -> None:
    ordered = make.subscription(plan_ordered=make.plan("sold", price=Decimal("89")))
    Plan.objects.update(currency="JPY")

    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), olga)

    assert now(ordered).terms_currency == "USD"


# --- The database itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"terms_price": None}, "terms_whole|active_has_terms"),
        ({"terms_max_users": None}, "terms_whole|active_has_terms"),
        ({"terms_price": -1}, "terms_sensible"),
        ({"terms_currency": "usd"}, "terms_sensible"),
        ({"terms_billing_cycle": "weekly"}, "terms_sensible"),
        (None, "active_has_terms"),
    ],
    ids=str,
)
def test_what_runs_has_whole_and_sensible_terms(changes: dict[str, Any] | None, constraint: str) -> None:
    running = make.running_subscription()
    nothing: dict[str, Any] = dict.fromkeys(make.in_force(running.plan))

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Subscription.objects.update(**(changes or nothing))
