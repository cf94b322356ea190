"""Invoice numbers without gaps."""

from datetime import date

from django.db import connection

from igny8_core.common.db import require_atomic

NEXT_NUMBER = """
INSERT INTO igny8_invoice_counters (account_id, month, last_number) VALUES (%s, %s, 1)
ON CONFLICT (account_id, month) DO UPDATE SET last_number = igny8_invoice_counters.last_number + 1
RETURNING last_number
"""


def next_invoice_number(account_id: int, invoice_date: date) -> str:
    """The account's next number of the month, `INV-{account_id}-{YYYYMM}-{NNNN}` (domain.md section 1).

    Taken in the transaction that creates the invoice: a rollback gives it back, two takers wait for each other.
    Raises RuntimeError outside a transaction.
    """
    require_atomic()
    month = f"{invoice_date:%Y%m}"
    with connection.cursor() as cursor:
        cursor.execute(NEXT_NUMBER, [account_id, month])
        (number,) = cursor.fetchone()
    return f"INV-{account_id}-{month}-{number:04d}"
