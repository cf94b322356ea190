import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models.rejection import RejectionCode
from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class PaymentStatus(models.TextChoices):
    PENDING_APPROVAL = "pending_approval", _("Pending approval")
    PENDING = "pending", _("Pending")
    PROCESSING = "processing", _("Processing")
    UNKNOWN = "unknown", _("Unknown")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", pgettext_lazy("payment", "Canceled")
    PARTIALLY_REFUNDED = "partially_refunded", _("Partially refunded")
    REFUNDED = "refunded", _("Refunded")
    DISPUTED = "disputed", _("Disputed")


_AFTER_SUCCESS = frozenset({PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED, PaymentStatus.DISPUTED})
PAYMENT_TRANSITIONS: dict[str, frozenset[str]] = {
    PaymentStatus.PENDING_APPROVAL: frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELED}),
    PaymentStatus.PENDING: frozenset(
        {
            PaymentStatus.PROCESSING,
            PaymentStatus.SUCCEEDED,
            PaymentStatus.FAILED,
            PaymentStatus.CANCELED,
            PaymentStatus.UNKNOWN,
        }
    ),
    PaymentStatus.PROCESSING: frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.UNKNOWN}),
    PaymentStatus.UNKNOWN: frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.FAILED}),
    PaymentStatus.SUCCEEDED: _AFTER_SUCCESS,
    PaymentStatus.PARTIALLY_REFUNDED: frozenset({PaymentStatus.REFUNDED, PaymentStatus.DISPUTED}),
    PaymentStatus.DISPUTED: frozenset({PaymentStatus.REFUNDED}),
    PaymentStatus.REFUNDED: frozenset(),
    PaymentStatus.FAILED: frozenset(),
    PaymentStatus.CANCELED: frozenset(),
}
# The money came in, even if it was refunded later.
CAPTURED_STATUSES = [PaymentStatus.SUCCEEDED, *sorted(_AFTER_SUCCESS)]

# Not decided yet. The invoice must not change meanwhile.
PAYMENTS_UNDER_WAY = [
    PaymentStatus.PENDING_APPROVAL,
    PaymentStatus.PENDING,
    PaymentStatus.PROCESSING,
    PaymentStatus.UNKNOWN,
]
# Those that a gateway decides; it is asked on a schedule.
GATEWAY_UNDER_WAY = [PaymentStatus.PENDING, PaymentStatus.PROCESSING, PaymentStatus.UNKNOWN]


