"""Periods are computed from the anchor: no drift, no gap, no overlap, on whatever day they began (DAT-01, DAT-02)."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest

from igny8_core.auth.models import BillingCycle
from igny8_core.business.billing.pricing import next_period

# Until 2100 the calendar repeats itself every four years.
FIRST, LAST = datetime(2024, 1, 1, 23, 59, 59, 999999, UTC), datetime(2028, 1, 1, tzinfo=UTC)


def starts() -> list[datetime]:
    days = (LAST - FIRST).days + 1
    return [FIRST + timedelta(days=day) for day in range(days)]


def expected(anchor: datetime, months: int) -> datetime:
    """So many months after the anchor: its day of the month, or the month's last."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def test_every_start_of_four_years_renews_for_ten_years_without_drift_gap_or_overlap() -> None:
    assert len(starts()) == 1461
    for anchor in starts():
        end = expected(anchor, 1)
        for months in range(1, 120):
            period = next_period(anchor, end, BillingCycle.MONTHLY)
            if (period.start, period.end, period.anchor) != (end, expected(anchor, months + 1), anchor):
                pytest.fail(f"{anchor}: period {months + 1} is {period}")
            end = period.end


@pytest.mark.parametrize("anchor", [datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2023, 12, 31, tzinfo=UTC)])
def test_a_year_from_a_leap_day_ends_on_the_last_of_february(anchor: datetime) -> None:
    end = expected(anchor, 12)
    for years in range(2, 11):
        period = next_period(anchor, end, BillingCycle.ANNUAL)
        assert (period.start, period.end) == (end, expected(anchor, 12 * years))
        end = period.end
    assert next_period(anchor, end, BillingCycle.ANNUAL).anchor == anchor


def test_another_cycle_goes_on_from_the_same_anchor() -> None:
    anchor = datetime(2024, 1, 31, tzinfo=UTC)

    yearly = next_period(anchor, datetime(2024, 2, 29, tzinfo=UTC), BillingCycle.ANNUAL)
    monthly = next_period(anchor, datetime(2025, 1, 31, tzinfo=UTC), BillingCycle.MONTHLY)

    assert (yearly.end, monthly.end) == (datetime(2025, 2, 28, tzinfo=UTC), datetime(2025, 2, 28, tzinfo=UTC))


def test_an_end_that_somebody_set_is_the_new_anchor() -> None:
    set_by_hand = datetime(2024, 3, 17, 5, tzinfo=UTC)

    period = next_period(datetime(2024, 1, 31, tzinfo=UTC), set_by_hand, BillingCycle.MONTHLY)

    assert (period.start, period.end) == (set_by_hand, datetime(2024, 4, 17, 5, tzinfo=UTC))
    assert period.anchor == set_by_hand
