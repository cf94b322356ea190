"""What a customer decides before a renewal: cancel, a smaller or a larger plan, and to take it back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Plan, Subscription, User
from igny8_core.business.billing.errors import (
    OverLimits,
    PaymentUnderWay,
    RenewalNotRetryable,
    RenewalPaid,
    SubscriptionLapsed,
)
from igny8_core.business.billing.models import Invoice, Payment, Renewal
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payments.checkout import charge_saved_card, pay_invoice
from igny8_core.business.billing.services.renewals.retrying import retry_renewal
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.subscriptions.plan_change import quote
from igny8_core.events.models import Event
from tests import make
from tests.billing.renewing import (
    END,
    NEXT_END,
    START,
    WEEK_BEFORE,
    account_of,
    at,
    pay_at,
    renewal_of,
    require_sound_at,
    running,
    work_at,
)
from tests.rows import now

pytestmark = pytest.mark.django_db
A_SECOND, A_DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.fixture
def growth(db: None) -> Plan:
    return make.plan("growth", price=Decimal("139.00"), included_credits=2000, max_sites=5)


@pytest.fixture
def mini(db: None) -> Plan:
    return make.plan("mini", price=Decimal("29.00"), included_credits=100, max_sites=1)


@pytest.fixture
def subscription() -> Subscription:
    """Its renewal is invoiced and waits for money."""
    subscription = running()
    work_at(WEEK_BEFORE)
    return subscription


def decide(name: str, subscription: Subscription, *rest: object, moment: object = None) -> object:
    return at(moment or WEEK_BEFORE + A_DAY, getattr(SubscriptionService, name), now(subscription), *rest)  # type: ignore[arg-type]


def test_who_cancels_is_not_renewed_and_who_comes_back_in_time_is(subscription: Subscription) -> None:
    first = renewal_of(subscription).invoice
    decide("cancel_subscription", subscription)
    assert (now(first).status, renewal_of(subscription).status) == ("void", "withdrawn")
    work_at(END - A_DAY)
    assert renewal_of(subscription).status == "withdrawn"

    decide("reactivate_subscription", subscription, moment=END - A_DAY)
    work_at(END - A_DAY)

    renewal = renewal_of(subscription)
    assert (renewal.status, renewal.invoice.status, Renewal.objects.count()) == ("open", "pending", 1)
    assert renewal.invoice != first
    pay_at(END, renewal.invoice)
    assert now(subscription).current_period_end == NEXT_END
    require_sound_at(END + A_DAY)


def test_who_canceled_ends_with_the_period(subscription: Subscription) -> None:
    decide("cancel_subscription", subscription)

    work_at(END)

    assert (now(subscription).status, account_of(subscription).status) == ("canceled", "canceled")
    require_sound_at(END + A_DAY)


def test_who_canceled_after_paying_for_the_next_period_has_that_one_too(subscription: Subscription) -> None:
    pay_at(WEEK_BEFORE, renewal_of(subscription).invoice)
    decide("cancel_subscription", subscription)
    told = Event.objects.get(type="subscription.cancel_scheduled").data["at"]

    work_at(END)
    assert (now(subscription).status, now(subscription).current_period_end) == ("active", NEXT_END)
    assert told == "2026-03-31T10:30:00Z"
    work_at(NEXT_END)

    assert now(subscription).status == "canceled"
    assert Renewal.objects.count() == 1
    require_sound_at(NEXT_END + A_DAY)


def test_one_that_ends_at_once_takes_its_renewal_along(subscription: Subscription) -> None:
    decide("cancel_subscription", subscription, False)

    assert (renewal_of(subscription).status, renewal_of(subscription).invoice.status) == ("withdrawn", "void")
    with pytest.raises(RenewalNotRetryable):
        at(END, retry_renewal, renewal_of(subscription), make.operator())
    require_sound_at(END + A_DAY)


def test_a_smaller_plan_is_invoiced_for_the_next_period_and_begins_with_it(
    subscription: Subscription, mini: Plan
) -> None:
    decide("downgrade_subscription", subscription, mini)
    assert renewal_of(subscription).status == "withdrawn"

    work_at(END - A_DAY)
    renewal = renewal_of(subscription)
    assert (renewal.invoice.total, renewal.invoice.lines.get().plan) == (Decimal("29.00"), mini)
    pay_at(END - A_DAY, renewal.invoice)
    assert now(subscription).plan.slug == "starter"
    work_at(END)

    after = now(subscription)
    assert (after.plan, after.pending_plan, after.terms_credits, after.current_period_end) == (
        mini,
        None,
        100,
        NEXT_END,
    )
    assert (account_of(subscription).plan, account_of(subscription).credits) == (mini, 100)
    assert Event.objects.filter(type="subscription.plan_changed").count() == 1
    require_sound_at(END + A_DAY)


def test_a_smaller_plan_begins_at_the_period_s_end_also_unpaid(subscription: Subscription, mini: Plan) -> None:
    decide("downgrade_subscription", subscription, mini)
    work_at(END)

    assert (now(subscription).plan, renewal_of(subscription).invoice.total) == (mini, Decimal("29.00"))
    pay_at(END + A_DAY, renewal_of(subscription).invoice)

    assert (now(subscription).current_period_end, account_of(subscription).credits) == (NEXT_END, 100)
    require_sound_at(END + A_DAY)


def test_a_smaller_plan_that_does_not_fit_is_renewed_as_it_was(subscription: Subscription, mini: Plan) -> None:
    decide("downgrade_subscription", subscription, mini)
    work_at(END - A_DAY)
    small = renewal_of(subscription).invoice
    for _ in range(2):
        make.site(account_of(subscription))

    work_at(END)

    renewal = renewal_of(subscription)
    assert (now(small).status, renewal.status, renewal.invoice.total) == ("void", "open", Decimal("89.00"))
    assert now(subscription).pending_plan is None
    pay_at(END, renewal.invoice)
    assert now(subscription).current_period_end == NEXT_END
    require_sound_at(END + A_DAY)


def test_nobody_pays_for_a_smaller_plan_that_could_not_begin(
    stripe: FakeStripe, subscription: Subscription, mini: Plan
) -> None:
    decide("downgrade_subscription", subscription, mini)
    work_at(END - A_DAY)
    account = account_of(subscription)
    small, card = renewal_of(subscription).invoice, make.saved_card(stripe, account)
    sites = [make.site(account) for _ in range(2)]

    for pay in (
        lambda: pay_invoice(now(small), "bank_transfer"),
        lambda: pay_invoice(now(small), saved_method_id=card.pk),
        lambda: charge_saved_card(now(small)),
    ):
        with pytest.raises(OverLimits, match="2 sites"):
            at(END - A_DAY, pay)
    assert (Payment.objects.filter(invoice=small).count(), now(small).status) == (0, "pending")

    sites[0].delete()
    at(END - A_DAY, charge_saved_card, now(small))
    work_at(END)
    assert (now(subscription).plan, now(subscription).current_period_end) == (mini, NEXT_END)
    require_sound_at(END + A_DAY)


def test_a_downgrade_taken_back_is_renewed_at_the_old_price(subscription: Subscription, mini: Plan) -> None:
    decide("downgrade_subscription", subscription, mini)
    work_at(END - A_DAY)
    decide("reactivate_subscription", subscription, moment=END - A_DAY)
    work_at(END - A_DAY)

    assert renewal_of(subscription).invoice.total == Decimal("89.00")
    require_sound_at(END - A_DAY)


def test_a_year_becomes_months_from_the_same_anchor(mini: Plan) -> None:
    subscription = running(make.plan("yearly", billing_cycle="annual", price=Decimal("890.00")))
    at(START + A_DAY, SubscriptionService.downgrade_subscription, now(subscription), mini)
    year_after = START.replace(year=2027)

    work_at(year_after - A_DAY)
    pay_at(year_after - A_DAY, renewal_of(subscription).invoice)
    work_at(year_after)

    after = now(subscription)
    assert (after.current_period_start, after.current_period_end) == (year_after, END.replace(year=2027))
    assert (after.plan, after.billing_anchor) == (mini, START)
    require_sound_at(year_after)


def test_a_larger_plan_is_renewed_at_its_price(subscription: Subscription, growth: Plan) -> None:
    first = renewal_of(subscription).invoice
    ordered = decide("upgrade_subscription", subscription, growth)
    assert isinstance(ordered, Invoice)
    assert now(first).status == "pending"

    pay_at(WEEK_BEFORE + A_DAY, ordered)
    assert (now(first).status, renewal_of(subscription).status) == ("void", "withdrawn")
    work_at(WEEK_BEFORE + A_DAY)

    assert renewal_of(subscription).invoice.total == Decimal("139.00")
    pay_at(END, renewal_of(subscription).invoice)
    assert now(subscription).current_period_end == NEXT_END
    require_sound_at(END + A_DAY)


def test_another_cycle_begins_its_own_periods(subscription: Subscription) -> None:
    yearly = make.plan("yearly", billing_cycle="annual", price=Decimal("890.00"))
    ordered = decide("upgrade_subscription", subscription, yearly)
    assert isinstance(ordered, Invoice)
    pay_at(WEEK_BEFORE + A_DAY, ordered)

    begun = WEEK_BEFORE + A_DAY
    assert now(subscription).current_period_end == begun.replace(year=2027)
    assert renewal_of(subscription).status == "withdrawn"
    work_at(END)
    assert renewal_of(subscription).status == "withdrawn"
    work_at(begun.replace(year=2027) - A_DAY)
    pay_at(begun.replace(year=2027), renewal_of(subscription).invoice)
    assert now(subscription).current_period_end == begun.replace(year=2028)
    require_sound_at(begun.replace(year=2027))


@pytest.mark.parametrize("slug", ["growth", "mini"])
def test_once_the_next_period_is_paid_the_plan_changes_after_it_has_begun(
    subscription: Subscription, growth: Plan, mini: Plan, slug: str
) -> None:
    renewal = renewal_of(subscription)
    pay_at(WEEK_BEFORE, renewal.invoice)

    with pytest.raises(RenewalPaid, match="2026-02-28") as refusal:
        at(END - A_DAY, quote, account_of(subscription), Plan.objects.get(slug=slug))

    assert renewal.invoice.invoice_number in refusal.value.text
    work_at(END)
    assert at(END, quote, account_of(subscription), Plan.objects.get(slug=slug)).plan.slug == slug


def test_a_change_that_was_ordered_before_the_next_period_was_paid_waits_too(
    subscription: Subscription, growth: Plan
) -> None:
    ordered = decide("upgrade_subscription", subscription, growth)
    assert isinstance(ordered, Invoice)
    pay_at(WEEK_BEFORE + A_DAY, renewal_of(subscription).invoice)

    with pytest.raises(RenewalPaid):
        pay_at(WEEK_BEFORE + A_DAY, ordered)

    assert (now(ordered).status, now(subscription).plan.slug) == ("pending", "starter")


def test_a_confirmation_of_the_renewal_is_decided_first(subscription: Subscription, mini: Plan, olga: User) -> None:
    at(WEEK_BEFORE, make.submitted_payment, renewal_of(subscription).invoice)

    for name, rest in [("cancel_subscription", ()), ("downgrade_subscription", (mini,))]:
        with pytest.raises(PaymentUnderWay):
            decide(name, subscription, *rest)

    assert renewal_of(subscription).status == "open"


def test_a_lapsed_subscription_renews_before_it_changes(subscription: Subscription, growth: Plan) -> None:
    """Finding M11: a period was over, nobody renewed, and larger plans were given for nothing."""
    late = END + timedelta(days=31)
    work_at(late)
    renewal = renewal_of(subscription)

    with pytest.raises(SubscriptionLapsed) as refusal:
        decide("upgrade_subscription", subscription, growth, moment=late)

    assert renewal.invoice.invoice_number in refusal.value.text
    pay_at(late, renewal.invoice)
    work_at(late)
    pay_at(late, renewal_of(subscription).invoice)
    ordered = decide("upgrade_subscription", subscription, growth, moment=late)
    assert isinstance(ordered, Invoice)
    assert ordered.total > 0
    require_sound_at(late)


def test_a_new_order_replaces_a_lapsed_subscription_with_its_renewal(subscription: Subscription, growth: Plan) -> None:
    work_at(END)

    at(END + A_SECOND, SubscriptionService.create_subscription, account_of(subscription), growth, "bank_transfer")

    assert (renewal_of(subscription).status, renewal_of(subscription).invoice.status) == ("withdrawn", "void")
    assert now(subscription).status == "canceled"
    require_sound_at(END + A_DAY)


def test_an_operator_who_voided_a_renewal_can_have_it_invoiced_again(subscription: Subscription, olga: User) -> None:
    renewal = renewal_of(subscription)
    at(WEEK_BEFORE, mark_void, renewal.invoice, "Wrong address", olga)
    work_at(END - A_DAY)
    assert (renewal_of(subscription).invoice, Renewal.objects.count()) == (renewal.invoice, 1)

    again = at(END - A_DAY, retry_renewal, renewal, olga)

    assert (again.status, again.invoice.status, again.invoice != renewal.invoice) == ("open", "pending", True)
    require_sound_at(END + A_DAY)


def test_a_past_due_period_whose_invoice_is_voided_is_invoiced_anew_by_the_calendar(
    subscription: Subscription, olga: User
) -> None:
    renewal = renewal_of(subscription)
    work_at(END)
    at(END + 2 * A_DAY, take_due_steps)
    assert now(subscription).status == "past_due"
    at(END + 2 * A_DAY, mark_void, renewal.invoice, "Wrong address", olga)

    work_at(END + 2 * A_DAY)
    work_at(END + 2 * A_DAY)

    again = renewal_of(subscription)
    assert (again.status, again.invoice.status, again.invoice != renewal.invoice) == ("open", "pending", True)
    assert (now(subscription).status, again.invoice.due_date) == ("past_due", (END + 2 * A_DAY).date())
    pay_at(END + 3 * A_DAY, again.invoice)
    assert (now(subscription).status, now(subscription).current_period_end) == ("active", NEXT_END)
    require_sound_at(END + 3 * A_DAY)


def test_a_period_that_begins_while_its_invoice_is_void_is_invoiced_anew(
    subscription: Subscription, olga: User
) -> None:
    renewal = renewal_of(subscription)
    at(WEEK_BEFORE, mark_void, renewal.invoice, "Wrong address", olga)

    work_at(END)

    assert (renewal_of(subscription).status, renewal_of(subscription).invoice.status) == ("open", "pending")
    assert renewal_of(subscription).invoice != renewal.invoice
    require_sound_at(END + A_DAY)
