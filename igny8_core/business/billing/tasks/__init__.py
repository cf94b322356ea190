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
def expire_credits() -> None:
    """Take back credits whose time is over."""
    expire_due_credits()


@shared_task(name="billing.sum_up_usage", ignore_result=True)
def sum_up_usage() -> None:
    """Sum the usage log per quarter of an hour, for analytics."""
    rollup.sum_up_usage()


@shared_task(name="billing.end_periods", ignore_result=True)
def end_periods() -> None:
    """Do what customers scheduled for the end of periods that are over: cancellations and downgrades."""
    end_due_periods()


@shared_task(name="billing.delete_unused_proofs", ignore_result=True)
def delete_unused_proofs() -> None:
    """Delete uploaded files that no payment used within a week."""
    uploads.delete_unused_proofs()


@shared_task(name="billing.process_webhooks", ignore_result=True)
def process_webhooks() -> None:
    """Do what messages of Stripe and PayPal lead to, that have come or wait for another try."""
    process_due_messages()


@shared_task(name="billing.check_payments", ignore_result=True)
def check_payments() -> None:
    """Ask gateways what became of payments and refunds that are not decided and are due for a look."""
    poll_due()


@shared_task(name="billing.delete_old_webhooks", ignore_result=True)
def delete_old_webhooks() -> None:
    """Delete messages of gateways that were done with 90 days ago."""
    delete_old_messages()


@shared_task(name="billing.reconcile_gateways", ignore_result=True)
def reconcile_gateways() -> None:
    """Compare what Stripe and PayPal hold of the last days with what stands here."""
    reconcile()


@shared_task(name="billing.check_invariants", ignore_result=True)
def check_invariants() -> None:
    """Log an error for every invariant that does not hold; the log is what alerts watch."""
    for result in broken_invariants():
        logger.error("invariant broken", extra={"invariant": result.name, "rows": result.examples})
