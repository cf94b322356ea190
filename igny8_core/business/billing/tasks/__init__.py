"""Background work of billing; the schedule is in igny8_core/celery.py."""

import logging

from celery import shared_task

from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.services.credits import rollup
from igny8_core.business.billing.services.credits.granting import expire_due_credits
from igny8_core.business.billing.services.proofs import uploads
from igny8_core.business.billing.services.reconciliation.daily import reconcile
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from igny8_core.business.billing.services.subscriptions.ending import end_due_periods
from igny8_core.business.billing.services.webhook_inbox.inbox import delete_old_messages, process_due_messages

logger = logging.getLogger(__name__)


@shared_task(name="billing.expire_credits", ignore_result=True)
def expire_credits() -> int:
    """Take back expired credits."""
    return expire_due_credits()


@shared_task(name="billing.sum_up_usage", ignore_result=True)
def sum_up_usage() -> int:
    """Sum the usage log per quarter of an hour, for analytics."""
    return rollup.sum_up_usage()


@shared_task(name="billing.end_periods", ignore_result=True)
def end_periods() -> int:
    """Carry out cancellations and downgrades that are scheduled for the end of periods that are over."""
    return end_due_periods()


@shared_task(name="billing.delete_unused_proofs", ignore_result=True)
def delete_unused_proofs() -> int:
    """Delete uploaded files that no payment used within a week."""
    return uploads.delete_unused_proofs()


@shared_task(name="billing.process_webhooks", ignore_result=True)
def process_webhooks() -> int:
    """Process webhook messages that are new or due for another try."""
    return process_due_messages()


@shared_task(name="billing.check_payments", ignore_result=True)
def check_payments() -> int:
    """Ask gateways about undecided payments and refunds that are due for a check."""
    return poll_due()


@shared_task(name="billing.delete_old_webhooks", ignore_result=True)
def delete_old_webhooks() -> int:
    """Delete processed webhook messages that are older than 90 days."""
    return delete_old_messages()


@shared_task(name="billing.reconcile_gateways", ignore_result=True)
def reconcile_gateways() -> int:
    """Compare the last days' records of Stripe and PayPal with ours."""
    return len(reconcile())


@shared_task(name="billing.check_invariants", ignore_result=True)
def check_invariants() -> int:
    """Log an error for every invariant that does not hold. Alerts watch the log, and /metrics the number."""
    broken = broken_invariants()
    for result in broken:
        logger.error("invariant broken", extra={"invariant": result.name, "rows": result.examples})
    return len(broken)
