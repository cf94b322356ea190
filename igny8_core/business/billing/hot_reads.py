"""The reads that customers' programs repeat all day, by the statement that finds the session; rows become answers.

The ORM builds SQL and objects for each request, which takes many times longer than PostgreSQL needs. The plain forms
are in selectors.py and the API's serializers; tests compare both (tests/billing/test_hot_reads.py).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
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
FIRST_INVOICES = CallerRead(
    name="igny8_first_invoices",
    types=("bigint", "bigint"),
    sql="""
        SELECT (SELECT count(*) FROM (
                   SELECT FROM igny8_invoices WHERE account_id = caller.account_id LIMIT $3
               ) counted),
               invoice.id, invoice.invoice_number, invoice.subscription_id, invoice.status, invoice.currency,
               invoice.subtotal, invoice.tax, invoice.total,
               (SELECT json_agg(json_build_array(description, quantity, unit_amount::text, credits) ORDER BY position)
                FROM igny8_invoice_lines line WHERE line.invoice_id = invoice.id)::text,
               invoice.invoice_date, invoice.due_date, invoice.paid_at,
               CASE WHEN sold.period_end IS NULL AND sold.billing_cycle IS NOT NULL THEN invoice.paid_at
                    ELSE sold.period_start END,
               coalesce(sold.period_end, invoice.paid_at + CASE sold.billing_cycle
                    WHEN 'annual' THEN interval '1 year' WHEN 'monthly' THEN interval '1 month' END),
               invoice.metadata -> 'billing_snapshot', account.billing_email, invoice.created_at,
               invoice.purchase_order_number
        FROM igny8_invoices invoice JOIN igny8_accounts account ON account.id = invoice.account_id
        LEFT JOIN LATERAL (
            SELECT period_start, period_end, billing_cycle FROM igny8_invoice_lines line
            WHERE line.invoice_id = invoice.id AND kind IN ('plan', 'plan_change') ORDER BY position LIMIT 1
        ) sold ON TRUE
        WHERE invoice.account_id = caller.account_id
        ORDER BY invoice.id DESC LIMIT $2
    """,
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
    if rows[0][1] is None:
        return FirstPage([], 0)
    lines, snapshots = _parsed(row[9] for row in rows), _parsed(row[15] for row in rows)
    written = [_invoice(*each) for each in zip((row[1:] for row in rows), lines, snapshots, strict=True)]
    return FirstPage(written, rows[0][0])


def _parsed(texts: Iterable[str | None]) -> list[Any]:
    # The whole column at once, so that the parser runs once per page instead of once per row.
    parsed: list[Any] = json.loads(f"[{','.join(text or 'null' for text in texts)}]")
    return parsed


def _invoice(row: Sequence[Any], lines: list[list[Any]] | None, snapshot: dict[str, Any] | None) -> dict[str, Any]:
    snapshot, currency = snapshot or {}, row[4]
    return {
        "id": row[0],
        "invoice_number": row[1],
        "subscription_id": row[2],
        "status": row[3],
        "currency": currency,
        "subtotal": format_amount(row[5], currency),
        "tax": format_amount(row[6], currency),
        "total": format_amount(row[7], currency),
        "line_items": [_line(currency, *line) for line in lines or []],
        "invoice_date": _day(row[9]),
        "due_date": _day(row[10]),
        "paid_at": _time(row[11]),
        "billing_period_start": _time(row[12]),
        "billing_period_end": _time(row[13]),
        "purchase_order_number": row[17],
        "billing_email": snapshot.get("email") or row[15],
        "billing_snapshot": {name: None if value is None else str(value) for name, value in snapshot.items()},
        "created_at": _time(row[16]),
    }


def _line(currency: str, description: str, quantity: int, amount: str, granted: int | None) -> dict[str, Any]:
    shown = {"description": description, "quantity": quantity, "amount": format_amount(Decimal(amount), currency)}
    return shown if granted is None else {**shown, "credits": granted}


def _day(value: date) -> str:
    return value.isoformat()


def _time(value: datetime | None) -> str | None:
    # PostgreSQL's connection is in UTC, as the site is.
    return None if value is None else value.isoformat().removesuffix("+00:00") + "Z"
