"""The reads that customers' programs repeat all day, by the statement that finds the session; rows become answers.

The ORM builds SQL and objects for each request, which takes many times longer than PostgreSQL needs. The plain forms
are in selectors.py and the API's serializers; tests compare both (tests/billing/test_hot_reads.py).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from igny8_core.auth.callers import CallerRead, Reading
from igny8_core.common import clock
from igny8_core.common.money import format_amount

BALANCE = CallerRead(
    name="igny8_balance",
    types=("timestamptz", "bigint"),
    sql="""
        SELECT coalesce(live.terms_credits, plan.included_credits),
               granted.total, granted.kind, granted.amount, granted.remaining, granted.expires_at
        FROM igny8_accounts account JOIN igny8_plans plan ON plan.id = account.plan_id
        LEFT JOIN igny8_subscriptions live
          ON live.account_id = account.id AND live.status IN ('pending_payment', 'active', 'past_due')
        LEFT JOIN LATERAL (
            SELECT id, kind, amount, remaining, expires_at, (sum(remaining) OVER ())::bigint AS total
            FROM igny8_credit_grants
            WHERE account_id = account.id AND remaining > 0 AND (expires_at IS NULL OR expires_at > $2)
            ORDER BY expires_at, kind, id LIMIT $3
        ) granted ON TRUE
        WHERE account.id = caller.account_id
        ORDER BY granted.expires_at, granted.kind, granted.id
    """,
)


def _time(column: str) -> str:
    """SQL that writes a time as DRF does."""
    return f"""replace(to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')"""


# In the order of the statement's columns, which is that of InvoiceOutput.
INVOICE = (
    *("id", "invoice_number", "subscription_id", "status", "currency", "subtotal", "tax", "total", "line_items"),
    *("invoice_date", "due_date", "paid_at", "billing_period_start", "billing_period_end", "purchase_order_number"),
    *("billing_email", "billing_snapshot", "created_at"),
)
AMOUNTS = ("subtotal", "tax", "total")
LINES, SNAPSHOT = INVOICE.index("line_items"), INVOICE.index("billing_snapshot")
FIRST_INVOICES = CallerRead(
    name="igny8_first_invoices",
    types=("bigint", "bigint"),
    # Dates, times and amounts come as text: the driver's conversions would cost more than all the rest.
    sql=f"""
        SELECT invoice.id, invoice.invoice_number, invoice.subscription_id, invoice.status, invoice.currency,
               invoice.subtotal::text, invoice.tax::text, invoice.total::text,
               (SELECT json_agg(json_build_array(description, quantity, unit_amount::text, credits) ORDER BY position)
                FROM igny8_invoice_lines line WHERE line.invoice_id = invoice.id)::text,
               to_char(invoice.invoice_date, 'YYYY-MM-DD'), to_char(invoice.due_date, 'YYYY-MM-DD'),
               {_time("invoice.paid_at")}, {_time("sold.begins")}, {_time("sold.ends")},
               invoice.purchase_order_number, account.billing_email, invoice.metadata -> 'billing_snapshot',
               {_time("invoice.created_at")},
               (SELECT count(*) FROM (
                   SELECT FROM igny8_invoices WHERE account_id = caller.account_id LIMIT $3
               ) counted)
        FROM igny8_invoices invoice JOIN igny8_accounts account ON account.id = invoice.account_id
        LEFT JOIN LATERAL (
            SELECT CASE WHEN period_end IS NULL AND billing_cycle IS NOT NULL THEN invoice.paid_at
                        ELSE period_start END AS begins,
                   coalesce(period_end, invoice.paid_at + CASE billing_cycle
                        WHEN 'annual' THEN interval '1 year' WHEN 'monthly' THEN interval '1 month' END) AS ends
            FROM igny8_invoice_lines line
            WHERE line.invoice_id = invoice.id AND kind IN ('plan', 'plan_change') ORDER BY position LIMIT 1
        ) sold ON TRUE
        WHERE invoice.account_id = caller.account_id
        ORDER BY invoice.id DESC LIMIT $2
    """,  # noqa: S608 - our own texts
)


def read_balance(*, grants_shown: int) -> Reading:
    """Reads for balance_of(), the next `grants_shown` grants among it."""
    return Reading(BALANCE, (clock.now(), grants_shown))


def balance_of(rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """In the format of BalanceOutput: the account's spendable credits, its plan's credits, and its next grants."""
    plan_credits, spendable = rows[0][:2]
    names = ("kind", "amount", "remaining", "expires_at")
    grants = [dict(zip(names, row[2:], strict=True)) for row in rows if row[2] is not None]
    return {"credits": spendable or 0, "plan_credits": plan_credits, "grants": grants}


@dataclass(frozen=True)
class FirstPage:
    """The newest rows of a list, in the format of its serializer, and how many rows the list has."""

    rows: list[dict[str, Any]]
    count: int


def read_first_invoices(*, size: int, count_limit: int) -> Reading:
    """Reads for first_invoices_of(): the account's `size` newest invoices; the count stops at `count_limit`."""
    return Reading(FIRST_INVOICES, (size, count_limit))


def first_invoices_of(rows: Sequence[Sequence[Any]]) -> FirstPage:
    """The account's newest invoices, in the format of InvoiceOutput."""
    if rows[0][0] is None:
        return FirstPage([], 0)
    lines, snapshots = _parsed(row[LINES] for row in rows), _parsed(row[SNAPSHOT] for row in rows)
    return FirstPage([_invoice(*each) for each in zip(rows, lines, snapshots, strict=True)], rows[0][-1])


def _parsed(texts: Iterable[str | None]) -> list[Any]:
    # The whole column at once, so that the parser runs once per page instead of once per row.
    parsed: list[Any] = json.loads(f"[{','.join(text or 'null' for text in texts)}]")
    return parsed


def _invoice(row: Sequence[Any], lines: list[list[Any]] | None, snapshot: dict[str, Any] | None) -> dict[str, Any]:
    shown, snapshot = dict(zip(INVOICE, row, strict=False)), snapshot or {}
    currency = shown["currency"]
    for name in AMOUNTS:
        shown[name] = _amount(shown[name], currency)
    shown["line_items"] = [_line(currency, *line) for line in lines or []]
    shown["billing_email"] = snapshot.get("email") or shown["billing_email"]
    shown["billing_snapshot"] = {name: None if value is None else str(value) for name, value in snapshot.items()}
    return shown


def _line(currency: str, description: str, quantity: int, amount: str, granted: int | None) -> dict[str, Any]:
    shown = {"description": description, "quantity": quantity, "amount": _amount(amount, currency)}
    return shown if granted is None else {**shown, "credits": granted}


@lru_cache(maxsize=4096)
def _amount(text: str, currency: str) -> str:
    return format_amount(Decimal(text), currency)
