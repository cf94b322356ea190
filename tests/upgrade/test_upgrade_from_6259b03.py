"""A database that commit 6259b03 filled is brought to today's schema: nothing is lost, and every answer stays true.

How the dump was made, and how it is made anew, is in fill_6259b03.py.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from igny8_core.business.billing.management.commands.seed_defaults import DEFAULTS
from igny8_core.common.references import folded_reference
from tests.upgrade.old_database import GATEWAY_IDS_BEFORE, HERE, migrated, restored, rows, unpacked

pytestmark = pytest.mark.stress

MOMENT = "2026-07-01 11:54:00+00"
EDITED = "What was sold counts: the plan's credits were edited after its customers had paid for it"
# What may differ, by the part of the answer's name and the path in it, with the reason. Each has to be used.
ALLOWED_DIFFERENCES: dict[tuple[str, str], str] = {
    ("operator: /admin/payment-methods/", "data[].instructions"): (
        "The text of a sample repeated its numbers; they stand in their fields alone, and what operators wrote is kept"
    ),
    ("/billing/payment-methods/", "data[].instructions"): (
        "Made of the fields, so that customers read one account number: the text named the bank and no account"
    ),
    ("/account/limits/", "data.credits.max"): EDITED,
    ("/billing/credits/balance/", "data.plan_credits"): EDITED,
    ("operator: /admin/dashboard/stats/", "data.mrr[].amount"): (
        "Adds up what customers pay; it was what their plans cost by then"
    ),
    (
        "operator: /admin/dashboard/stats/",
        "data.new_accounts_by_month[].accounts",
    ): "Without accounts that were deleted since",
    **dict.fromkeys(
        (("/invoices/", f"{data}.billing_period_{end}") for data in ("data", "data[]") for end in ("start", "end")),
        "An invoice says the period that it is for; it said the one that the subscription was in by then",
    ),
    (": price of ", "message"): "Sentences of refusals are worded anew; their codes are compared",
    **dict.fromkeys(
        (("account 69: price of growth-annual", path) for path in ("data.line_items[].amount", "data.total")),
        "A refund of all that was paid is on its way: what goes back is not unused time",
    ),
}

# Slugs of before that operators edited since.
RENAMED = {"legacy": "heritage", "scale": "scale-2026", "sprint": "sprint-2026"}

# Of the second dispute of a payment 6259b03 kept the id only.
NOTED_DISPUTES = """
    SELECT account_id, id, payment_method, metadata #>> '{dispute,id}' AS dispute_id,
           metadata #>> '{dispute,amount}', metadata #>> '{dispute,currency}', metadata #>> '{dispute,reason}',
           metadata #>> '{dispute,status}', (SELECT id FROM igny8_refunds refund
                                             WHERE refund.gateway_refund_id = metadata #>> '{dispute,id}')
    FROM igny8_payments WHERE metadata ? 'dispute'
    UNION ALL
    SELECT account_id, payment.id, payment_method, other.id, NULL, '', '', 'open', NULL
    FROM igny8_payments payment, jsonb_array_elements_text(metadata -> 'other_disputes') other (id)
    ORDER BY dispute_id
"""
GATEWAY_IDS_NOW = """
    SELECT 'payment', id, payment_method, gateway_object_id, gateway_capture_id FROM igny8_payments
    UNION ALL
    SELECT 'saved method', id, type, gateway_method_id, '' FROM igny8_account_payment_methods
    ORDER BY 1, 2
"""
# What no release wrote, and what the upgrade says of it.
DISPUTES = """
    SELECT account_id, payment_id, gateway, gateway_dispute_id, round(amount, 2)::text, currency, reason, status,
           refund_id
    FROM igny8_disputes ORDER BY gateway_dispute_id
"""


MONEY_OF_PAID_INVOICES = """
    SELECT payment.account_id, invoice.id, payment.id, payment.amount, payment.currency, payment.approved_by_id,
           payment.processed_at
    FROM igny8_invoices invoice JOIN igny8_payments payment ON payment.invoice_id = invoice.id
    WHERE invoice.status = 'paid' AND payment.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
    ORDER BY payment.id
