from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class AllocationKind(models.TextChoices):
    MONEY = "money", "Money"
    CREDITED = "credited", "Credit note"


class Allocation(models.Model):
    """The part of a payment, or the credit note, that settles an invoice.

    An invoice's live allocations add up to its `settled_amount`. Money is written in one statement with the invoice
    (allocations.py), a credit note in one transaction (services/invoices/corrections.py). Kept for good: a trigger
    refuses every change except one release while the invoice is open.
    """

    # No index: nobody looks up allocations by account, and every capture would have to maintain it.
    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(
        "billing.Payment", null=True, blank=True, on_delete=models.PROTECT, related_name="allocations"
    )
    credit_note = models.ForeignKey(
        "billing.CreditNote",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="allocations",
        db_index=False,
        help_text="The credit note of the invoice that this one corrects",
    )
    kind = models.CharField(max_length=20, choices=AllocationKind.choices, default=AllocationKind.MONEY)
    amount = AmountField()
    currency = models.CharField(max_length=3, help_text="ISO 4217; the same as the invoice's and the payment's")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The operator who decided; empty if a gateway did",
        verbose_name="allocated by",
    )
    created_at = models.DateTimeField("allocated", default=clock.now, editable=False)
    released_at = models.DateTimeField(
        "released", null=True, blank=True, help_text="When it stopped counting towards the invoice"
    )
    release_reason = models.CharField(max_length=255, blank=True, db_default="")

    class Meta:
        db_table = "igny8_allocations"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AllocationKind.values), name="igny8_allocations_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=AllocationKind.MONEY, payment__isnull=False)
                | (~Q(kind=AllocationKind.MONEY) & Q(payment__isnull=True)),
                name="igny8_allocations_money_has_payment",
            ),
            models.CheckConstraint(
                condition=Q(kind=AllocationKind.CREDITED, credit_note__isnull=False)
                | (~Q(kind=AllocationKind.CREDITED) & Q(credit_note__isnull=True)),
                name="igny8_allocations_credited_has_note",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="igny8_allocations_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_allocations_currency_iso"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, release_reason="")
                | (Q(released_at__isnull=False) & ~Q(release_reason="")),
                name="igny8_allocations_release_has_reason",
            ),
            models.UniqueConstraint(
                fields=["payment", "invoice"],
                condition=Q(released_at__isnull=True),
                name="igny8_allocations_one_live",
            ),
            models.UniqueConstraint(
                fields=["credit_note"],
                condition=Q(credit_note__isnull=False),
                name="igny8_allocations_credit_note_once",
            ),
        ]
        indexes = [
            # For the sums of days (daily_sums.py). Rows stand in the order of time: this costs a capture nothing.
            BrinIndex(fields=["created_at"], autosummarize=True, name="igny8_allocations_by_time"),
            models.Index(
                fields=["released_at"], name="igny8_allocations_released", condition=Q(released_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Allocation {self.pk}"
