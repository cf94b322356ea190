import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class RefundStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    PROCESSING = "processing", _("Processing")
    UNKNOWN = "unknown", _("Unknown")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")


_DECIDED = frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED})
REFUND_TRANSITIONS: dict[str, frozenset[str]] = {
    RefundStatus.PENDING: _DECIDED | {RefundStatus.PROCESSING, RefundStatus.UNKNOWN},
    RefundStatus.UNKNOWN: _DECIDED | {RefundStatus.PROCESSING},
    RefundStatus.PROCESSING: _DECIDED | {RefundStatus.UNKNOWN},
    # If the gateway finds later that the money did not arrive, the payment is flagged (Payment.needs_review).
    RefundStatus.SUCCEEDED: frozenset(),
    RefundStatus.FAILED: frozenset(),
}
# Not decided yet. No other refund of the payment may begin, because together they could exceed it.
REFUNDS_UNDER_WAY = [RefundStatus.PENDING, RefundStatus.PROCESSING, RefundStatus.UNKNOWN]


class Refund(models.Model):
    """One refund through a gateway, ordered by us or made at the gateway. Its document is the credit note.

    Ours is committed before the gateway is asked, so that no crash loses it. A refund by bank or wallet has a credit
    note and no row here.
    """

    uuid = models.UUIDField(
        "our ID at the gateway", default=uuid.uuid4, unique=True, editable=False, help_text="Sent to the gateway"
    )
    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="refunds")
    amount = AmountField()
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    status = models.CharField(max_length=20, choices=RefundStatus.choices, default=RefundStatus.PENDING)
    reason = models.CharField(max_length=500)
    is_return = models.BooleanField(
        "return of unused money",
        default=False,
        help_text="The money paid for nothing, because the invoice was closed. No credit note.",
    )
    gateway_refund_id = models.CharField("refund ID at the gateway", max_length=100, blank=True)
    request_key = models.CharField(max_length=64, blank=True, help_text="Hash of the caller and its Idempotency-Key")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    credit_note = models.OneToOneField(
        "billing.CreditNote", null=True, blank=True, on_delete=models.PROTECT, related_name="refund"
    )
    failure_reason = models.CharField(max_length=500, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True, help_text="When the gateway is asked again")
    checks = models.PositiveSmallIntegerField("times the gateway was asked", default=0)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "igny8_refunds"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="igny8_refunds_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="igny8_refunds_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_refunds_currency_iso"),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(status__in=REFUNDS_UNDER_WAY),
                name="igny8_refunds_one_under_way",
            ),
            models.UniqueConstraint(
                fields=["gateway_refund_id"],
                condition=~Q(gateway_refund_id=""),
                name="igny8_refunds_gateway_refund_unique",
            ),
            models.UniqueConstraint(
                fields=["request_key"], condition=~Q(request_key=""), name="igny8_refunds_request_key_unique"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], name="igny8_refunds_to_check", condition=Q(next_check_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"Refund {self.pk}"