class Payment(models.Model):
    """One attempt to pay an invoice: a confirmation that operators check, or a charge at a gateway."""

    uuid = models.UUIDField(
        "our ID at the gateway", default=uuid.uuid4, unique=True, editable=False, help_text="Sent to the gateway"
    )
    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="payments")
    amount = AmountField()
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    payment_method = models.CharField(max_length=20, choices=PaymentMethodType.choices)
    status = models.CharField(max_length=20, choices=PaymentStatus.choices)
    manual_reference = models.CharField("reference", max_length=100, blank=True, help_text="As the customer wrote it")
    # Read by the release before, which knows no `reference_fold`.
    reference_key = models.CharField(
        max_length=100, blank=True, help_text="The reference without case, spaces and dashes"
    )
    reference_fold = models.CharField(
        "reference for comparing",
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="The same for all that people take for one reference. Empty if the release before wrote the row",
    )
    is_repeated = models.BooleanField(
        "seen elsewhere",
        default=False,
        db_default=False,
        help_text="Another live payment had the same reference or the same proof, whichever of the two came first",
    )
    transferred_on = models.DateField(null=True, blank=True, help_text="The day of the transfer, as the customer says")
    payer_name = models.CharField(
        max_length=150,
        blank=True,
        db_default="",
        help_text="Whose account or wallet it came from, as the customer says",
    )
    manual_notes = models.TextField("customer's note", blank=True)
    admin_notes = models.TextField("operators' notes", blank=True)
    proof = models.OneToOneField(
        "billing.PaymentProof", null=True, blank=True, on_delete=models.PROTECT, related_name="payment"
    )
    proof_url = models.URLField("link to a proof", max_length=2000, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The operator who approved or rejected it",
        verbose_name="decided by",
    )
    approved_at = models.DateTimeField("decided", null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failure_reason = models.CharField(max_length=500, blank=True)
    reason_code = models.CharField(
        "reason of the rejection",
        max_length=20,
        choices=RejectionCode.choices,
        blank=True,
        db_default="",
        default="",
        help_text="Chosen by the operator. Empty if it was not rejected, or before there were codes",
    )
    internal_note = models.TextField(
        blank=True,
        db_default="",
        default="",
        help_text="What the operator who rejected it wrote for other operators; the customer never reads it",
    )
    refunded_amount = AmountField("refunded", default=Decimal(0))
    gateway_object_id = models.CharField(
        "payment ID at the gateway",
        max_length=100,
        blank=True,
        help_text="Stripe's PaymentIntent or PayPal's order",
    )
    gateway_capture_id = models.CharField(
        "capture ID at the gateway",
        max_length=100,
        blank=True,
        help_text="Stripe's charge or PayPal's capture, which a refund refers to",
    )
    request_key = models.CharField(max_length=64, blank=True, help_text="Hash of the caller and its Idempotency-Key")
    next_check_at = models.DateTimeField(
        "next check", null=True, blank=True, help_text="When the gateway is asked again"
    )
    checks = models.PositiveSmallIntegerField("times the gateway was asked", default=0)
    needs_review = models.BooleanField(default=False, help_text="An operator has to decide what to do with it")
    review_reason = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_payments"
        ordering = ("-id",)
        permissions = [
            ("approve_payment", "Can approve and reject manual payments"),
            ("refund_payment", "Can refund payments"),
            ("check_payment", "Can ask gateways about payments and return money that needs review"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="igny8_payments_status_known"),
            models.CheckConstraint(
                condition=Q(payment_method__in=PaymentMethodType.values), name="igny8_payments_method_known"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="igny8_payments_amount_positive"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_payments_currency_iso"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("amount")),
                name="igny8_payments_refunded_within_amount",
            ),
            # Two payments of one invoice at the same time would take the money twice (WHK-17).
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(status__in=PAYMENTS_UNDER_WAY),
                name="igny8_payments_one_under_way",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=GATEWAY_UNDER_WAY) | Q(needs_review=True) | Q(next_check_at__isnull=False),
                name="igny8_payments_under_way_has_next_check",
            ),
            models.UniqueConstraint(
                fields=["request_key"], condition=~Q(request_key=""), name="igny8_payments_request_key_unique"
            ),
            *(
                models.UniqueConstraint(
                    fields=["payment_method", field], condition=~Q(**{field: ""}), name=f"igny8_payments_{field}_unique"
                )
                for field in ("gateway_object_id", "gateway_capture_id")
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="igny8_payments_of_account"),
            models.Index(
                fields=["created_at", "id"],
                name="igny8_payments_to_approve",
                condition=Q(status=PaymentStatus.PENDING_APPROVAL),
            ),
            models.Index(
                fields=["processed_at"],
                include=["status", "currency", "amount"],
                name="igny8_payments_revenue",
                condition=Q(processed_at__isnull=False),
            ),
            models.Index(
                fields=["failed_at", "id"], name="igny8_payments_failed", condition=Q(status=PaymentStatus.FAILED)
            ),
            models.Index(
                fields=["next_check_at"], name="igny8_payments_to_check", condition=Q(next_check_at__isnull=False)
            ),
            models.Index(fields=["id"], name="igny8_payments_to_review", condition=Q(needs_review=True)),
            models.Index(fields=["id"], name="igny8_payments_flagged", condition=Q(metadata__has_key="duplicate_of")),
            models.Index(
                fields=["payment_method", "reference_key"],
                name="igny8_payments_by_reference",
                condition=~Q(reference_key=""),
            ),
            models.Index(fields=["reference_fold"], name="igny8_payments_by_fold", condition=Q(reference_fold__gt="")),
            models.Index(
                fields=["id"],
                name="igny8_payments_not_folded",
                condition=Q(reference_fold="") & ~Q(reference_key=""),
            ),
            models.Index(fields=["id"], name="igny8_payments_repeated", condition=Q(is_repeated=True)),
            models.Index(fields=["amount", "currency", "-id"], name="igny8_payments_amount_newest"),
            # Migration 0026 adds one more, for the operators' search by the beginning of payer_name.
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk}"

    @property
    def is_confirmed_by_us(self) -> bool:
        """Whether we chose the saved card that is charged. Otherwise the customer enters one and may try another."""
        return bool(self.metadata.get("order", {}).get("card"))

    @property
    def is_flagged_duplicate(self) -> bool:
        """Whether another live payment had the same reference or proof (docs/domain.md section 4, Confirm)."""
        # The release before knows the entry only.
        return self.is_repeated or "duplicate_of" in self.metadata
