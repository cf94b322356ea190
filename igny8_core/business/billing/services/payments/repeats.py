"""Flags on payments that show the same transfer: on both sides, also on those of other accounts."""

from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.payment_repeats import LIVE, fingerprints_of, fold_of, live_repeats

# How many rows of the release before one confirmation looks at; there are as many as it wrote since the last one.
OLDER_ROWS = 100


def found_repeats(fold: str, fingerprints: list[str]) -> list[int]:
    """The ids of the live payments of this transfer, the oldest first. The caller holds the locks on its texts."""
    return list(live_repeats(fold, fingerprints).order_by("pk").values_list("pk", flat=True))


def flag(payments: list[int]) -> None:
    """Flag payments as repeated, whichever account they are of.

    Their accounts are not locked: nothing is decided here, and a decision reads the flag under the payment's lock. Rows
    are written in the order of their ids, so that two confirmations do not wait for each other.
    """
    for payment in sorted(payments):
        Payment.objects.filter(pk=payment, is_repeated=False).update(is_repeated=True)


def flag_older_rows() -> None:
    """Fold the references of payments that the release before wrote while it still served, and flag their repeats."""
    older = Payment.objects.filter(reference_fold="").exclude(reference_key="").select_related("proof")
    for payment in older.order_by("pk")[:OLDER_ROWS]:
        fold = fold_of(payment)
        Payment.objects.filter(pk=payment.pk, reference_fold="").update(reference_fold=fold)
        if payment.status in LIVE:
            others = live_repeats(fold, fingerprints_of(payment.proof)).exclude(pk=payment.pk)
            found = list(others.values_list("pk", flat=True))
            flag([payment.pk, *found] if found else [])
