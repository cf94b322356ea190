"""The next period is invoiced a week before the running one ends, once, with rows like any other invoice's."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection

from igny8_core.auth.models import Plan, Subscription, SubscriptionStatus
from igny8_core.business.billing.hot_reads import first_invoices_of, read_first_invoices
from igny8_core.business.billing.models import Invoice, InvoiceLine, InvoiceOffer, Renewal, RenewalStatus
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.renewals import invoicing
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
from igny8_core.events.models import Delivery, Event
from tests import make, reading
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


@pytest.fixture
def subscription() -> Subscription:
    return running()


def test_the_next_period_is_invoiced_a_week_before_the_running_one_ends(subscription: Subscription) -> None:
    assert at(WEEK_BEFORE - timedelta(seconds=1), invoice_due_renewals) == 0
    assert at(WEEK_BEFORE, invoice_due_renewals) == 1
    assert at(END, invoice_due_renewals) == 0

    renewal = renewal_of(subscription)
    invoice, line = renewal.invoice, renewal.invoice.lines.get()
    assert (renewal.period_start, renewal.period_end, renewal.status) == (END, NEXT_END, "open")
    assert (invoice.status, invoice.total, invoice.subscription) == ("pending", Decimal("89.00"), subscription)
    assert (invoice.invoice_date, invoice.due_date) == (WEEK_BEFORE.date(), END.date())
    assert (line.kind, line.period_start, line.period_end, line.credits) == ("plan", END, NEXT_END, 1000)
    assert line.description == "Starter plan, monthly, 2026-02-28 to 2026-03-31"
    assert (now(subscription).current_period_end, now(subscription).status) == (END, SubscriptionStatus.ACTIVE)
    require_sound_at(END + timedelta(days=1))


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("Pacific/Auckland", date(2026, 2, 28)),
        ("Pacific/Kiritimati", date(2026, 3, 1)),
        ("Etc/GMT+11", date(2026, 2, 27)),
    ],
)
def test_a_renewal_is_due_on_the_day_on_which_its_period_begins_where_the_customer_is(zone: str, due: date) -> None:
    """Days after the due date are counted there: who is far in the east is not past due while the period still runs."""
    subscription = running(timezone=zone)
    work_at(WEEK_BEFORE)
    assert renewal_of(subscription).invoice.due_date == due

    for hours in (-12, -9, -1):
        at(END + timedelta(hours=hours), take_due_steps)

    assert now(subscription).status == "active"
    assert account_of(subscription).status == "active"
    at(END + timedelta(days=1, hours=14), take_due_steps)
    assert now(subscription).status == "past_due"


def columns(row: Any, *without: str) -> dict[str, Any]:
    return {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name not in without}


def test_a_batch_leaves_the_rows_that_one_invoice_at_a_time_leaves(subscription: Subscription) -> None:
    """Otherwise a column that is added to invoices would be forgotten here."""
    make.payment_method(payment_method="stripe", display_name="Card", sort_order=1)
    at(WEEK_BEFORE, invoice_due_renewals)
    renewed = renewal_of(subscription).invoice
    sold = renewed.lines.get()
    items = [
        {
            **{name: getattr(sold, name) for name in ("description", "quantity", "kind", "plan", "billing_cycle")},
            **{name: getattr(sold, name) for name in ("credits", "credits_rollover", "max_sites", "max_users")},
            **{name: getattr(sold, name) for name in ("period_start", "period_end")},
            "amount": Decimal("89.00"),
        }
    ]
    one = at(
        WEEK_BEFORE, InvoiceService.create_invoice, subscription.account, items, now(subscription), due_date=END.date()
    )

    assert columns(now(renewed), "id", "invoice_number") == columns(now(one), "id", "invoice_number")
    assert [renewed.invoice_number[-4:], one.invoice_number[-4:]] == ["0001", "0002"]
    assert columns(sold, "id", "invoice") == columns(InvoiceLine.objects.get(invoice=one), "id", "invoice")
    offers = [
        [columns(offer, "id", "invoice") for offer in InvoiceOffer.objects.filter(invoice=each).order_by("position")]
        for each in (renewed, one)
    ]
    assert offers[0] == offers[1]
    assert len(offers[0]) == 2
    told = [
        Event.objects.get(type="invoice.created", object_type="billing.invoice", object_id=str(each.pk))
        for each in (renewed, one)
    ]
    left_out = ("id", "object_id", "data")
    assert columns(told[0], *left_out) == columns(told[1], *left_out)
    assert {**told[0].data, "invoice_number": ""} == {**told[1].data, "invoice_number": ""}
    deliveries = [
        list(Delivery.objects.filter(event=each).values_list("consumer", "status", "next_attempt_at")) for each in told
    ]
    assert deliveries[0] == deliveries[1] != []


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_batches_find_all_that_is_due_and_nothing_else(batch: int) -> None:
    due = [running() for _ in range(5)]
    for status in ("past_due", "canceled"):
        Subscription.objects.filter(pk=running().pk).update(status=status)
    Subscription.objects.filter(pk=running().pk).update(cancel_at_period_end=True)

    assert at(WEEK_BEFORE, invoice_due_renewals, batch) == 5
    assert sorted(Renewal.objects.values_list("subscription_id", flat=True)) == [each.pk for each in due]


def test_a_year_is_renewed_by_a_year() -> None:
    subscription = running(make.plan("yearly", billing_cycle="annual", price=Decimal("890.00")))

    at(WEEK_BEFORE.replace(year=2027), invoice_due_renewals)

    renewal = renewal_of(subscription)
    assert (renewal.period_start, renewal.period_end) == (START.replace(year=2027), START.replace(year=2028))
    assert renewal.invoice.total == Decimal("890.00")


def test_the_terms_in_force_are_renewed_whatever_the_plan_says_now(subscription: Subscription) -> None:
    Plan.objects.update(price=Decimal("500.00"), included_credits=1, billing_cycle="annual", max_sites=1)

    at(WEEK_BEFORE, invoice_due_renewals)

    line = renewal_of(subscription).invoice.lines.get()
    assert (line.unit_amount, line.credits, line.billing_cycle, line.max_sites) == (89, 1000, "monthly", 2)


def test_a_second_renewal_of_a_period_is_refused_by_the_database(subscription: Subscription) -> None:
    at(WEEK_BEFORE, invoice_due_renewals)
    renewal = renewal_of(subscription)
    other = make.invoice(subscription.account)

    with pytest.raises(IntegrityError, match="igny8_renewals_once_per_period"):
        Renewal.objects.create(
            account=renewal.account, subscription=subscription, invoice=other, period_start=END, period_end=NEXT_END
        )


def test_periods_that_were_missed_are_invoiced_one_after_the_other(subscription: Subscription) -> None:
    """The scheduler stood still for 40 days (DAT-07)."""
    late = END + timedelta(days=40)

    work_at(late)
    first = renewal_of(subscription)
    assert (first.period_start, first.invoice.due_date) == (END, late.date())
    assert Renewal.objects.count() == 1
    pay_at(late, first.invoice)
    work_at(late)

    second = renewal_of(subscription)
    assert (second.period_start, second.period_end) == (NEXT_END, NEXT_END.replace(month=4, day=30))
    assert (first.next_charge_at, second.next_charge_at) == (None, None)
    pay_at(late, second.invoice)
    work_at(late)
    assert Renewal.objects.count() == 2
    assert now(subscription).current_period_end > late
    require_sound_at(late)


def test_a_loop_is_stopped_at_the_bound(subscription: Subscription, settings: Any) -> None:
    settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = 2
    for _ in range(2):
        at(WEEK_BEFORE, make.invoice, subscription.account, subscription=subscription)

    assert at(WEEK_BEFORE, invoice_due_renewals) == 0
    assert at(WEEK_BEFORE + timedelta(days=1), invoice_due_renewals) == 1


def test_one_that_does_not_fit_stops_no_other(subscription: Subscription) -> None:
    others = [running() for _ in range(2)]
    # A number that is taken already: the insert of the whole batch fails.
    at(WEEK_BEFORE, make.invoice, subscription.account)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE igny8_invoice_counters SET last_number = 0 WHERE account_id = %s AND month = '202602'",
            [subscription.account_id],
        )

    assert at(WEEK_BEFORE, invoice_due_renewals) == 2
    assert {renewal_of(other).status for other in others} == {RenewalStatus.OPEN}
    assert Invoice.objects.filter(subscription=subscription).count() == 1


def test_an_account_that_somebody_holds_is_left_for_the_next_run(subscription: Subscription, monkeypatch: Any) -> None:
    monkeypatch.setattr(invoicing, "lock_free_accounts", lambda ids: [])
    assert at(WEEK_BEFORE, invoice_due_renewals) == 0
    monkeypatch.undo()

    assert at(WEEK_BEFORE, invoice_due_renewals) == 1


def test_numbers_stay_gapless_with_what_is_invoiced_by_hand(subscription: Subscription) -> None:
    at(WEEK_BEFORE, make.invoice, subscription.account)
    at(WEEK_BEFORE, invoice_due_renewals)
    at(WEEK_BEFORE, make.invoice, subscription.account)

    numbers = Invoice.objects.filter(invoice_date=date(2026, 2, 21)).order_by("pk")
    assert [invoice.invoice_number[-4:] for invoice in numbers] == ["0001", "0002", "0003"]
    require_sound_at(WEEK_BEFORE)


@pytest.mark.parametrize("cycle", ["monthly", "annual"])
def test_each_invoice_says_the_period_that_it_sells_whatever_runs_by_now(cycle: str) -> None:
    subscription = running(make.plan("other", billing_cycle=cycle, price=Decimal("50.00")))
    first_end = now(subscription).current_period_end
    assert first_end
    first, consulting = subscription.invoices.get(), make.invoice(subscription.account, subscription=subscription)
    work_at(first_end - timedelta(days=7))
    renewal = renewal_of(subscription)
    pay_at(first_end, renewal.invoice)
    assert now(subscription).current_period_start == first_end

    periods = {
        pk: (invoice.billing_period_start, invoice.billing_period_end)
        for pk in (first.pk, renewal.invoice_id, consulting.pk)
        for invoice in [Invoice.objects.get(pk=pk)]
    }

    assert periods[first.pk] == (START, first_end)
    assert periods[renewal.invoice_id] == (first_end, renewal.period_end)
    assert periods[consulting.pk] == (None, None)
    # The statement of the first page of the list says the same.
    first = reading.alone(read_first_invoices(size=9, count_limit=9), make.user(account=subscription.account))
    of_page = {row["id"]: row for row in first_invoices_of(first).rows}
    for pk, (start, end) in periods.items():
        read = [of_page[pk][name] for name in ("billing_period_start", "billing_period_end")]
        assert [each and datetime.fromisoformat(each) for each in read] == [start, end]
