"""Another price reaches those who have a plan after a notice, with a period, and never in the middle of one."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail

from igny8_core.auth.models import Plan, Subscription, User
from igny8_core.business.billing.errors import PriceChangeInForce, PriceChangeWithdrawn
from igny8_core.business.billing.models import PlanPriceChange, PriceChangeNotice
from igny8_core.business.billing.services.renewals.price_changes import (
    announce_price_changes,
    change_price,
    withdraw_price_change,
)
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common.errors import InvalidInput
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make
from tests.billing.renewing import (
    END,
    NEXT_END,
    START,
    WEEK_BEFORE,
    at,
    pay_at,
    renewal_of,
    require_sound_at,
    running,
    work_at,
)
from tests.rows import now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]
A_DAY = timedelta(days=1)
THIRD_END = datetime(2026, 4, 30, 10, 30, tzinfo=UTC)


@pytest.fixture
def subscription() -> Subscription:
    return running()


def ordered(effective_on: date, price: str = "99.00", days: int = 30, moment: datetime = START + A_DAY) -> Any:
    return at(moment, change_price, Plan.objects.get(slug="starter"), Decimal(price), effective_on, days)


def prices_of(subscription: Subscription, until: datetime) -> list[Decimal]:
    """What the renewals of a customer who always pays cost, up to a day."""
    found = []
    while (end := now(subscription).current_period_end) < until:
        work_at(end - timedelta(days=7))
        found.append(renewal_of(subscription).invoice.total)
        pay_at(end, renewal_of(subscription).invoice)
    return found


def test_the_first_period_after_day_and_notice_has_the_new_price_and_so_have_all_later_ones(
    subscription: Subscription,
) -> None:
    ordered(date(2026, 2, 10))
    work_at(START + A_DAY)

    # 30 days from the notice are the 3rd of March: the period from the 28th of February keeps its price.
    assert prices_of(subscription, datetime(2026, 6, 1, tzinfo=UTC)) == [89, 99, 99, 99]
    assert PriceChangeNotice.objects.get().applies_from == NEXT_END
    assert (now(subscription).terms_price, now(subscription).terms_credits) == (99, 1000)
    require_sound_at(datetime(2026, 6, 1, tzinfo=UTC))


def test_the_mail_says_the_day_on_which_it_will_be_so(subscription: Subscription) -> None:
    at(START, deliver_due)
    mail.outbox.clear()
    ordered(date(2026, 4, 1))

    assert at(START + A_DAY, announce_price_changes) == 1
    assert at(START + A_DAY, announce_price_changes) == 0
    at(START + A_DAY, deliver_due)

    [sent] = mail.outbox
    assert sent.subject == "The price of your plan changes on 30 April 2026"
    assert "99.00 USD a month instead of 89.00 USD" in " ".join(sent.body.split())
    assert "99.00 USD a month" in sent.alternatives[0][0]
    assert PriceChangeNotice.objects.get().applies_from == THIRD_END


def test_who_was_not_told_keeps_the_price(subscription: Subscription) -> None:
    ordered(date(2026, 2, 10))

    at(WEEK_BEFORE, work_at, WEEK_BEFORE)

    assert renewal_of(subscription).invoice.total == 89
    # Told on the 21st of February: 30 days later is the 23rd of March.
    assert PriceChangeNotice.objects.get().applies_from == NEXT_END


def test_a_period_that_is_invoiced_keeps_its_price(subscription: Subscription) -> None:
    work_at(WEEK_BEFORE)
    ordered(date(2026, 2, 25), moment=WEEK_BEFORE)
    PlanPriceChange.objects.update(notice_days=0)
    at(WEEK_BEFORE, announce_price_changes)

    assert PriceChangeNotice.objects.get().applies_from == NEXT_END
    assert renewal_of(subscription).invoice.total == 89


def test_only_those_are_told_whom_it_concerns(subscription: Subscription) -> None:
    cheaper, ending, other = running(), running(), running(make.plan("growth", price=Decimal("139.00")))
    euros = running(make.plan("euro", price=Decimal("89.00"), currency="EUR"))
    Subscription.objects.filter(pk=cheaper.pk).update(terms_price=Decimal("99.00"))
    at(START, SubscriptionService.cancel_subscription, ending)
    ordered(date(2026, 4, 1))

    assert at(START + A_DAY, announce_price_changes) == 1

    assert PriceChangeNotice.objects.get().subscription == subscription
    assert now(other).terms_price == 139
    assert now(euros).terms_price == 89


def test_who_ordered_after_the_change_was_in_force_is_not_told(subscription: Subscription) -> None:
    ordered(date(2026, 2, 10))
    work_at(START + A_DAY)
    make.running_subscription(Plan.objects.get(slug="starter"))

    assert at(datetime(2026, 5, 1, tzinfo=UTC), announce_price_changes) == 0


def test_of_two_changes_the_later_one_counts(subscription: Subscription) -> None:
    ordered(date(2026, 3, 1), "95.00")
    ordered(date(2026, 4, 15), "105.00")
    work_at(START + A_DAY)

    assert prices_of(subscription, datetime(2026, 6, 1, tzinfo=UTC)) == [89, 95, 105, 105]


def test_a_change_to_another_plan_and_back_does_not_bring_an_old_notice_back(subscription: Subscription) -> None:
    ordered(date(2026, 3, 1))
    work_at(START + A_DAY)
    assert prices_of(subscription, THIRD_END) == [89, 99]
    assert PriceChangeNotice.objects.get().applied_at is not None
    Subscription.objects.filter(pk=subscription.pk).update(terms_price=Decimal("120.00"))

    assert prices_of(subscription, datetime(2026, 6, 1, tzinfo=UTC)) == [120, 120]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("price", {"price": Decimal(0)}),
        ("price", {"price": Decimal("89.001")}),
        ("price", {"price": Decimal("NaN")}),
        ("notice_days", {"notice_days": 29}),
        ("notice_days", {"notice_days": 366}),
        ("effective_on", {"effective_on": (START + A_DAY).date()}),
    ],
)
def test_what_makes_no_sense_is_refused(subscription: Subscription, field: str, given: dict[str, Any]) -> None:
    values = {"price": Decimal("99.00"), "effective_on": date(2026, 4, 1), "notice_days": 30, **given}

    with pytest.raises(InvalidInput) as refusal:
        at(START + A_DAY, change_price, Plan.objects.get(slug="starter"), **values)

    assert list(refusal.value.errors or {}) == [field]
    assert not PlanPriceChange.objects.exists()


def test_a_second_change_for_the_same_day_is_refused(subscription: Subscription) -> None:
    ordered(date(2026, 4, 1))

    with pytest.raises(InvalidInput) as refusal:
        ordered(date(2026, 4, 1), "105.00")

    assert "effective_on" in (refusal.value.errors or {})
    assert Event.objects.filter(type="plan_price_change.created").count() == 1


def test_the_running_period_and_what_is_paid_stay_as_they_are(subscription: Subscription) -> None:
    ordered(date(2026, 2, 10))
    work_at(WEEK_BEFORE)

    assert (now(subscription).terms_price, now(subscription).current_period_end) == (89, END)
    assert Plan.objects.get(slug="starter").price == 89


def test_a_change_that_is_withdrawn_does_not_happen_and_who_was_told_is_told_again(
    subscription: Subscription, olga: User
) -> None:
    change = ordered(date(2026, 4, 1))
    later = ordered(date(2026, 8, 1), "120.00")
    at(START + A_DAY, announce_price_changes)
    assert PriceChangeNotice.objects.count() == 2
    at(START + A_DAY, deliver_due)
    mail.outbox.clear()

    assert at(END, withdraw_price_change, change, olga) == 1

    at(END, deliver_due)
    [sent] = mail.outbox
    assert sent.subject == "The price of your plan does not change"
    assert "would cost 99.00 USD from 30 April 2026 on. That is withdrawn." in " ".join(sent.body.split())
    assert (now(change).withdrawn_by, now(change).withdrawn_at) == (olga, END)
    assert Event.objects.get(type="plan_price_change.withdrawn").actor == olga
    # It is not told anew, the later one holds, and the day is free again.
    assert at(END + A_DAY, announce_price_changes) == 0
    assert prices_of(subscription, datetime(2026, 10, 1, tzinfo=UTC)) == [89] * 6 + [120, 120]
    assert now(later).withdrawn_at is None
    again = at(END, change_price, change.plan, Decimal("95.00"), change.effective_on, 30)
    assert again.pk != change.pk
    with pytest.raises(PriceChangeWithdrawn):
        at(END, withdraw_price_change, change, olga)


def test_a_change_at_whose_price_somebody_was_invoiced_or_whose_day_has_come_stays(
    subscription: Subscription, olga: User
) -> None:
    change = ordered(date(2026, 3, 31))
    later = ordered(date(2026, 8, 1), "120.00")
    at(START + A_DAY, announce_price_changes)
    work_at(WEEK_BEFORE)
    pay_at(END, renewal_of(subscription).invoice)
    work_at(NEXT_END - timedelta(days=6))
    assert renewal_of(subscription).invoice.total == 99

    with pytest.raises(PriceChangeInForce):
        at(NEXT_END - timedelta(days=6), withdraw_price_change, change, olga)
    with pytest.raises(PriceChangeInForce):
        at(datetime(2026, 8, 1, tzinfo=UTC), withdraw_price_change, later, olga)

    assert now(change).withdrawn_at is now(later).withdrawn_at is None
    assert not Event.objects.filter(type="subscription.price_change_withdrawn").exists()
