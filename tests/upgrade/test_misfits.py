"""A row that fits nothing true stops the upgrade with its id and a sentence, and nothing has changed."""

from contextlib import closing

import psycopg2
import pytest

from tests.upgrade.old_database import GATEWAY_IDS_BEFORE, migrated, restored, rows

BREAK_A_DISPUTE = """
    UPDATE igny8_payments SET metadata = jsonb_set(metadata, '{dispute,amount}', '"all of it"')
    WHERE id = (SELECT max(id) FROM igny8_payments WHERE metadata ? 'dispute') RETURNING id, metadata
"""


UNTRUE = {
    "a paid invoice that nobody paid": (
        (
            "UPDATE igny8_payments SET status = 'failed' WHERE id = (SELECT max(id) FROM igny8_payments "
            "WHERE status = 'succeeded') RETURNING invoice_id"
        ),
        "Invoice {} (",
    ),
    "a paid invoice that was paid in part": (
        (
            "UPDATE igny8_payments SET amount = amount - 1 WHERE id = (SELECT max(id) FROM igny8_payments "
            "WHERE status = 'succeeded') RETURNING invoice_id"
        ),
        "Invoice {} (",
    ),
    "money of an open invoice": (
        (
            "UPDATE igny8_payments SET status = 'succeeded' WHERE id = (SELECT max(id) FROM igny8_payments "
            "WHERE status = 'pending_approval') RETURNING id"
        ),
        "Payment {} is succeeded with",
    ),
}


MISFITS = {
    "a payment with ids of both gateways": (
        """
        UPDATE igny8_payments SET paypal_order_id = 'ORDER-1'
        WHERE id = (SELECT max(id) FROM igny8_payments WHERE stripe_payment_intent_id <> '') RETURNING id
        """,
        "Payment {} is of stripe and has paypal_order_id 'ORDER-1', which is another gateway's.",
    ),
    "a saved method of another gateway": (
        """
        UPDATE igny8_account_payment_methods SET stripe_payment_method_id = 'pm_1'
        WHERE id = (SELECT max(id) FROM igny8_account_payment_methods WHERE type = 'bank_transfer') RETURNING id
        """,
        "Saved method {} is of bank_transfer and has stripe_payment_method_id 'pm_1', which is another gateway's.",
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
    ),
}


def test_a_dispute_that_was_noted_wrongly_stops_the_upgrade_with_its_payment(django_db_setup: None) -> None:
    with restored("broken") as url, closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(BREAK_A_DISPUTE)
        broken = cursor.fetchone()

        ended = migrated(url)

        assert broken
        cursor.execute("SELECT metadata FROM igny8_payments WHERE id = %s", broken[:1])
        assert cursor.fetchone() == broken[1:]
        cursor.execute("SELECT count(*) FROM igny8_disputes")
        assert cursor.fetchone() == (0,)
    assert ended.returncode != 0
    assert f"Payment {broken[0]} notes in its metadata what cannot become a row of igny8_disputes" in ended.stderr


@pytest.mark.parametrize("untrue", UNTRUE)
def test_money_that_fits_nothing_true_stops_the_upgrade_with_its_row(django_db_setup: None, untrue: str) -> None:
    sql, said = UNTRUE[untrue]
    with restored("untrue") as url, closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        row = cursor.fetchone()

        ended = migrated(url)

        cursor.execute("SELECT to_regclass('igny8_allocations')")
        assert cursor.fetchone() == (None,)
    assert row
    assert ended.returncode != 0
    assert said.format(*row) in ended.stderr


@pytest.mark.parametrize("misfit", MISFITS)
def test_an_id_that_fits_nothing_stops_the_upgrade_with_its_row(misfit: str, django_db_setup: None) -> None:
    sql, sentence = MISFITS[misfit]
    with restored("misfit") as url:
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql)
            (misfits,) = cursor.fetchone() or (None,)
        before = rows(url, GATEWAY_IDS_BEFORE)

        ended = migrated(url)

        assert rows(url, GATEWAY_IDS_BEFORE) == before
    assert misfits
    assert ended.returncode != 0
    assert sentence.format(misfits) in ended.stderr


def test_a_slug_that_nothing_explains_stops_the_upgrade_with_its_invoice(django_db_setup: None) -> None:
    with restored("unexplained") as url, closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("UPDATE igny8_credit_packages SET name = 'Another' WHERE slug = 'sprint-2026'")
        cursor.execute("""
            SELECT invoice_number FROM igny8_invoices WHERE line_items @> '[{"package": "sprint"}]' ORDER BY id LIMIT 1
        """)
        (number,) = cursor.fetchone() or ("",)

        ended = migrated(url)

        cursor.execute("SELECT count(*) FROM igny8_invoices WHERE jsonb_array_length(line_items) > 0")
        assert cursor.fetchone() != (0,)
    assert ended.returncode != 0
    assert f"Invoice {number} " in ended.stderr
    assert "which credit package it sells is not certain: it names the slug 'sprint'" in ended.stderr
