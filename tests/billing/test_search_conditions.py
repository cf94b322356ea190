"""Searches by staff: each part is looked up by its index, and a word that thousands match stays as quick as any."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, QuerySet

from igny8_core.auth.models import Account, User
from igny8_core.auth.selectors import accounts_matching
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.payment_search import payments_matching
from igny8_core.business.billing.selectors import invoices_matching
from igny8_core.common import db
from tests import make

pytestmark = pytest.mark.django_db

SEARCHES: list[tuple[Any, type[Model]]] = [
    (payments_matching, Payment),
    (invoices_matching, Invoice),
    (accounts_matching, Account),
]
# Beginnings of numbers, names and addresses, and what is one of each.
WORDS = ["INV-", "INV-1", "Account", "Account A", "user", "bt-777", "89", "books@", "owner", "nothing of ours"]


@pytest.fixture
def rows(account_a: Account, alice: User) -> None:
    """Some of each, of several accounts."""
    for owner in (alice, make.owner({"billing_email": "books@example.com"}), make.owner()):
        make.invoice(owner.account)
        make.submitted_payment(make.invoice(owner.account))
    other = make.submitted_payment()
    Payment.objects.filter(pk=other.pk).update(
        manual_reference="BT-777", reference_key="bt777", reference_fold="", payer_name="Account of mine"
    )


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(("search", "model"), SEARCHES)
@pytest.mark.parametrize("word", WORDS)
def test_many_that_match_are_found_as_few_are(
    monkeypatch: pytest.MonkeyPatch, search: Any, model: type[Model], word: str
) -> None:
    listed = list(search(model._default_manager.order_by("pk"), word))

    monkeypatch.setattr(db, "MOST_LISTED", 0)

    assert list(search(model._default_manager.order_by("pk"), word)) == listed


@pytest.mark.usefixtures("rows")
def test_the_words_find_something() -> None:
    assert payments_matching(Payment.objects.all(), "bt-777").count() == 1
    assert payments_matching(Payment.objects.all(), "books@").count() == 1
    assert payments_matching(Payment.objects.all(), "INV-").count() == Payment.objects.count() == 4
    assert invoices_matching(Invoice.objects.all(), "Account").count() == Invoice.objects.count() == 7
    assert accounts_matching(Account.objects.all(), "user").count() >= 2


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(("search", "model"), SEARCHES)
@pytest.mark.parametrize("most", [0, 1000])
@pytest.mark.parametrize("word", WORDS)
def test_no_row_is_compared_with_all_that_match(
    monkeypatch: pytest.MonkeyPatch, search: Any, model: type[Model], most: int, word: str
) -> None:
    monkeypatch.setattr(db, "MOST_LISTED", most)

    # An array that a query made would be searched from its beginning for each row.
    assert "InitPlan" not in plan(search(model._default_manager.order_by("-pk"), word))


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("word", ["INV-1", "bt-777", "INV-1-202506", "books@", "Account"])
def test_a_payment_is_found_by_indexes_alone(word: str) -> None:
    shown = plan(payments_matching(Payment.objects.all(), word))

    assert "Seq Scan" not in shown
    # It has no reference in it: all that the release before wrote would be read.
    assert "igny8_payments_not_folded" not in shown


def plan(rows: QuerySet[Any]) -> str:
    """How PostgreSQL finds the rows if it may not read a whole table, as it does with a few rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    return str(rows.order_by().explain())
