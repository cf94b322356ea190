"""Several workers that sum usage at once, and one that is killed: each use is summed once by quarters and by hours."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import CreditUsageHour, CreditUsageLog, CreditUsageSum
from igny8_core.business.billing.services.credits.rollup import sum_up_usage
from igny8_core.business.billing.usage import used_since
from igny8_core.common import clock
from tests import make
from tests.concurrency.killed import killed_before
from tests.concurrency.race import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)

USES, CREDITS = 40, 820  # 1 + 2 + … + 40


@pytest.fixture
def account() -> Account:
    """An account with uses over the last 80 days, so that its sums take several transactions."""
    account = make.owner().account
    assert account
    for number in range(1, USES + 1):
        at = clock.now() - timedelta(days=2 * number, minutes=7 * number)
        CreditUsageLog.objects.create(account=account, operation_type="article", credits=number, created_at=at)
    return account


def require_each_once(account: Account) -> None:
    for table in (CreditUsageSum, CreditUsageHour):
        sums = table._default_manager.aggregate(credits=Sum("credits"), operations=Sum("operations"))
        assert sums == {"credits": CREDITS, "operations": USES}, table
    assert used_since(account, clock.now() - timedelta(days=100), clock.now()) == CREDITS


def test_workers_do_not_sum_a_use_twice(account: Account) -> None:
    outcomes = all_at_once([sum_up_usage] * 8)

    assert sum(int(str(outcome)) for outcome in outcomes) == 2 * USES
    require_each_once(account)


@pytest.mark.stress
def test_a_worker_that_is_killed_leaves_nothing_out_and_nothing_twice(account: Account) -> None:
    step = 0
    while killed_before(step, sum_up_usage):
        assert used_since(account, clock.now() - timedelta(days=100), clock.now()) == CREDITS
        step += 1

    assert step > 10
    require_each_once(account)
