"""Background work of billing; the schedule is in igny8_core/celery.py."""

import logging

from celery import shared_task

from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.services.credits import rollup
from igny8_core.business.billing.services.credits.granting import expire_due_credits
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.dunning.trials import take_trial_steps
from igny8_core.business.billing.services.dunning.undecided import remind_of_undecided
from igny8_core.business.billing.services.figures import days
from igny8_core.business.billing.services.payment_methods import gateway_customers
from igny8_core.business.billing.services.payments.bulk_decisions import carry_out_due
from igny8_core.business.billing.services.proofs import uploads
from igny8_core.business.billing.services.reconciliation.books import tell_operators
from igny8_core.business.billing.services.reconciliation.daily import reconcile
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from igny8_core.business.billing.services.renewals.beginning import begin_due_periods
from igny8_core.business.billing.services.renewals.card_warnings import warn_of_expiring_cards
from igny8_core.business.billing.services.renewals.charging import charge_due_renewals
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
from igny8_core.business.billing.services.renewals.price_changes import announce_price_changes
from igny8_core.business.billing.services.subscriptions.ending import end_due_periods
from igny8_core.business.billing.services.webhook_inbox.inbox import delete_old_messages, process_due_messages

logger = logging.getLogger(__name__)


@shared_task(name="billing.expire_credits", ignore_result=True)
def expire_credits() -> int:
    """Take back expired credits."""
    return expire_due_credits()


@shared_task(name="billing.sum_up_usage", ignore_result=True)
def sum_up_usage() -> int:
    """Sum the usage log by quarters of an hour and by hours; money and credits by days, for the dashboard."""
    return rollup.sum_up_usage() + days.sum_up_days()


@shared_task(name="billing.end_periods", ignore_result=True)
def end_periods() -> int:
    """Begin paid periods, and carry out cancellations and downgrades that are scheduled for periods that are over."""
    return begin_due_periods() + end_due_periods()


@shared_task(name="billing.invoice_renewals", ignore_result=True)
def invoice_renewals() -> None:
    """Tell customers of new prices, then invoice the next periods of subscriptions."""
    announce_price_changes()
    invoice_due_renewals()


@shared_task(name="billing.charge_renewals", ignore_result=True)
def charge_renewals() -> None:
    """Charge saved cards for renewals that are due."""
    charge_due_renewals()


@shared_task(name="billing.warn_of_cards", ignore_result=True)
def warn_of_cards() -> None:
    """Tell customers whose card expires soon."""
    warn_of_expiring_cards()


@shared_task(name="billing.dun_invoices", ignore_result=True)
def dun_invoices() -> None:
    """Remind of unpaid invoices, and carry out what follows where they stay unpaid."""
    take_due_steps()


@shared_task(name="billing.remind_operators", ignore_result=True)
def remind_operators() -> None:
    """Remind operators of confirmations that wait for their decision."""
    remind_of_undecided()


@shared_task(name="billing.end_trials", ignore_result=True)
def end_trials() -> None:
    """Warn of trials that end soon, and close those that are over."""
    take_trial_steps()


@shared_task(name="billing.delete_unused_proofs", ignore_result=True)
def delete_unused_proofs() -> int:
    """Delete uploaded files that no payment used within a week."""
    return uploads.delete_unused_proofs()


@shared_task(name="billing.release_left_customers", ignore_result=True)
def release_left_customers() -> None:
    """Have the customers of deleted accounts erased at Stripe where that was not ordered with the deletion."""
    gateway_customers.release_left_customers()


@shared_task(name="billing.process_webhooks", ignore_result=True)
def process_webhooks() -> int:
    """Process webhook messages that are new or due for another try."""
    return process_due_messages()


@shared_task(name="billing.decide_selected", ignore_result=True)
def decide_selected() -> int:
    """Decide the payments that operators have selected."""
    return carry_out_due()


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
    """Log an error for every invariant that does not hold, and tell operators by mail.

    Alerts watch the log, and /metrics the number.
    """
    broken = broken_invariants()
    for result in broken:
        logger.error("invariant broken", extra={"invariant": result.name, "rows": result.examples})
    tell_operators(broken)
    return len(broken)
