"""What a change of plan within a period costs (docs/domain.md section 4): to the second, each line rounded once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igny8_core.auth.models import Plan, Terms
from igny8_core.business.billing.pricing import PaidPart, Period, checked_lines, plan_change_lines, subtotal

START, END = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)
STARTER = Plan(name="Starter", slug="starter")


def sold(price: str | Decimal = "89.00", credits: int = 1000, currency: str = "USD") -> Terms:
    return Terms(Decimal(price), currency, "monthly", credits, credits_rollover=False, max_sites=1, max_users=2)


def plan(price: str = "139.00", credits: int = 2000, currency: str = "USD", cycle: str = "monthly") -> Plan:
    return Plan(
        name="Growth",
        slug="growth",
        price=Decimal(price),
        currency=currency,
        billing_cycle=cycle,
        included_credits=credits,
    )


def paid(terms: Terms, period: Period) -> list[PaidPart]:
    """All of the period paid at its start, and all of it still here."""
    return [PaidPart(Fraction(terms.price), terms.credits, period.start, period.end)]


def half_up(value: Fraction, decimals: int) -> Decimal:
    """Rounding half away from zero, written down a second time and in another way."""
    scaled = value * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-decimals)


@pytest.mark.parametrize(
    ("seconds_gone", "unused", "charge", "credits"),
    [
        (0, "-89.00", "139.00", 1000),
        (14 * 86400, "-44.50", "69.50", 500),
        (7 * 86400, "-66.75", "104.25", 750),
        (28 * 86400 - 1, "0.00", "0.00", 0),
        (28 * 86400 - 3600, "-0.13", "0.21", 1),
        (28 * 86400, "0.00", "0.00", 0),
        (40 * 86400, "0.00", "0.00", 0),
        (-60, "-89.00", "139.00", 1000),
    ],
)
def test_the_time_that_is_left_counts_to_the_second(seconds_gone: int, unused: str, charge: str, credits: int) -> None:
    period = Period(START, END, START + timedelta(seconds=seconds_gone))

    lines = checked_lines(plan_change_lines(sold(), STARTER, plan(), period, paid(sold(), period)), "USD")

    assert [line["amount"].replace("-0.00", "0.00") for line in lines] == [unused, charge]
    assert lines[1]["credits"] == credits


def test_a_longer_cycle_begins_a_period_of_its_own_at_the_full_price() -> None:
    period = Period(START, END, START + timedelta(days=14))

    unused, charge = plan_change_lines(
        sold(), STARTER, plan("900.00", 24000, cycle="annual"), period, paid(sold(), period)
    )

    assert (unused["amount"], charge["amount"]) == (Decimal("-44.50"), Decimal("900.00"))
    assert (charge["credits"], charge["restarts_period"]) == (24000, True)


def test_a_larger_plan_with_fewer_credits_takes_none_away() -> None:
    period = Period(START, END, START + timedelta(days=14))

    assert plan_change_lines(sold(), STARTER, plan(credits=10), period, paid(sold(), period))[1]["credits"] == 0


@given(
    parts=st.lists(
        st.tuples(st.decimals("0.00", "999.99", places=2), st.integers(0, 86399), st.integers(0, 9999)), max_size=5
    ),
    gone=st.integers(0, 86400),
)
def test_the_parts_that_are_paid_are_added_up_exactly_and_rounded_once(
    parts: list[tuple[Decimal, int, int]], gone: int
) -> None:
    end = START + timedelta(days=1)
    paid_parts = [PaidPart(Fraction(money), had, START + timedelta(seconds=at), end) for money, at, had in parts]
    period = Period(START, end, START + timedelta(seconds=gone))

    unused, charge = plan_change_lines(sold("600.00"), STARTER, plan("900.00", 5000), period, paid_parts)

    left = 86400 - gone
    shares = [(money, had, min(Fraction(left, 86400 - at), Fraction(1))) for money, at, had in parts]
    worth = min(sum((Fraction(money) * share for money, _, share in shares), Fraction(0)), Fraction(600 * left, 86400))
    assert -unused["amount"] == half_up(worth, 2)
    had = sum((had * share for _, had, share in shares), Fraction(0))
    assert charge["credits"] == max(0, int(half_up(max(Fraction(0), Fraction(5000 * left, 86400) - had), 0)))


@given(
    old=st.decimals("0.01", "99999.99", places=2),
    new=st.decimals("0.01", "99999.99", places=2),
    length=st.integers(1, 366 * 86400),
    gone=st.floats(0, 1),
)
def test_each_line_is_its_exact_share_rounded_once_and_the_lines_add_up(
    old: Decimal, new: Decimal, length: int, gone: float
) -> None:
    end = START + timedelta(seconds=length)
    period = Period(START, end, START + timedelta(seconds=int(length * gone)))

    unused, charge = plan_change_lines(sold(old, 0), STARTER, plan(str(new)), period, paid(sold(old, 0), period))

    left = Fraction(period.seconds_left, length)
    assert -unused["amount"] == half_up(Fraction(old) * left, 2)
    assert charge["amount"] == half_up(Fraction(new) * left, 2)
    assert subtotal([unused, charge]) == charge["amount"] + unused["amount"]


@pytest.mark.parametrize(("currency", "price", "expected"), [("JPY", "8901", "4451"), ("KWD", "89.001", "44.501")])
def test_the_currency_says_how_many_decimals_a_share_has(currency: str, price: str, expected: str) -> None:
    period = Period(START, START + timedelta(seconds=2), START + timedelta(seconds=1))

    line = plan_change_lines(sold("1", 0, currency), STARTER, plan(price, 0, currency), period, [])[1]

    assert line["amount"] == Decimal(expected)
