"""What an invoice states: lines as they are stored, sums, and periods that never drift."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igny8_core.business.billing.models import CreditPackage, InvoiceLine
from igny8_core.business.billing.pricing import checked_lines, credit_line, period_end, subtotal
from igny8_core.common.errors import DomainError
from igny8_core.common.money import format_amount, round_amount

# --- Periods: DAT-01, DAT-02 --------------------------------------------------------------------------------------


def test_no_period_drifts_whatever_day_it_started_on() -> None:
    """Every start day of 2024 to 2027 × 120 months; until 2100 the calendar repeats itself every four years."""
    anchor = datetime(2024, 1, 1, 15, 30, 45, 123456, tzinfo=UTC)
    days = 0
    while anchor.year <= 2027:
        previous, month_number = anchor, anchor.year * 12 + anchor.month - 1
        for period in range(1, 121):
            end = period_end(anchor, period, "monthly")
            year, month = divmod(month_number + period, 12)
            last_day = monthrange(year, month + 1)[1]
            if (end.year, end.month, end.day) != (year, month + 1, min(anchor.day, last_day)) or end <= previous:
                pytest.fail(f"{anchor}: period {period} ends {end}, the one before {previous}")
            previous = end
        assert end.timetz() == anchor.timetz()
        anchor += timedelta(days=1)
        days += 1
    assert days == 1461


def test_the_documented_month_ends() -> None:
    anchor = datetime(2025, 1, 31, tzinfo=UTC)

    ends = [period_end(anchor, period, "monthly").date() for period in (1, 2, 3, 13, 25, 37)]

    assert [str(end) for end in ends] == [
        "2025-02-28", "2025-03-31", "2025-04-30", "2026-02-28", "2027-02-28", "2028-02-29",
    ]  # fmt: skip


def test_a_leap_day_is_28_february_in_common_years_and_29_in_leap_years() -> None:
    anchor = datetime(2024, 2, 29, tzinfo=UTC)

    ends = [period_end(anchor, years, "annual").date() for years in range(1, 9)]

    assert ends == [date(2024 + n, 2, 29 if (2024 + n) % 4 == 0 else 28) for n in range(1, 9)]


def test_twelve_months_are_a_year() -> None:
    anchor = datetime(2024, 2, 29, tzinfo=UTC)

    assert period_end(anchor, 12, "monthly") == period_end(anchor, 1, "annual")
    assert period_end(anchor, 0, "monthly") == anchor


# --- Lines --------------------------------------------------------------------------------------------------------

LINE = {"description": "Consulting", "quantity": 1, "amount": "89.00"}


@pytest.mark.parametrize(
    ("amount", "currency", "stored"),
    [
        ("89.00", "USD", "89.00"), ("89", "USD", "89.00"), (Decimal("89"), "USD", "89.00"), (89, "USD", "89.00"),
        ("0", "USD", "0.00"), ("89", "JPY", "89"), ("26.125", "KWD", "26.125"), (Decimal("89.000"), "USD", "89.00"),
        (99.00, "USD", "99.00"), (0.1, "USD", "0.10"), (8900.0, "JPY", "8900"),
    ],
)  # fmt: skip
def test_amounts_are_stored_as_text_in_the_decimals_of_the_currency(amount: Any, currency: str, stored: str) -> None:
    assert checked_lines([{**LINE, "amount": amount}], currency)[0]["amount"] == stored


@pytest.mark.parametrize(
    "amount",
    [
        89.001, float("nan"), float("inf"), -0.5, 1e300, True, None, [], {}, b"89",
        "", " ", "89,00", "abc", "-1", "-0.01", "NaN", "sNaN", "Infinity",
        "-Infinity", "1e2",
        "1E+400", "1_000", "٨٩", "８９", " 89", "89 ", "89\n", "+89", "0x59", "89.001", "0.001", "1" + "0" * 20,
        Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-1"), Decimal("0.001"), Decimal("1E+30"),
        10**20, -1,
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_the_number_of_its_line(amount: Any) -> None:
    with pytest.raises(DomainError) as caught:
        checked_lines([LINE, {**LINE, "amount": amount}], "USD")

    assert caught.value.http_status == 400
    assert "Line 2" in caught.value.text


@pytest.mark.parametrize(
    "change",
    [
        {"description": ""}, {"description": " "}, {"description": None}, {"description": 1}, {"quantity": 0},
        {"quantity": -1},
        {"quantity": 1.0}, {"quantity": "1"}, {"quantity": True}, {"quantity": None}, {"quantity": Decimal(1)},
        {"credits": -1}, {"credits": 1.5}, {"credits": "1000"}, {"credits": True}, {"credits": [1]},
        {"credits": 2**31}, {"quantity": 2**31}, {"kind": "gift"}, {"kind": None},
    ],
    ids=str,
)  # fmt: skip
def test_any_other_line_is_refused_with_its_number(change: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as caught:
        checked_lines([{**LINE, **change}], "USD")

    assert caught.value.http_status == 400
    assert "Line 1" in caught.value.text


def test_an_invoice_needs_a_line_and_grants_credits_by_one_at_most() -> None:
    with pytest.raises(DomainError):
        checked_lines([], "USD")
    with pytest.raises(DomainError, match="At most one line"):
        checked_lines([{**LINE, "credits": 5}, {**LINE, "credits": 5}], "USD")

    lines = [InvoiceLine(), InvoiceLine(credits=5), InvoiceLine(credits=0)]
    assert credit_line(lines) is lines[1]
    assert credit_line(lines[:1]) is None


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 10_000_000)), min_size=1, max_size=20))
def test_lines_add_up_to_the_minor_unit(lines: list[tuple[int, int]]) -> None:
    stored = checked_lines(
        [{"description": "x", "quantity": number, "amount": Decimal(cents).scaleb(-2)} for number, cents in lines],
        "USD",
    )

    assert subtotal(stored) * 100 == sum(number * cents for number, cents in lines)


@pytest.mark.parametrize(
    ("price", "discount", "currency", "charged"),
    [
        ("9.00", 0, "USD", "9.00"), ("29.00", 10, "USD", "26.10"), ("69.00", 15, "USD", "58.65"),
        ("249.00", 20, "USD", "199.20"),
        ("0.05", 50, "USD", "0.03"), ("0.25", 50, "USD", "0.13"), ("999", 33, "JPY", "669"),
        ("1.001", 50, "KWD", "0.501"),
    ],
)  # fmt: skip
def test_a_package_costs_its_price_less_the_discount_rounded_half_up(
    price: str, discount: int, currency: str, charged: str
) -> None:
    package = CreditPackage(price=Decimal(price), discount_percentage=discount, currency=currency)

    assert format_amount(package.final_price, currency) == charged
    assert round_amount(package.final_price, currency) == package.final_price
