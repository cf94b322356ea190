"""Why a payment by bank or wallet was rejected: codes, each with a sentence that the customer reads."""

from django.db import models

from igny8_core.common.marks import gettext_noop


class RejectionCode(models.TextChoices):
    """Why an operator rejected a confirmation. The label is what the customer reads, except that of `other`."""

    NOT_FOUND = "not_found", gettext_noop("We did not find this payment on our bank or wallet statement.")
    WRONG_AMOUNT = "wrong_amount", gettext_noop("The amount that we received is not the amount of the invoice.")
    WRONG_REFERENCE = (
        "wrong_reference",
        gettext_noop("The reference is not one of a transfer to us. Copy it from your bank or wallet."),
    )
    PROOF_UNREADABLE = (
        "proof_unreadable",
        gettext_noop("We could not read the proof that you sent. Send a sharper picture or a PDF of your bank."),
    )
    ALREADY_USED = "already_used", gettext_noop("This transfer has already been counted for another invoice.")
    OTHER = "other", "Another reason, in your own words"

    @property
    def sentence(self) -> str:
        """The ready sentence, not translated; empty for `other`."""
        return "" if self is RejectionCode.OTHER else str(self.label)

    def told(self, words: str) -> str:
        """What the customer reads: the ready sentence, and what the operator wrote."""
        return f"{self.sentence} {words}".strip()
