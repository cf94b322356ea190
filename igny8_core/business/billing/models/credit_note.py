from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from igny8_core.common.model_fields import AmountField


class CreditNote(models.Model):
    """What takes an invoice back, in part or whole: money that was refunded, or an invoice that was wrong.

    Without `payment` no money moved: an unpaid invoice was taken back, or the note settles the invoice that corrects a
    paid one (docs/domain.md section 4, Credit notes). It is never changed, and is numbered without gaps like invoices.
    Credits that were already spent cannot be taken back with a refund, because the balance never goes below zero;
    `credits_not_recovered` states them (docs/domain.md section 4, Refund).
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="credit_notes")
    payment = models.ForeignKey(
        "billing.Payment",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="credit_notes",
        help_text="The payment that was refunded; empty if no money went back",
    )
    credit_note_number = models.CharField(max_length=40, unique=True)
    amount = AmountField()
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    reason = models.CharField(max_length=500)
    reference = models.CharField(
        "reference of the transfer", max_length=100, blank=True, help_text="Of the transfer that returned the money"
    )
    gateway_refund_id = models.CharField("refund ID at the gateway", max_length=100, blank=True)
    credits_taken_back = models.PositiveBigIntegerField("credits taken back", default=0)
    credits_not_recovered = models.PositiveBigIntegerField(
        "credits not recovered", default=0, help_text="Credits that were spent already"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_credit_notes"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="igny8_credit_notes_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_credit_notes_currency_iso"),
            models.UniqueConstraint(
                fields=["gateway_refund_id"],
                condition=~Q(gateway_refund_id=""),
                name="igny8_credit_notes_gateway_refund_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="igny8_credit_notes_of_account"),
            BrinIndex(fields=["created_at"], autosummarize=True, name="igny8_credit_notes_by_time"),
        ]

    def __str__(self) -> str:
        return self.credit_note_number
