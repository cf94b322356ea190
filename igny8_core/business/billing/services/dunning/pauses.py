"""Operators let the clock of dunning stand still: for an account (an exemption), or for one invoice (a later deadline).

What dunning has done already stays: a suspension for want of payment is lifted by the payment.
"""

from datetime import date, timedelta

from igny8_core.auth.errors import AccountDeleted
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.business.billing.errors import InvoiceNotPayable
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import DunningPause, Invoice, InvoiceStatus
from igny8_core.business.billing.services.dunning.calendar import local_time
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.events import services as events

LONGEST_PAUSE = timedelta(days=366)


@service_transaction
def exempt_account(account: Account, until: date, reason: str, exempted_by: User) -> DunningPause:
    """Let the clock of all invoices of an account stand still until the end of a day. It replaces an earlier one;
    today's date ends it with today.

    Raises OwnAccount, AccountDeleted, InvalidInput for a day that is over or more than a year ahead.
    """
    account = _locked(account, exempted_by)
    pause = _pause(account, None, until, reason, exempted_by)
    facts = {"until": until.isoformat(), "reason": reason}
    events.record(events.about("account.dunning_exempted", account, exempted_by, facts))
    return pause


@service_transaction
def extend_deadline(invoice: Invoice, until: date, reason: str, extended_by: User) -> DunningPause:
    """Give the customer time to pay an invoice until the end of a day; the due date on the document stays.

    Raises OwnAccount, InvoiceNotFound, InvoiceNotPayable, InvalidInput for a day that is over, is not after the due
    date, or is more than a year ahead.
    """
    account = _locked(Account(pk=invoice.account_id), extended_by)
    invoice = lock_invoice(account, invoice.pk)
    if invoice.status != InvoiceStatus.PENDING:
        raise InvoiceNotPayable()
    if until <= invoice.due_date:
        text = f"A day after the due date ({invoice.due_date}) is expected."
        raise InvalidInput(errors={"until": [text]})
    pause = _pause(account, invoice, until, reason, extended_by)
    facts = {"invoice_number": invoice.invoice_number, "until": until.isoformat(), "reason": reason}
    events.record(events.about("invoice.deadline_extended", invoice, extended_by, facts))
    return pause


def _locked(account: Account, operator: User) -> Account:
    locked = lock_account(account.pk)
    require_other_account(operator, locked.pk)
    if locked.deleted_at:
        raise AccountDeleted()
    return locked


def _pause(account: Account, invoice: Invoice | None, until: date, reason: str, by: User) -> DunningPause:
    today = local_time(account, clock.now()).date()
    if not today <= until <= today + LONGEST_PAUSE:
        text = f"A day from {today} (today, where the customer is) to {today + LONGEST_PAUSE} is expected."
        raise InvalidInput(errors={"until": [text]})
    earlier = DunningPause.objects.filter(account=account, invoice=invoice, ended_at=None)
    earlier.update(ended_at=clock.now())
    return DunningPause.objects.create(account=account, invoice=invoice, until=until, reason=reason, created_by=by)
