"""What rows of the credit ledger say, in the language of who reads them.

A row keeps the words of the day on which it was written, in the account's language then, and is never rewritten. What
we wrote is written again from what it is about: the line of the invoice that sold the credits, the grant that expired,
the number of the credit note. A row that has other words than these in every language has an operator's, or its plan
has another name by now: its own words stay.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import CreditGrant, CreditTransaction, CreditTransactionType, InvoiceLine
from igny8_core.business.billing.pricing import line_text
from igny8_core.common.languages import in_language, translated
from igny8_core.common.written import plain_day_text

GRANT, CREDIT_NOTE = "grant", "credit_note"


def ledger_texts(account: Account, rows: Sequence[CreditTransaction]) -> list[str]:
    """The text of each row of the account's ledger, in the language that is being written."""
    lines, grants = _lines_of(account, rows), _grants_of(account, rows)
    return [_text_of(row, _writer_of(row, lines, grants)) for row in rows]


def sold_text(line: InvoiceLine) -> str:
    """Of credits that a line of an invoice sold."""
    text = line_text(line)
    return f"{text} ({line.invoice.invoice_number})" if text else ""


def expired_text(grant: CreditGrant) -> str:
    """Of what was left of a grant when its time was over."""
    return _("Credits expired on %(day)s") % {"day": plain_day_text(grant.expires_at)} if grant.expires_at else ""


def refund_text(number: str) -> str:
    """Of credits that went back with a refund; `number`: the credit note's."""
    return _("Refund %(number)s") % {"number": number}


def _text_of(row: CreditTransaction, write: Callable[[], str] | None) -> str:
    return write() if write and row.description in _in_each_language(write) else translated(row.description)


def _in_each_language(write: Callable[[], str]) -> set[str]:
    written = set()
    for code, _name in settings.LANGUAGES:
        with in_language(code):
            written.add(write())
    return written


def _writer_of(
    row: CreditTransaction, lines: Mapping[int, InvoiceLine], grants: Mapping[int, CreditGrant]
) -> Callable[[], str] | None:
    kind, _colon, number = row.source.partition(":")
    if kind == CREDIT_NOTE:
        return partial(refund_text, number)
    if grant := grants.get(_expired_in(row)):
        return partial(expired_text, grant)
    line = lines.get(_invoice_of(row))
    return partial(sold_text, line) if line else None


def _invoice_of(row: CreditTransaction) -> int:
    """The id of the invoice that sold the row's credits; 0 if none did."""
    return int(row.metadata.get("invoice_id", 0)) if row.amount > 0 else 0


def _expired_in(row: CreditTransaction) -> int:
    """The id of the grant whose rest the row took back; 0 for other rows."""
    kind, _colon, number = row.source.partition(":")
    return int(number) if row.transaction_type == CreditTransactionType.EXPIRY and kind == GRANT else 0


def _lines_of(account: Account, rows: Sequence[CreditTransaction]) -> dict[int, InvoiceLine]:
    wanted = {number for row in rows if (number := _invoice_of(row))}
    if not wanted:
        return {}
    lines = InvoiceLine.objects.filter(account=account, invoice_id__in=wanted, credits__gt=0)
    return {line.invoice_id: line for line in lines.select_related("invoice", "plan", "package")}


def _grants_of(account: Account, rows: Sequence[CreditTransaction]) -> dict[int, CreditGrant]:
    wanted = {number for row in rows if (number := _expired_in(row))}
    return CreditGrant.objects.filter(account=account).in_bulk(wanted) if wanted else {}
