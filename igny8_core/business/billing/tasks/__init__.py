"""Background work of billing; the schedule is in igny8_core/celery.py."""

import logging

from celery import shared_task

from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.services.credit_service import CreditService

logger = logging.getLogger(__name__)


@shared_task(name="billing.expire_credits", ignore_result=True)
def expire_credits() -> None:
    """Take back credits whose time is over."""
    CreditService.expire_due()


@shared_task(name="billing.check_invariants", ignore_result=True)
def check_invariants() -> None:
    """Log an error for every invariant that does not hold; the log is what alerts watch."""
    for result in broken_invariants():
        logger.error("invariant broken", extra={"invariant": result.name, "rows": result.examples})
