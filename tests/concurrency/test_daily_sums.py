"""Several workers that sum the same days at once: each day is summed once."""

from datetime import timedelta

import pytest

from igny8_core.business.billing.models import DailySum
from igny8_core.business.billing.services.figures.days import sum_up_days
from igny8_core.common import clock
from tests import make
from tests.concurrency.race import all_at_once


@pytest.mark.usefixtures("books_balance")
def test_workers_do_not_sum_a_day_twice() -> None:
    tenant = make.owner().account
    assert tenant
    make.credits(tenant, 7)
    tomorrow = clock.now() + timedelta(days=1, minutes=6)

    outcomes = all_at_once([lambda: sum_up_days(tomorrow)] * 8)

    assert sorted(outcomes, key=str) == [0, 0, 0, 0, 0, 0, 0, 1]
    assert [(row.kind, row.amount) for row in DailySum.objects.all()] == [("issued", 7)]
