"""Gapless numbers for invoices and credit notes."""

from collections.abc import Sequence
from datetime import date

from django.db import connection

from igny8_core.common.db import PreparedStatement, require_atomic

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
    return _number(series, account_id, month, number)


NEXT_NUMBERS = PreparedStatement(
    name="igny8_next_invoice_numbers",
    types=("bigint[]", "text"),
    sql="""
        INSERT INTO igny8_invoice_counters AS counter (account_id, series, month, last_number)
        SELECT account_id, 'INV', $2, 1 FROM unnest($1) AS account_id ORDER BY account_id
        ON CONFLICT (account_id, series, month) DO UPDATE SET last_number = counter.last_number + 1
        RETURNING account_id, last_number
    """,
)


def next_invoice_numbers(account_ids: Sequence[int], invoice_date: date) -> dict[int, str]:
    """The next number of the month for each of the accounts, taken as by next_invoice_number; no account twice."""
    require_atomic()
    month = f"{invoice_date:%Y%m}"
    taken = NEXT_NUMBERS.fetch_all([list(account_ids), month])
    return {account_id: _number("INV", account_id, month, number) for account_id, number in taken}


def _number(series: str, account_id: int, month: str, number: int) -> str:
    return f"{series}-{account_id}-{month}-{number:04d}"
