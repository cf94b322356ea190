"""Begin the periods that were paid before they began."""

import logging

from django.db import OperationalError
from django.db.models import Q

from igny8_core.auth.models import LIVE_STATUSES
from igny8_core.business.billing.models import InvoiceStatus, Renewal, RenewalStatus
from igny8_core.business.billing.services.settlement import begin_paid_period
from igny8_core.common import clock
from igny8_core.common.errors import DomainError

logger = logging.getLogger(__name__)
BATCH = 500


def begin_due_periods() -> int:
    """Begin every paid period whose time has come, each in its own transaction; returns how many.

    Also those whose money a release without renewals booked.
    """
    paid = Q(status=RenewalStatus.PAID) | Q(status=RenewalStatus.OPEN, invoice__status=InvoiceStatus.PAID)
    live = Renewal.objects.filter(paid, subscription__status__in=LIVE_STATUSES)
    begun, last = 0, 0
    while batch := list(live.filter(period_start__lte=clock.now(), pk__gt=last).order_by("pk")[:BATCH]):
        begun += sum(_begun(renewal) for renewal in batch)
        last = batch[-1].pk
    return begun


def _begun(renewal: Renewal) -> bool:
    try:
        return begin_paid_period(renewal)
    except DomainError as refusal:
        # One that does not fit must not stop the others. The invariants tell operators of it.
        logger.error("a paid period did not begin", extra={"renewal": renewal.pk, "code": refusal.code})
        return False
    except OperationalError as refusal:
        # Somebody holds the account for long. The next run begins it.
        logger.warning("a paid period waits", extra={"renewal": renewal.pk, "reason": str(refusal)})
        return False
