"""Money and credits by day: what is summed and what is not yet add up to what the rows say, wherever the line is."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from igny8_core.auth.models import User
from igny8_core.business.billing import reports
from igny8_core.business.billing.models import (
    Allocation,
    CreditNote,
    CreditTransaction,
    DailySum,
    DailySumMark,
    Invoice,
    Payment,
)
from igny8_core.business.billing.services.figures.days import sum_up_days
from igny8_core.common import clock

NOW = datetime(2027, 3, 10, 15, 30, tzinfo=UTC)
CURRENCIES = ["EUR", "JPY", "USD"]


@pytest.fixture
def _at_noon() -> None:
    clock.stand_at(NOW)


@pytest.fixture(autouse=True)
def _time_goes_on() -> object:
    yield
    clock.stand_at(None)


def made_history(owner: User, rows: int = 120) -> None:
    """Allocations, releases, credit notes and ledger rows of fourteen months, many of them at the edges of days."""
    chance = random.Random(7)

    def moment() -> datetime:
        day = datetime(2027, 3, 10, tzinfo=UTC) - timedelta(days=chance.randint(0, chance.choice([9, 420])))
        at = chance.choice([timedelta(0), timedelta(hours=23, minutes=59, seconds=59, microseconds=999_999)])
        return min(day + chance.choice([at, timedelta(seconds=chance.randint(0, 86_399))]), NOW - timedelta(seconds=1))

    account = owner.account
    assert account
    for number in range(rows):
        money = {"amount": Decimal(chance.randint(1, 900_000)) / 100, "currency": chance.choice(CURRENCIES)}
        if money["currency"] == "JPY":
            money["amount"] = Decimal(chance.randint(1, 9000))
        day = NOW.date()
        of = Invoice.objects.create(
            account=account, invoice_number=f"INV-{number}", status="pending", currency=money["currency"],
            subtotal=money["amount"], total=money["amount"], invoice_date=day, due_date=day,
        )  # fmt: skip
        paid = Payment.objects.create(
            account=account, invoice=of, payment_method="bank_transfer", status="succeeded", **money
        )
        made = moment()
        is_released = chance.random() < 0.2
        Allocation.objects.create(
            account=account, invoice=of, payment=paid, created_at=made, **money,
            released_at=max(made, moment()) if is_released else None, release_reason="Moved" if is_released else "",
        )  # fmt: skip
        if chance.random() < 0.3:
            CreditNote.objects.create(
                account=account, invoice=of, payment=paid, credit_note_number=f"CN-{number}", created_at=moment(),
                reason="Goodwill", **money,
            )  # fmt: skip
    kinds = ["trial", "subscription", "purchase", "adjustment", "usage", "expiry", "refund"]
    for number in range(rows):
        kind = chance.choice(kinds)
        sign = (
            chance.choice([1, -1]) if kind in {"adjustment", "usage"} else (-1 if kind in {"expiry", "refund"} else 1)
        )
        CreditTransaction.objects.create(
            account=account, transaction_type=kind, amount=sign * chance.randint(1, 5000), balance_after=9,
            description="Made", source=f"made:{number}", created_at=moment(),
        )  # fmt: skip


def revenue_of_the_rows() -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    gross: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    back: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in Allocation.objects.all():
        gross[f"{row.created_at:%Y-%m}", row.currency] += row.amount
        if row.released_at:
            gross[f"{row.released_at:%Y-%m}", row.currency] -= row.amount
    for note in CreditNote.objects.all():
        back[f"{note.created_at:%Y-%m}", note.currency] += note.amount
    return {key: (gross[key], back[key]) for key in [*gross, *back]}


def credits_of_the_rows(month: str) -> reports.CreditFlow:
    found: defaultdict[str, int] = defaultdict(int)
    for row in CreditTransaction.objects.all():
        if f"{row.created_at:%Y-%m}" != month:
            continue
        if row.transaction_type in {"usage", "expiry"}:
            found[row.transaction_type] -= row.amount
        else:
            found["issued" if row.amount > 0 else "taken_back"] += abs(row.amount)
    return reports.CreditFlow(found["issued"], found["usage"], found["expiry"], found["taken_back"])


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
def test_figures_are_those_of_the_rows_wherever_the_sums_end(alice: User) -> None:
    made_history(alice)
    expected = revenue_of_the_rows()
    credits = credits_of_the_rows("2027-03")
    assert len({month for month, _ in expected}) > 12

    for days_ago in (None, 400, 200, 31, 10, 9, 1, 0):
        if days_ago is not None:
            sum_up_days(NOW - timedelta(days=days_ago))
        shown = reports.revenue_by_month()
        assert len(shown) == 12 * len(CURRENCIES)
        for row in shown:
            assert (row.gross, row.refunded) == expected.get((row.month, row.currency), (0, 0)), (days_ago, row)
        assert reports.credits_this_month() == credits

    assert DailySumMark.read() == NOW.date()
    assert credits.issued
    assert credits.used


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_noon")
def test_a_day_is_summed_once_and_only_when_it_is_over(alice: User) -> None:
    made_history(alice, 10)

    assert sum_up_days() > 0
    summed = list(DailySum.objects.order_by("pk").values())
    assert sum_up_days() == 0
    assert sum_up_days(NOW - timedelta(days=90)) == 0
    assert list(DailySum.objects.order_by("pk").values()) == summed
    # Rows of 23:59:59 may still be on their way.
    sum_up_days(datetime(2027, 3, 11, 0, 4, tzinfo=UTC))
    assert DailySumMark.read() == NOW.date()
    sum_up_days(datetime(2027, 3, 11, 0, 5, tzinfo=UTC))
    assert DailySumMark.read() == NOW.date() + timedelta(days=1)
