"""Write the invoices of many renewals: a few statements for all of them, which leave the rows that one at a time would.

`create_invoice` writes the same rows for one invoice; tests/billing/test_renewal_invoices.py compares the two.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from igny8_core.auth.models import Plan, Terms
from igny8_core.business.billing.models import Invoice, PaymentMethodConfig
from igny8_core.business.billing.pricing import NextPeriod, renewal_line
from igny8_core.business.billing.services.invoices import numbering
from igny8_core.business.billing.services.invoices.offers import version_of
from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.languages import in_language
from igny8_core.events import services as events

INVOICES = PreparedStatement(
    name="igny8_renewal_invoices",
    types=(
        *("bigint[]", "bigint[]", "text[]", "text[]", "numeric[]", "date[]", "jsonb[]"),
        *("date", "timestamptz"),
    ),
    sql="""
        INSERT INTO igny8_invoices
            (account_id, subscription_id, invoice_number, status, currency, subtotal, tax, total, invoice_date,
             due_date, void_reason, notes, stripe_invoice_id, metadata, created_at)
        SELECT account_id, subscription_id, number, 'pending', currency, total, 0, total, $8, due_date, '', '', '',
               metadata, $9
        FROM unnest($1, $2, $3, $4, $5, $6, $7)
            AS draft (account_id, subscription_id, number, currency, total, due_date, metadata)
        RETURNING subscription_id, id
    """,
)
LINES = PreparedStatement(
    name="igny8_renewal_lines",
    types=(
        *("bigint[]", "bigint[]", "bigint[]", "text[]", "numeric[]", "text[]", "timestamptz[]", "timestamptz[]"),
        *("integer[]", "boolean[]", "integer[]", "integer[]"),
    ),
    sql="""
        INSERT INTO igny8_invoice_lines
            (invoice_id, account_id, position, kind, description, quantity, unit_amount, line_total, plan_id,
             billing_cycle, period_start, period_end, credits, credits_rollover, max_sites, max_users)
        SELECT invoice_id, account_id, 1, 'plan', description, 1, price, price, plan_id, cycle, period_start,
               period_end, credits, rollover, max_sites, max_users
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            AS draft (invoice_id, account_id, plan_id, description, price, cycle, period_start, period_end, credits,
                      rollover, max_sites, max_users)
    """,
)
# A withdrawn renewal of the same period gets the new invoice. Any other one is an error of the caller: no row comes
# back for it, and the count says so.
RENEWALS = PreparedStatement(
    name="igny8_renewal_rows",
    types=(
        "bigint[]",
        "bigint[]",
        "bigint[]",
        "timestamptz[]",
        "timestamptz[]",
        "timestamptz[]",
        "bigint[]",
        "timestamptz",
    ),
    sql="""
        INSERT INTO igny8_renewals AS known
            (account_id, subscription_id, invoice_id, period_start, period_end, status, next_charge_at,
             price_change_id, charge_takes, declines, last_decline, created_at)
        SELECT account_id, subscription_id, invoice_id, period_start, period_end, 'open', next_charge_at,
               price_change_id, 0, 0, '', $8
        FROM unnest($1, $2, $3, $4, $5, $6, $7)
            AS draft (account_id, subscription_id, invoice_id, period_start, period_end, next_charge_at,
                      price_change_id)
        ON CONFLICT (subscription_id, period_start) DO UPDATE
        SET invoice_id = excluded.invoice_id, period_end = excluded.period_end, status = 'open',
            next_charge_at = excluded.next_charge_at, price_change_id = excluded.price_change_id, charge_takes = 0,
            declines = 0, last_decline = '', last_attempt_id = NULL
        WHERE known.status = 'withdrawn'
        RETURNING id
    """,
)
# Invoices of one country, amount and currency offer the same, so each set of offers is sent once.
OFFERS = PreparedStatement(
    name="igny8_renewal_offers",
    types=("bigint[]", "integer[]", "integer[]", "integer[]", "text[]", "bigint[]", "text[]", "text[]", "bigint[]"),
    sql="""
        INSERT INTO igny8_invoice_offers
            (invoice_id, payment_method, payee_version_id, position, country_code, display_name, config_id)
        SELECT draft.invoice_id, payment_method, payee_version_id, position, country_code, display_name, config_id
        FROM unnest($1, $2) AS draft (invoice_id, set_number)
        JOIN unnest($3, $4, $5, $6, $7, $8, $9) AS offer
            (set_number, position, payment_method, payee_version_id, country_code, display_name, config_id)
            USING (set_number)
    """,
)


@dataclass(frozen=True)
class Draft:
    """A renewal to invoice, with all that its rows say. One that is invoiced after the day `due_on` is due at once."""

    account_id: int
    subscription_id: int
    plan: Plan
    terms: Terms
    period: NextPeriod
    due_on: date
    snapshot: dict[str, str]
    language: str
    next_charge_at: datetime | None
    price_change_id: int | None = None


OfferSets = dict[tuple[str, Any, str], list[PaymentMethodConfig]]


def write(drafts: Sequence[Draft], offer_sets: OfferSets) -> None:
    """Write invoices, lines, offers, renewals and events of the drafts. Their accounts are locked, one draft for each.

    `offer_sets`: what is offered for each country, amount and currency of the drafts. Raises RuntimeError if a period
    is renewed already, IntegrityError for what a table does not take.
    """
    require_atomic()
    today, now = clock.today(), clock.now()
    accounts, subscriptions = [draft.account_id for draft in drafts], [draft.subscription_id for draft in drafts]
    numbers = numbering.next_invoice_numbers(accounts, today)
    prices = [draft.terms.price for draft in drafts]
    metadata = [_metadata(draft) for draft in drafts]
    currencies = [draft.terms.currency for draft in drafts]
    made = INVOICES.fetch_all(
        [
            *(accounts, subscriptions, [numbers[account] for account in accounts], currencies, prices),
            *([max(draft.due_on, today) for draft in drafts], metadata, today, now),
        ]
    )
    by_subscription: dict[int, int] = dict(made)
    invoices = [by_subscription[subscription] for subscription in subscriptions]
    starts, ends = [draft.period.start for draft in drafts], [draft.period.end for draft in drafts]
    _write_lines(drafts, invoices, starts, ends)
    charges, changes = [draft.next_charge_at for draft in drafts], [draft.price_change_id for draft in drafts]
    written = RENEWALS.fetch_all([accounts, subscriptions, invoices, starts, ends, charges, changes, now])
    if len(written) != len(drafts):
        raise RuntimeError("A period of these subscriptions is renewed already.")
    _write_offers(drafts, invoices, offer_sets)
    events.record(*(_event(draft, pk, numbers) for draft, pk in zip(drafts, invoices, strict=True)))


def _sold(draft: Draft) -> dict[str, Any]:
    with in_language(draft.language):
        return renewal_line(draft.plan, draft.terms, draft.period)


def _write_lines(drafts: Sequence[Draft], invoices: list[int], starts: list[datetime], ends: list[datetime]) -> None:
    terms = [draft.terms for draft in drafts]
    sold = [_sold(draft) for draft in drafts]
    LINES.run(
        [
            *(invoices, [draft.account_id for draft in drafts], [draft.plan.pk for draft in drafts]),
            *([line["description"] for line in sold], [each.price for each in terms]),
            *([each.billing_cycle for each in terms], starts, ends, [each.credits for each in terms]),
            [each.credits_rollover for each in terms],
            *([each.max_sites for each in terms], [each.max_users for each in terms]),
        ]
    )


def _write_offers(drafts: Sequence[Draft], invoices: list[int], offer_sets: OfferSets) -> None:
    numbers = {key: number for number, key in enumerate(offer_sets)}
    offers = [
        (numbers[key], position, offer)
        for key, offered in offer_sets.items()
        for position, offer in enumerate(offered, start=1)
    ]
    OFFERS.run(
        [
            *(invoices, [numbers[set_key(draft)] for draft in drafts]),
            *([number for number, _, _ in offers], [position for _, position, _ in offers]),
            [offer.payment_method for _, _, offer in offers],
            [version_of(offer) for _, _, offer in offers],
            [offer.country_code for _, _, offer in offers],
            [offer.display_name for _, _, offer in offers],
            [offer.pk for _, _, offer in offers],
        ]
    )


def set_key(draft: Draft) -> tuple[str, Any, str]:
    """Country, amount and currency, by which offers differ."""
    return draft.snapshot["country"], draft.terms.price, draft.terms.currency


def _metadata(draft: Draft) -> str:
    return json.dumps(
        {"billing_snapshot": draft.snapshot, "language": draft.language, "subscription_id": draft.subscription_id}
    )


def _event(draft: Draft, invoice_id: int, numbers: dict[int, str]) -> events.NewEvent:
    facts = {
        "invoice_number": numbers[draft.account_id],
        "total": str(draft.terms.price),
        "currency": draft.terms.currency,
    }
    invoice = Invoice(pk=invoice_id, account_id=draft.account_id)
    return events.about("invoice.created", invoice, None, facts)
