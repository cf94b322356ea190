"""A row that fits nothing true stops the upgrade with its id and a sentence, and nothing has changed.

The dump is brought to the migration before the first that looks at such rows, once; each misfit is in a copy of that.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from tests.upgrade.old_database import GATEWAY_IDS_BEFORE, copied, migrating, restored, rows

pytestmark = pytest.mark.stress

BEFORE_THE_FIRST = ("billing", "0017_guards_of_disputes")
NOTED_DISPUTES = "SELECT id, metadata FROM igny8_payments ORDER BY id"
ALLOCATIONS = "SELECT to_regclass('igny8_allocations') IS NOT NULL"
LINES = "SELECT id, line_items FROM igny8_invoices ORDER BY id"

# Name → what makes a row say what cannot be true and returns what it is called, what stops the upgrade, and a question
# whose answer has to stay.
MISFITS = {
    "a dispute noted wrongly": (
        """
        UPDATE igny8_payments SET metadata = jsonb_set(metadata, '{dispute,amount}', '"all of it"')
        WHERE id = (SELECT max(id) FROM igny8_payments WHERE metadata ? 'dispute') RETURNING id
        """,
        "Payment {} notes in its metadata what cannot become a row of igny8_disputes",
        NOTED_DISPUTES,
    ),
    "a paid invoice that nobody paid": (
        """
        UPDATE igny8_payments SET status = 'failed'
        WHERE id = (SELECT max(id) FROM igny8_payments WHERE status = 'succeeded') RETURNING invoice_id
        """,
        "Invoice {} (",
        ALLOCATIONS,
    ),
    "a paid invoice that was paid in part": (
        """
        UPDATE igny8_payments SET amount = amount - 1
        WHERE id = (SELECT max(id) FROM igny8_payments WHERE status = 'succeeded') RETURNING invoice_id
        """,
        "Invoice {} (",
        ALLOCATIONS,
    ),
    "money of an open invoice": (
        """
        UPDATE igny8_payments SET status = 'succeeded'
        WHERE id = (SELECT max(id) FROM igny8_payments WHERE status = 'pending_approval') RETURNING id
        """,
        "Payment {} is succeeded with",
        ALLOCATIONS,
    ),
    "a payment with ids of both gateways": (
        """
        UPDATE igny8_payments SET paypal_order_id = 'ORDER-1'
        WHERE id = (SELECT max(id) FROM igny8_payments WHERE stripe_payment_intent_id <> '') RETURNING id
        """,
        "Payment {} is of stripe and has paypal_order_id 'ORDER-1', which is another gateway's.",
        GATEWAY_IDS_BEFORE,
    ),
    "a saved method of another gateway": (
        """
        UPDATE igny8_account_payment_methods SET stripe_payment_method_id = 'pm_1'
        WHERE id = (SELECT max(id) FROM igny8_account_payment_methods WHERE type = 'bank_transfer') RETURNING id
        """,
        "Saved method {} is of bank_transfer and has stripe_payment_method_id 'pm_1', which is another gateway's.",
        GATEWAY_IDS_BEFORE,
    ),
    "two saved methods of one payer": (
        """
        WITH payers AS (
            UPDATE igny8_account_payment_methods SET type = 'paypal', paypal_payer_id = 'PAYER1'
            WHERE id IN (SELECT id FROM igny8_account_payment_methods WHERE stripe_payment_method_id = '' LIMIT 2)
            RETURNING id
        ) SELECT string_agg(id::text, ' and ' ORDER BY id) FROM payers
        """,
        "Saved methods {} have the same paypal_payer_id, and a saved method stands for one payer of one account.",
        GATEWAY_IDS_BEFORE,
    ),
    "a slug that nothing explains": (
        """
        WITH renamed AS (UPDATE igny8_credit_packages SET name = 'Another' WHERE slug = 'sprint-2026' RETURNING id)
        SELECT invoice_number FROM igny8_invoices, renamed
        WHERE line_items @> '[{"package": "sprint"}]' ORDER BY igny8_invoices.id LIMIT 1
        """,
        "Invoice {} ",
        LINES,
    ),
}
BESIDES = {
    "a slug that nothing explains": "which credit package it sells is not certain: it names the slug 'sprint'",
}


@dataclass
class Upgrade:
    """Of a database with one misfit."""

    misfit: Any
    stopped: str
    before: list[tuple[Any, ...]]
    after: list[tuple[Any, ...]]
    disputes: int


@pytest.fixture(scope="module")
def upgrades(django_db_setup: None) -> Iterator[dict[str, Upgrade]]:
    with restored("old") as old, migrating() as migrate, ExitStack() as copies:
        assert migrate(old, *BEFORE_THE_FIRST) == ""
        found = {}
        for number, (name, (sql, _, question)) in enumerate(MISFITS.items()):
            url = copies.enter_context(copied(old, f"misfit{number}"))
            with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
                cursor.execute(sql)
                (misfit,) = cursor.fetchone() or (None,)
            before = rows(url, question)
            stopped = migrate(url)
            # An upgrade that went through has no such columns any more.
            after = rows(url, question) if stopped else []
            [(disputes,)] = rows(url, "SELECT count(*) FROM igny8_disputes")
            found[name] = Upgrade(misfit, stopped, before, after, disputes)
        yield found


@pytest.mark.parametrize("name", MISFITS)
def test_what_fits_nothing_true_stops_the_upgrade_with_its_row(name: str, upgrades: dict[str, Upgrade]) -> None:
    upgrade = upgrades[name]

    assert upgrade.misfit
    assert MISFITS[name][1].format(upgrade.misfit) in upgrade.stopped
    assert BESIDES.get(name, "") in upgrade.stopped
    assert upgrade.after == upgrade.before != []


def test_no_dispute_is_carried_over_where_one_was_noted_wrongly(upgrades: dict[str, Upgrade]) -> None:
    assert {name for name, upgrade in upgrades.items() if not upgrade.disputes} == {"a dispute noted wrongly"}