"""
ALLOCATIONS = """
    SELECT account_id, invoice_id, payment_id, amount, currency, made_by_id, created_at FROM igny8_allocations
    WHERE kind = 'money' AND released_at IS NULL ORDER BY payment_id
"""


# Each makes one row say what cannot be true, and returns its id with what the migration is to say of it.
@pytest.fixture(scope="module")
def old_database(django_db_setup: None) -> Iterator[str]:
    """URL of a database of its own, as the dump has it, on the server of the tests."""
    with restored("old") as url:
        yield url


@pytest.fixture(scope="module")
def broken_before(old_database: str) -> list[str]:
    """Invariants of 6259b03 that did not hold before the upgrade."""
    invariants: dict[str, str] = json.loads((HERE / "invariants_6259b03.json").read_text())
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        return [name for name, sql in invariants.items() if _finds(cursor, sql)]


def _finds(cursor: Any, sql: str) -> bool:
    cursor.execute(sql.replace("now()", f"timestamptz '{MOMENT}'"))
    return cursor.fetchone() is not None


@pytest.fixture(scope="module")
def gateway_ids_before(old_database: str) -> list[tuple[Any, ...]]:
    """Every id of a gateway that payments and saved methods had before the upgrade."""
    return rows(old_database, GATEWAY_IDS_BEFORE)


@pytest.fixture(scope="module")
def lines_before(old_database: str) -> list[tuple[Any, ...]]:
    """What each invoice sold, as 6259b03 kept it."""
    return rows(old_database, "SELECT id, line_items FROM igny8_invoices ORDER BY id")


@pytest.fixture(scope="module")
def today(
    old_database: str,
    broken_before: list[str],
    gateway_ids_before: list[tuple[Any, ...]],
    lines_before: list[tuple[Any, ...]],
) -> dict[str, Any]:
    """What today's code answers after it has migrated the database."""
    ended = migrated(old_database)
    assert ended.returncode == 0, ended.stderr
    answers: dict[str, Any] = json.loads(ended.stdout)
    return answers


@pytest.fixture(scope="module")
def then() -> dict[str, Any]:
    """What 6259b03 answered."""
    answers: dict[str, Any] = json.loads(unpacked("answers_6259b03.json.gz"))
    return answers


