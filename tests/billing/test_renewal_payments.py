"""A paid renewal begins at the later of its payment and its period's start, and its credits with it."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from igny8_core.auth.models import Account, AccountStatus, Subscription, SuspendedReason, User
from igny8_core.business.billing.errors import SubscriptionNotPayable
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment, Renewal
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.renewals.beginning import begin_due_periods
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.events.models import Event
from tests import make
from tests.billing.breaking import run
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
def subscription() -> Subscription:
    """Its renewal is invoiced and waits for money."""
    subscription = running()
    work_at(WEEK_BEFORE)
    return subscription


def period(subscription: Subscription) -> tuple[object, object]:
    row = now(subscription)
    return row.current_period_start, row.current_period_end


def test_who_pays_early_keeps_the_running_period_and_gets_the_next_credits_when_it_begins(
    subscription: Subscription,
) -> None:
    renewal = renewal_of(subscription)

    pay_at(WEEK_BEFORE + A_DAY, renewal.invoice)

    assert (now(renewal).status, now(renewal.invoice).status) == ("paid", "paid")
    assert period(subscription) == (START, END)
    assert account_of(subscription).credits == 1000
    require_sound_at(END - A_SECOND)
    work_at(END - A_SECOND)
    assert (period(subscription), account_of(subscription).credits) == ((START, END), 1000)

    work_at(END)

    assert (period(subscription), now(renewal).status) == ((END, NEXT_END), "begun")
    grants = CreditGrant.objects.filter(account=subscription.account_id).order_by("pk")
    assert [(grant.remaining, grant.expires_at) for grant in grants] == [(0, END), (1000, NEXT_END)]
    assert account_of(subscription).credits == 1000
    work_at(END + A_SECOND)
    assert CreditGrant.objects.filter(account=subscription.account_id).count() == 2
    require_sound_at(END + A_DAY)


@pytest.mark.parametrize(("returned", "left"), [("44.50", 500), (None, 0)])
def test_what_goes_back_before_the_period_begins_buys_no_credits_of_it(
    subscription: Subscription, olga: User, returned: str | None, left: int
) -> None:
    payment = pay_at(WEEK_BEFORE + A_DAY, renewal_of(subscription).invoice)
    amount = Decimal(returned) if returned else None
    at(END - A_DAY, PaymentService.process_refund, payment, amount, reason="Goodwill", refunded_by=olga)

    work_at(END)

    assert account_of(subscription).credits == left
    require_sound_at(END + A_SECOND)


@pytest.mark.parametrize("late", [timedelta(0), A_SECOND, timedelta(hours=20)])
def test_who_pays_when_it_is_due_or_later_gets_the_period_that_was_invoiced(
    subscription: Subscription, late: timedelta
) -> None:
    renewal = renewal_of(subscription)
    work_at(END + late)
    assert account_of(subscription).credits == 0

    payment = pay_at(END + late, renewal.invoice)

    assert (period(subscription), now(renewal).status) == ((END, NEXT_END), "begun")
    assert now(subscription).billing_anchor == START
    assert now(subscription).external_payment_id == payment.manual_reference
    grant = CreditGrant.objects.get(source=f"invoice:{renewal.invoice_id}")
    assert (grant.remaining, grant.expires_at, account_of(subscription).credits) == (1000, NEXT_END, 1000)
    assert Event.objects.filter(type="subscription.renewed", object_id=str(subscription.pk)).count() == 1
    require_sound_at(END + late)


@pytest.mark.parametrize("account_status", ["past_due", "suspended"])
def test_a_late_payment_brings_back_who_was_past_due_or_suspended_for_it(
    subscription: Subscription, account_status: str
) -> None:
    reason = SuspendedReason.NON_PAYMENT if account_status == "suspended" else ""
    Subscription.objects.filter(pk=subscription.pk).update(status="past_due")
    Account.objects.filter(pk=subscription.account_id).update(status=account_status, suspended_reason=reason)
    late = END + timedelta(days=20)

    pay_at(late, renewal_of(subscription).invoice)

    assert (now(subscription).status, account_of(subscription).status) == ("active", AccountStatus.ACTIVE)
    assert period(subscription) == (END, NEXT_END)
    # What is next is due by its own time, as if nothing had been late.
    work_at(late + timedelta(days=4))
    assert renewal_of(subscription).period_start == NEXT_END
    require_sound_at(late + timedelta(days=4))


def test_an_operator_s_suspension_stays_though_the_period_begins(subscription: Subscription) -> None:
    held = {"status": "suspended", "suspended_reason": SuspendedReason.OPERATOR}
    Account.objects.filter(pk=subscription.account_id).update(**held)

    pay_at(END, renewal_of(subscription).invoice)

    assert (period(subscription), account_of(subscription).status) == ((END, NEXT_END), "suspended")


def test_credits_that_roll_over_stay(subscription: Subscription) -> None:
    rolling = running(make.plan("rolling", credits_rollover=True))
    work_at(WEEK_BEFORE)

    pay_at(END, renewal_of(rolling).invoice)
    work_at(END + A_SECOND)

    assert account_of(rolling).credits == 2000
    assert set(CreditGrant.objects.filter(account=rolling.account_id).values_list("expires_at", flat=True)) == {None}


def test_credits_of_a_period_that_is_over_when_it_is_paid_last_as_long_as_the_running_one(
    subscription: Subscription,
) -> None:
    pay_at(NEXT_END + A_DAY, renewal_of(subscription).invoice)

    grant = CreditGrant.objects.get(source=f"invoice:{renewal_of(subscription).invoice_id}")
    assert (grant.remaining, grant.expires_at) == (1000, NEXT_END.replace(month=4, day=30))


@pytest.mark.stress
def test_two_years_of_renewals_touch_and_end_on_the_last_of_each_month(subscription: Subscription) -> None:
    for _ in range(24):
        renewal = renewal_of(subscription)
        pay_at(renewal.period_start, renewal.invoice)
        work_at(renewal.period_end - timedelta(days=7))

    begun = list(Renewal.objects.filter(status="begun").order_by("period_start"))
    assert len(begun) == 24
    assert all(one.period_end == two.period_start for one, two in pairwise(begun))
    assert begun[-1].period_end == START.replace(year=2028, month=2, day=29)
    require_sound_at(begun[-1].period_end - timedelta(days=6))


def test_money_for_a_renewal_of_a_subscription_that_has_ended_buys_nothing(subscription: Subscription) -> None:
    invoice = renewal_of(subscription).invoice
    payment = at(END, make.submitted_payment, invoice)
    Subscription.objects.filter(pk=subscription.pk).update(status="canceled")

    with pytest.raises(SubscriptionNotPayable):
        at(END, PaymentService.approve_manual_payment, payment, make.operator())

    assert (now(payment).status, now(invoice).status) == ("pending_approval", "pending")


def test_a_paid_period_of_a_subscription_that_was_ended_at_once_does_not_begin(subscription: Subscription) -> None:
    pay_at(WEEK_BEFORE, renewal_of(subscription).invoice)
    at(WEEK_BEFORE + A_DAY, SubscriptionService.cancel_subscription, now(subscription), False)

    work_at(END)

    assert (renewal_of(subscription).status, period(subscription)) == ("paid", (START, END))
    require_sound_at(END + A_DAY)


def test_what_a_release_without_renewals_booked_begins_too(subscription: Subscription) -> None:
    """While a new release is installed, the one before may book the money: credits at once, the period unchanged."""
    renewal = renewal_of(subscription)
    pay_at(WEEK_BEFORE, renewal.invoice)
    run("UPDATE igny8_renewals SET status = 'open' WHERE id = %s", renewal.pk)

    assert at(END - A_SECOND, begin_due_periods) == 0
    assert at(END, begin_due_periods) == 1

    assert period(subscription) == (END, NEXT_END)
    assert CreditGrant.objects.filter(source=f"invoice:{renewal.invoice_id}").count() == 1


def test_a_period_that_an_operator_invoiced_by_hand_is_paid_like_any_invoice(subscription: Subscription) -> None:
    line = {"description": "Extra time", "quantity": 1, "amount": "10.00", "kind": "plan", "plan": subscription.plan}
    by_hand = at(
        WEEK_BEFORE, make.invoice, subscription.account, line_items=[{**line, "credits": 50, "period_start": END}],
        subscription=subscription,
    )  # fmt: skip

    pay_at(WEEK_BEFORE, by_hand)

    assert (period(subscription), renewal_of(subscription).status) == ((START, END), "open")
    assert account_of(subscription).credits == 1050


def test_the_price_that_was_paid_counts_for_what_recurs(subscription: Subscription) -> None:
    pay_at(END, renewal_of(subscription).invoice)

    assert now(subscription).terms_price == Decimal("89.00")
    assert Payment.objects.filter(account=subscription.account_id, status="succeeded").count() == 2
    assert Invoice.objects.filter(account=subscription.account_id, status="paid").count() == 2


@pytest.mark.parametrize("status", [AccountStatus.PAST_DUE, AccountStatus.SUSPENDED])
def test_an_account_that_fell_behind_before_it_paid_can_be_used_again_when_the_paid_period_begins(
    subscription: Subscription, status: AccountStatus
) -> None:
    run("UPDATE igny8_subscriptions SET status = 'past_due' WHERE id = %s", subscription.pk)
    reason = SuspendedReason.NON_PAYMENT if status == AccountStatus.SUSPENDED else ""
    Account.objects.filter(pk=subscription.account_id).update(status=status, suspended_reason=reason)
    pay_at(END - timedelta(hours=3), renewal_of(subscription).invoice)

    work_at(END)

    assert (now(subscription).status, account_of(subscription).status) == ("active", "active")
    require_sound_at(END + A_SECOND)
