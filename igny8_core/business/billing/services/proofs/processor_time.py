"""How much processor time the reading of an account's files takes: counted, and bounded by the hour."""

import hashlib
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import ProofTimeUsedUp
from igny8_core.common import clock
from igny8_core.common.models import RateCounter

WINDOW_SECONDS = 3600
# In thousandths of a second. The table is the rate limits', which also deletes windows of the past.
ADD = """
    INSERT INTO igny8_rate_counters (key, window_start, count) VALUES (%s, %s, %s)
    ON CONFLICT (key, window_start) DO UPDATE SET count = igny8_rate_counters.count + excluded.count
"""


def require_time_left(account: Account) -> None:
    """Raise ProofTimeUsedUp if the account's files have taken PROOF_PROCESSOR_SECONDS in this hour."""
    now = clock.now().timestamp()
    used = RateCounter.objects.filter(key=_key(account), window_start=_window(now)).values_list("count", flat=True)
    if sum(used) >= settings.PROOF_PROCESSOR_SECONDS * 1000:
        raise ProofTimeUsedUp(retry_after=WINDOW_SECONDS - int(now) % WINDOW_SECONDS)


def count_time(account: Account, seconds: float) -> None:
    """Add processor time that was taken for a file of the account, taken or refused."""
    with connection.cursor() as cursor:
        cursor.execute(ADD, [_key(account), _window(clock.now().timestamp()), round(seconds * 1000)])


def _key(account: Account) -> str:
    return hashlib.sha256(f"proof processor time|{account.pk}".encode()).hexdigest()


def _window(now: float) -> datetime:
    return datetime.fromtimestamp(int(now) // WINDOW_SECONDS * WINDOW_SECONDS, UTC)
