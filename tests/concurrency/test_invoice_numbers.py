"""Invoice numbers under load: every number once, none missing, also when transactions fail (NUM-01, NUM-02)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from igny8_core.business.billing.services.invoice_service import InvoiceService

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices import numbering
from tests import make
from tests.concurrency.interleave import before_commit
from tests.concurrency.race import all_at_once
from tests.concurrency.unlocked import without_row_locks

THREADS = 8
EACH = 10
FAILS_EVERY = 5


class GivenUp(Exception):
    """The transaction around an invoice fails after the invoice was made."""


def numbers_of(tenant: Account) -> list[int]:
    numbers = Invoice.objects.filter(account=tenant).values_list("invoice_number", flat=True)
    return sorted(int(number.rpartition("-")[2]) for number in numbers)


@pytest.mark.usefixtures("books_balance")
def test_numbers_have_no_repeats_and_no_gaps_with_a_fifth_of_the_transactions_rolled_back() -> None:
    tenant = make.owner().account
    assert tenant

    def make_invoices() -> int:
        made = 0
        for number in range(EACH):
            try:
                with transaction.atomic():
                    make.invoice(tenant)
                    if number % FAILS_EVERY == 0:
                        raise GivenUp
                made += 1
            except GivenUp:
                pass
        return made

    made = all_at_once([make_invoices] * THREADS)

    assert made == [EACH - EACH // FAILS_EVERY] * THREADS
    assert numbers_of(tenant) == list(range(1, sum(made) + 1))  # type: ignore[arg-type]


@pytest.mark.usefixtures("books_balance")
def test_a_second_invoice_waits_for_the_number_of_the_first() -> None:
    tenant = make.owner().account
    assert tenant

    rival = before_commit(lambda: make.invoice(tenant), lambda: make.invoice(tenant))

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), Invoice)
    assert numbers_of(tenant) == [1, 2]


@pytest.mark.usefixtures("transactional_db")
def test_canary_a_counted_number_without_the_lock_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make.owner().account
    assert tenant

    def counted(account_id: int, invoice_date: date) -> str:
        return f"INV-{account_id}-{invoice_date:%Y%m}-{Invoice.objects.filter(account_id=account_id).count() + 1:04d}"

    monkeypatch.setattr(numbering, "next_invoice_number", counted)
    with without_row_locks():
        rival = before_commit(lambda: make.invoice(tenant), lambda: make.invoice(tenant))

    assert isinstance(rival.outcome(), IntegrityError)
    assert numbers_of(tenant) == [1]


def test_a_number_is_only_given_inside_a_transaction(transactional_db: None) -> None:
    tenant = make.owner().account
    assert tenant

    with pytest.raises(RuntimeError):
        InvoiceService.generate_invoice_number(tenant)
