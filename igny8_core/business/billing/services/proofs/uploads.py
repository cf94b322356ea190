"""Payment proofs: what customers upload to show that they paid."""

import hashlib
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from django.db.models import Sum

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import ProofLimitReached
from igny8_core.business.billing.models import PaymentProof
from igny8_core.business.billing.models.payment_proof import storage_name
from igny8_core.business.billing.services.proofs import files
from igny8_core.business.billing.services.proofs.files import NewFile
from igny8_core.business.billing.services.proofs.processor_time import count_time, require_time_left
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events

MAX_UNUSED = 20
MAX_BYTES_OF_ACCOUNT = 100 * 1024 * 1024
UNUSED_KEPT_FOR = timedelta(days=7)


def upload_proof(account: Account, uploaded_by: User | None, content: bytes) -> PaymentProof:
    """Rewrite a customer's file and keep it: store the file first, then create its row.

    `uploaded_by` is None where it came through the link of an invoice.
    Raises FileTooLarge, UnsupportedFileType, UnreadableFile, ProofLimitReached, ProofTimeUsedUp, FileCheckBusy,
    ProofStorageDown.
    """
    # Checked again under the lock. An account without room must not keep the sanitizer busy.
    _require_room(account, 0)
    require_time_left(account)
    file = files.rewritten(content, partial(count_time, account))
    proof = PaymentProof(account=account, content_type=file.content_type)
    name = files.store(storage_name(proof), file.content)
    with ExitStack() as on_failure:
        on_failure.callback(files.forget, name)
        proof = _record(account, uploaded_by, file, name, hashlib.sha256(content).hexdigest())
        on_failure.pop_all()
    return proof


@service_transaction
def _record(account: Account, uploaded_by: User | None, file: NewFile, name: str, original: str) -> PaymentProof:
    locked = lock_account(account.pk)
    _require_room(locked, len(file.content))
    proof = PaymentProof.objects.create(
        account=locked,
        uploaded_by=uploaded_by,
        file=name,
        content_type=file.content_type,
        size=len(file.content),
        sha256=file.sha256,
        original_sha256=original,
    )
    events.record(_event("payment_proof.uploaded", proof, uploaded_by))
    return proof


def delete_unused_proofs() -> int:
    """Delete proofs that no payment used within 7 days, each in its own transaction; returns how many.

    Raises ProofStorageDown if a file cannot be deleted; its row is already deleted then.
    """
    old = PaymentProof.objects.filter(payment=None, created_at__lte=clock.now() - UNUSED_KEPT_FOR)
    deleted = 0
    for proof in old.order_by("pk").iterator():
        name = _delete_row(proof)
        if name:
            # The row goes first, because a row without its file is worse than a file without its row.
            files.forget(name)
            deleted += 1
    return deleted


@service_transaction
def _delete_row(proof: PaymentProof) -> str | None:
    """Delete the row; returns the name of its file, or None if the proof was used or deleted meanwhile."""
    account = lock_account(proof.account_id)
    unused = PaymentProof.objects.filter(account=account, pk=proof.pk, payment=None).first()
    if unused is None:
        return None
    events.record(_event("payment_proof.deleted", unused, None))
    unused.delete()
    return str(proof.file.name)


def _require_room(account: Account, more: int) -> None:
    proofs = PaymentProof.objects.filter(account=account)
    if proofs.filter(payment=None).count() >= MAX_UNUSED:
        raise ProofLimitReached()
    stored = proofs.aggregate(bytes=Sum("size"))["bytes"] or 0
    if stored + more > MAX_BYTES_OF_ACCOUNT:
        raise ProofLimitReached()


def _event(event_type: str, proof: PaymentProof, actor: User | None) -> events.NewEvent:
    facts = {"content_type": proof.content_type, "size": proof.size, "sha256": proof.sha256}
    return events.about(event_type, proof, actor, facts)