def differences(then: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where `now` says something else; what it says besides is no difference."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name, value in then.items():
            yield from differences(value, now.get(name, "missing"), f"{path}.{name}" if path else name)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for before, after in zip(then, now, strict=True):
            yield from differences(before, after, f"{path}[]")
    elif then != now:
        yield path, then, now


def _allowed(asked: str, path: str) -> tuple[str, str] | None:
    return next((key for key in ALLOWED_DIFFERENCES if key[0] in asked and key[1] == path), None)


def _is_of_lapsed(asked: str, then: dict[str, Any]) -> bool:
    """Whether a price was asked for somebody whose paid period was over, in a subscription that we bill."""
    who, is_price, _ = asked.partition(": price of ")
    if not is_price or then[asked].get("code") == "subscription_billed_by_stripe":
        return False
    period_end: str = then[f"{who}: /billing/subscriptions/"]["data"]["current_period_end"]
    return period_end.replace("T", " ")[:19] <= MOMENT[:19]


def test_the_dump_is_of_a_database_in_which_all_was_well(broken_before: list[str], then: dict[str, Any]) -> None:
    assert broken_before == []
    assert then["broken invariants"] == []


def test_the_same_money_and_credits_are_there_after_the_upgrade(then: dict[str, Any], today: dict[str, Any]) -> None:
    for name in (name for name in then if name.startswith("totals: ")):
        assert today[name] == then[name], name


def test_what_must_always_be_true_is_true_after_the_upgrade(today: dict[str, Any]) -> None:
    assert today["broken invariants"] == []


def test_every_dispute_that_was_noted_is_a_row_after_the_upgrade(old_database: str, today: dict[str, Any]) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute(NOTED_DISPUTES)
        noted = cursor.fetchall()
        cursor.execute(DISPUTES)
        carried_over = cursor.fetchall()

    assert carried_over == noted
    assert sorted(status for *_, status, _ in noted) == ["lost", "lost", "lost", "open", "open", "open", "open", "won"]


def test_what_paid_an_invoice_stands_against_it_after_the_upgrade(old_database: str, today: dict[str, Any]) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute(MONEY_OF_PAID_INVOICES)
        paid = cursor.fetchall()
        cursor.execute(ALLOCATIONS)
        allocated = cursor.fetchall()
        cursor.execute("SELECT status, settled_amount = total, settled_amount = 0 FROM igny8_invoices")
        settled = set(cursor.fetchall())

    assert allocated == paid != []
    assert settled == {("paid", True, False), ("pending", False, True), ("void", False, True)}


def test_every_id_of_a_gateway_stays_with_its_row(
    old_database: str, gateway_ids_before: list[tuple[Any, ...]], today: dict[str, Any]
) -> None:
    assert rows(old_database, GATEWAY_IDS_NOW) == gateway_ids_before
    # Of both gateways, of both kinds of rows, and rows without any.
    assert {(kind, method) for kind, _, method, named, _ in gateway_ids_before if named} == {
        ("payment", "stripe"),
        ("payment", "paypal"),
        ("saved method", "stripe"),
    }
    assert {method for *_, method, named, _ in gateway_ids_before if not named} >= {"bank_transfer", "local_wallet"}


def test_every_line_is_a_row_that_names_what_was_sold_by_id(
    old_database: str, lines_before: list[tuple[Any, ...]], today: dict[str, Any]
) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute("""
            SELECT invoice_id, kind, description, quantity, unit_amount, line.credits, line.billing_cycle, period_price,
                   plan.slug, package.slug
            FROM igny8_invoice_lines line LEFT JOIN igny8_plans plan ON plan.id = line.plan_id
            LEFT JOIN igny8_credit_packages package ON package.id = line.package_id
            ORDER BY invoice_id, position
        """)
        now = cursor.fetchall()

    assert now == [
        (
            invoice,
            line.get("kind", "other"),
            line["description"],
            line["quantity"],
            Decimal(line["amount"]),
            line.get("credits"),
            line.get("billing_cycle", ""),
            Decimal(line["period_price"]) if "period_price" in line else None,
            RENAMED.get(line.get("plan"), line.get("plan")),
            RENAMED.get(line.get("package"), line.get("package")),
        )
        for invoice, lines in lines_before
        for line in lines
    ]
    assert {*RENAMED} <= {line.get("plan") or line.get("package") for _, lines in lines_before for line in lines}


def test_what_customers_have_is_what_they_paid_for_last_or_what_began_since(
    old_database: str, today: dict[str, Any]
) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute("""
            SELECT account.name, plan.slug, terms_price, terms_credits, terms_currency, terms_billing_cycle
            FROM igny8_subscriptions subscription JOIN igny8_accounts account ON account.id = account_id
            JOIN igny8_plans plan ON plan.id = subscription.plan_id WHERE subscription.status IN ('active', 'past_due')
        """)
        found = {name: terms for name, *terms in cursor.fetchall()}

    # The plan is Heritage for 69.00 and 650 credits by now.
    assert found["Legacy Looms"] == ["heritage", 59, 700, "USD", "monthly"]
    # A smaller plan began, and was never invoiced.
    assert found["Smaller Smiths"] == ["starter", 99, 1000, "USD", "monthly"]
    assert found["Upgraded Unions"] == ["growth", 139, 2000, "USD", "monthly"]
    assert found["Yen Yachts"] == ["japan", 9800, 1200, "JPY", "monthly"]


def test_every_answer_says_after_the_upgrade_what_it_said_before(then: dict[str, Any], today: dict[str, Any]) -> None:
    found, used = {}, set()
    for asked, answer in then.items():
        if _is_of_lapsed(asked, then):
            # What was paid is over: the plan is ordered anew before another one can be.
            assert today[asked]["code"] == "subscription_lapsed", asked
            continue
        for path, before, after in differences(answer, today.get(asked, "missing")):
            if allowed := _allowed(asked, path):
                used.add(allowed)
            else:
                found[f"{asked} {path}"] = before, after

    assert found == {}
    assert used == set(ALLOWED_DIFFERENCES)


def test_every_reference_is_folded_after_the_upgrade_and_what_waits_is_flagged(
    old_database: str, today: dict[str, Any]
) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT manual_reference, reference_fold FROM igny8_payments WHERE reference_key <> ''")
        references = cursor.fetchall()
        cursor.execute("SELECT status FROM igny8_payments WHERE is_repeated")
        flagged = cursor.fetchall()

    assert len(references) > 20
    assert [fold for _, fold in references] == [folded_reference(reference) for reference, _ in references]
    assert flagged == [("pending_approval",)]


def test_open_invoices_keep_what_their_documents_said_at_the_upgrade(old_database: str, today: dict[str, Any]) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute("""
            SELECT invoice.status, invoice.stripe_invoice_id <> '', count(offer.id), bool_and(offer.is_reconstructed)
            FROM igny8_invoices invoice LEFT JOIN igny8_invoice_offers offer ON offer.invoice_id = invoice.id
            GROUP BY invoice.id
        """)
        invoices = cursor.fetchall()
        cursor.execute("""
            SELECT count(*) FROM igny8_payment_method_config config
            LEFT JOIN igny8_payee_versions version ON version.id = config.payee_version_id
            WHERE config.payment_method NOT IN ('stripe', 'paypal')
            AND (config.account_number, config.wallet_id) IS DISTINCT FROM (version.account_number, version.wallet_id)
        """)
        (without_their_version,) = cursor.fetchone()

    assert {(status, count > 0) for status, is_stripe_s, count, _ in invoices if not is_stripe_s} == {
        ("pending", True),
        ("paid", False),
        ("void", False),
    }
    assert {is_reconstructed for _, _, count, is_reconstructed in invoices if count} == {True}
    assert not any(count for _, is_stripe_s, count, _ in invoices if is_stripe_s)
    assert without_their_version == 0


def test_defaults_that_operators_deleted_before_the_upgrade_do_not_come_back(
    old_database: str, today: dict[str, Any]
) -> None:
    with closing(psycopg2.connect(old_database)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM igny8_made_defaults")
        (made,) = cursor.fetchone()

    assert made == sum(len(rows) for _, _, rows in DEFAULTS)


def test_a_difference_in_an_answer_would_be_found() -> None:
    then = {"data": [{"total": "89.00", "lines": [1, 2]}]}

    assert list(differences(then, {"data": [{"total": "89.00", "lines": [1, 2], "new": 1}]})) == []
    for now in (
        {"data": [{"total": "89.01", "lines": [1, 2]}]},
        {"data": [{"lines": [1, 2]}]},
        {"data": [{"total": "89.00", "lines": [1]}]},
        {"data": []},
    ):
        assert len(list(differences(then, now))) == 1


def test_the_dump_has_every_state_that_the_upgrade_has_to_carry_over(then: dict[str, Any]) -> None:
    def states(name: str, column: int) -> set[str]:
        return {row[column] for row in then[f"totals: {name}"]}

    assert states("invoices", 1) == {"pending", "paid", "void"}
    assert states("invoices", 2) == {"USD", "PKR", "JPY"}
    assert states("subscriptions", 1) == {"pending_payment", "active", "past_due", "canceled"}
    assert states("balances", 1) == {"trial", "pending_payment", "active", "past_due", "suspended", "canceled"}
    assert states("refunds", 1) == {"processing", "succeeded", "failed"}
    assert states("payments", 2) == {
        "pending_approval",
        "pending",
        "processing",
        "unknown",
        "succeeded",
        "failed",
        "canceled",
        "partially_refunded",
        "refunded",
        "disputed",
    }
    assert states("ledger", 1) == {"trial", "subscription", "purchase", "adjustment", "usage", "expiry", "refund"}
