"""Which payments show the same transfer: the same reference, however it is written, or the same file as a proof."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import nlargest

from django.db.models import Q, QuerySet

from igny8_core.business.billing.models import CAPTURED_STATUSES, Payment, PaymentProof, PaymentStatus
from igny8_core.common.references import folded_reference

LIVE = [PaymentStatus.PENDING_APPROVAL, *CAPTURED_STATUSES]
MOST_SHOWN = 20
# The newest are enough to tell whether one came later. Thousands may write "cash" as their reference.
MOST_COMPARED = 5


class Same(StrEnum):
    """What two payments can have in common."""

    REFERENCE = "reference"
    PROOF = "proof"


@dataclass(frozen=True)
class Repeat:
    """Another payment of the same transfer. `same`: what both have."""

    payment: Payment
    same: list[Same] = field(default_factory=list)

    @property
    def same_text(self) -> str:
        """What both have, in words: "reference and proof"."""
        return " and ".join(self.same)


def fold_of(payment: Payment) -> str:
    """The payment's reference for comparing. The release before writes none, so it is made here."""
    return payment.reference_fold or folded_reference(payment.manual_reference) or payment.reference_key


def fingerprints_of(proof: PaymentProof | None) -> list[str]:
    """What tells a file again: as it was sent, and as it was drawn, which notes of a camera do not change.

    Nothing of a file of which the release before did not keep how it was sent.
    """
    return sorted({proof.original_sha256, proof.sha256}) if proof and proof.original_sha256 else []


def live_repeats(fold: str, fingerprints: list[str]) -> QuerySet[Payment]:
    """The live payments, of all accounts, with this folded reference or a proof with one of these fingerprints."""
    return _alike(fold, fingerprints).filter(status__in=LIVE)


def repeats_of(payment: Payment) -> list[Repeat]:
    """The other payments of the payment's transfer, live or not, with what is the same; the oldest first."""
    fold, fingerprints = fold_of(payment), fingerprints_of(payment.proof)
    others = _alike(fold, fingerprints).exclude(pk=payment.pk).select_related("proof", "account", "invoice")
    return [Repeat(other, _same(other, fold, fingerprints)) for other in others.order_by("pk")[:MOST_SHOWN]]


def ids_of_repeats(payments: Iterable[Payment]) -> dict[int, list[int]]:
    """The newest ids of the other payments of each flagged payment's transfer, by its id; a few queries for all."""
    flagged = [payment for payment in payments if payment.is_flagged_duplicate]
    if not flagged:
        return {}
    proofs = PaymentProof.objects.in_bulk({payment.proof_id for payment in flagged if payment.proof_id})
    marks = {payment.pk: _marks(fold_of(payment), proofs.get(payment.proof_id)) for payment in flagged}
    by_mark: dict[str, set[int]] = {}
    for pk, mark in _marked({mark for of_payment in marks.values() for mark in of_payment}):
        by_mark.setdefault(mark, set()).add(pk)
    # One more of each mark, because the payment itself is among them.
    newest = {mark: set(nlargest(MOST_COMPARED + 1, found)) for mark, found in by_mark.items()}
    found = {pk: set().union(*(newest.get(mark, set()) for mark in of_payment)) for pk, of_payment in marks.items()}
    return {pk: sorted(others - {pk})[-MOST_COMPARED:] for pk, others in found.items()}


def _marks(fold: str, proof: PaymentProof | None) -> set[str]:
    """What the payments of one transfer have in common: the folded reference, the fingerprints of the file."""
    return {text for text in [fold, *(f"file {each}" for each in fingerprints_of(proof))] if text}


def _marked(marks: Collection[str]) -> Iterable[tuple[int, str]]:
    folds = [mark for mark in marks if not mark.startswith("file ")]
    yield from Payment.objects.filter(reference_fold__in=folds).values_list("pk", "reference_fold")
    fingerprints = [mark.removeprefix("file ") for mark in marks if mark.startswith("file ")]
    files = PaymentProof.objects.filter(pk__in=list(_files(fingerprints))) if fingerprints else []
    of_files = {file.pk: fingerprints_of(file) for file in files}
    for pk, file in Payment.objects.filter(proof_id__in=of_files).values_list("pk", "proof_id"):
        yield from ((pk, f"file {fingerprint}") for fingerprint in of_files[file])


def _alike(fold: str, fingerprints: list[str]) -> QuerySet[Payment]:
    # Each part has its index. A join in an OR would use none.
    found = Q(pk__in=[])
    if fold:
        found |= Q(reference_fold=fold)
    if fingerprints:
        found |= Q(proof_id__in=list(_files(fingerprints)))
    return Payment.objects.filter(found)


def _files(fingerprints: list[str]) -> Iterable[int]:
    alike = Q(original_sha256__in=fingerprints) | Q(sha256__in=fingerprints, original_sha256__gt="")
    return PaymentProof.objects.filter(alike, payment__isnull=False).order_by().values_list("pk", flat=True)


def _same(other: Payment, fold: str, fingerprints: list[str]) -> list[Same]:
    is_same = {
        Same.REFERENCE: bool(fold) and other.reference_fold == fold,
        Same.PROOF: bool({*fingerprints_of(other.proof)} & {*fingerprints}),
    }
    return [name for name, found in is_same.items() if found]
