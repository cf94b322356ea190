"""Gapless numbers for invoices and credit notes."""

from datetime import date

from django.db import connection

from igny8_core.common.db import require_atomic

NEXT_NUMBER = """
INSERT INTO igny8_invoice_counters (account_id, series, month, last_number) VALUES (%s, %s, %s, 1)
ON CONFLICT (account_id, series, month) DO UPDATE SET last_number = igny8_invoice_counters.last_number + 1
RETURNING last_number
"""


def next_invoice_number(account_id: int, invoice_date: date) -> str:
    """The account's next number of the month, `INV-{account_id}-{YYYYMM}-{NNNN}` (docs/domain.md section 1).

    Call it in the transaction that creates the invoice: a rollback returns the number, and a second caller waits for
    the first. Raises RuntimeError outside a transaction.
    """
    return _next_number(account_id, "INV", invoice_date)


def next_credit_note_number(account_id: int, date_of_issue: date) -> str:
    """The account's next credit note number of the month, `CN-{account_id}-{YYYYMM}-{NNNN}`; taken the same way."""
    return _next_number(account_id, "CN", date_of_issue)


def _next_number(account_id: int, series: str, day: date) -> str:
    require_atomic()
    month = f"{day:%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute(NEXT_NUMBER, [account_id, series, month])
        (number,) = cursor.fetchone()
    return f"{series}-{account_id}-{month}-{number:04d}"
