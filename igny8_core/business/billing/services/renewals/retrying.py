"""Operators have a renewal tried again."""

from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import SubscriptionStatus, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.business.billing.errors import RenewalNotRetryable
from igny8_core.business.billing.models import InvoiceStatus, Renewal, RenewalStatus
from igny8_core.business.billing.services.renewals.charging import charge_now
from igny8_core.business.billing.services.renewals.invoicing import invoice_renewal
from igny8_core.business.billing.services.settlement import begin_paid_period
from igny8_core.business.billing.services.subscriptions.withdrawing import withdraw_voided
from igny8_core.common import clock
from igny8_core.common.db import require_no_transaction, service_transaction
from igny8_core.events import services as events

RENEWED = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})


def retry_renewal(renewal: Renewal, retried_by: User) -> Renewal:
    """Do now what is next: invoice a voided or withdrawn renewal again, begin a paid one, or charge the saved card.

    Returns it as it is now. A card is charged only once the period has begun. Raises RenewalNotRetryable, OwnAccount.
    RuntimeError in a transaction.
    """
    require_no_transaction()
    renewal = _prepared(renewal, retried_by)
    if renewal.is_paid:
        begin_paid_period(renewal)
    elif renewal.status == RenewalStatus.WITHDRAWN:
        invoice_renewal(renewal.subscription)
    elif renewal.period_start <= clock.now():
        charge_now(renewal)
    return _read(renewal)


@service_transaction
def _prepared(renewal: Renewal, retried_by: User) -> Renewal:
    account = lock_account(renewal.account_id)
    require_other_account(retried_by, account.pk)
    renewal = _read(renewal)
    if renewal.status == RenewalStatus.BEGUN or renewal.subscription.status not in RENEWED:
        raise RenewalNotRetryable()
    if renewal.status == RenewalStatus.WITHDRAWN and renewal.subscription.cancel_at_period_end:
        raise RenewalNotRetryable(_("The subscription ends with its period, so it is not renewed."))
    if renewal.status == RenewalStatus.OPEN and renewal.invoice.status == InvoiceStatus.VOID:
        withdraw_voided(renewal, retried_by)
    facts = {"invoice_number": renewal.invoice.invoice_number}
    events.record(events.about("renewal.retried", renewal, retried_by, facts))
    return renewal


def _read(renewal: Renewal) -> Renewal:
    rows = Renewal.objects.select_related("account", "subscription__plan", "invoice")
    return rows.get(account_id=renewal.account_id, pk=renewal.pk)
