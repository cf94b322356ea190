"""Proofs of payment that are uploaded, used and deleted at the same moment (PAY-14, PAY-15)."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import NoSuchProof, ProofAlreadyUsed
from igny8_core.business.billing.models import Payment, PaymentProof
from igny8_core.business.billing.services.payments import offline
from igny8_core.business.billing.services.proofs import files, uploads
from igny8_core.business.billing.services.proofs.uploads import MAX_UNUSED, delete_unused_proofs, upload_proof
from tests import make
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_reference_lock, without_row_locks

THREADS = 6


@pytest.fixture
def account(transactional_db: None) -> Account:
    make.payment_method()
    return make.owner().account


def upload_at_once(account: Account) -> list[object]:
    return all_at_once([lambda: upload_proof(account, account.owner, make.png())] * THREADS)


@pytest.mark.usefixtures("books_balance")
def test_many_uploads_at_once_stay_within_the_limit(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_places", threading.BoundedSemaphore(THREADS))
    for _ in range(MAX_UNUSED - 1):
        make.proof(account)

    assert kinds(upload_at_once(account)) == {"PaymentProof": 1, "ProofLimitReached": THREADS - 1}
    assert PaymentProof.objects.count() == MAX_UNUSED


def test_more_uploads_at_once_than_there_are_places_are_told_to_come_back(account: Account) -> None:
    outcomes = kinds(upload_at_once(account))

    assert set(outcomes) == {"PaymentProof", "FileCheckBusy"}
    assert outcomes["PaymentProof"] >= files.AT_ONCE


@pytest.mark.usefixtures("books_balance")
def test_one_proof_sent_for_many_invoices_at_once_is_used_once(account: Account) -> None:
    proof = make.proof(account)
    invoices = [make.invoice(account) for _ in range(THREADS)]

    outcomes = all_at_once(
        [lambda invoice=invoice: make.submitted_payment(invoice, proof=proof) for invoice in invoices]
    )

    assert kinds(outcomes) == {"Payment": 1, "ProofAlreadyUsed": THREADS - 1}
    assert Payment.objects.get().proof == proof


@pytest.mark.usefixtures("books_balance")
def test_a_second_use_waits_for_the_first_and_is_refused(account: Account) -> None:
    proof = make.proof(account)
    first, second = make.invoice(account), make.invoice(account)

    with run_before(offline, "refusing", lambda: make.submitted_payment(second, proof=proof)) as rival:
        make.submitted_payment(first, proof=proof)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), ProofAlreadyUsed)


@pytest.mark.usefixtures("books_balance")
def test_a_proof_that_is_being_deleted_cannot_be_used(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UNUSED_KEPT_FOR", timedelta(0))
    proof, invoice = make.proof(account), make.invoice(account)

    with run_before(uploads, "_event", lambda: make.submitted_payment(invoice, proof=proof)) as rival:
        assert delete_unused_proofs() == 1

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), NoSuchProof)


# --- Without the locks --------------------------------------------------------------------------------------------


def test_without_the_accounts_lock_uploads_pass_the_limit(account: Account) -> None:
    for _ in range(MAX_UNUSED - 1):
        make.proof(account)

    with (
        without_row_locks(),
        run_before(uploads.events, "record", lambda: upload_proof(account, account.owner, make.png())),
    ):
        upload_proof(account, account.owner, make.png())

    assert PaymentProof.objects.count() == MAX_UNUSED + 1


def test_without_the_accounts_lock_only_the_constraint_keeps_a_proof_from_a_second_payment(account: Account) -> None:
    proof = make.proof(account)
    first, second = make.invoice(account), make.invoice(account)

    with (
        without_row_locks(),
        # The lock on the file's fingerprint would make the second one wait too.
        without_reference_lock(),
        run_before(offline, "refusing", lambda: make.submitted_payment(second, proof=proof)) as rival,
        pytest.raises(IntegrityError, match="proof_id"),
    ):
        make.submitted_payment(first, proof=proof)

    assert isinstance(rival.outcome(), Payment)
