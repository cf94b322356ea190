from django.db import models
from django.db.models import Q

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models.payee import GATEWAY_METHODS
from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField


class DisputeStatus(models.TextChoices):
    OPEN = "open", "Open"
    WON = "won", "Won"
    LOST = "lost", "Lost"
    CLOSED = "closed", "Closed"


DISPUTE_TRANSITIONS: dict[str, frozenset[str]] = {
    DisputeStatus.OPEN: frozenset({DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.CLOSED}),
    # A bank can reopen a dispute that we had won, and take the money after all.
    DisputeStatus.WON: frozenset({DisputeStatus.LOST}),
    DisputeStatus.CLOSED: frozenset({DisputeStatus.LOST}),
    DisputeStatus.LOST: frozenset(),
}
# Disputes about which the gateway has to be asked again, because they are open or incomplete.
TO_ASK = Q(status=DisputeStatus.OPEN) | Q(amount__isnull=True)


class Dispute(models.Model):
    """A payer's dispute about one payment, at their bank or at PayPal, as the gateway reports it.

    A payment can have several. Operators answer them in the gateway's dashboard. A lost dispute is booked as a refund.
    """

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="disputes")
    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="disputes")
    gateway = models.CharField(max_length=20, choices=PaymentMethodType.choices)
    gateway_dispute_id = models.CharField("dispute ID at the gateway", max_length=100)
    status = models.CharField(max_length=20, choices=DisputeStatus.choices, default=DisputeStatus.OPEN)
    reason = models.CharField(max_length=500, blank=True, help_text="The payer's complaint, in the gateway's word")
    amount = AmountField(
        null=True, blank=True, help_text="Empty for an old dispute until the gateway is asked about it again"
    )
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217")
    outcome = models.CharField(max_length=100, blank=True, help_text="How it ended, in the gateway's word")
    refund = models.OneToOneField(
        "billing.Refund",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="dispute",
        help_text="The money that a lost dispute took, if the gateway made no refund for it",
    )
    opened_at = models.DateTimeField(null=True, blank=True, help_text="When the payer complained, as the gateway says")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When we learned of its end")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_disputes"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DisputeStatus.values), name="igny8_disputes_status_known"),
            models.CheckConstraint(
                condition=Q(gateway__in=sorted(GATEWAY_METHODS)), name="igny8_disputes_gateway_known"
            ),
            models.CheckConstraint(condition=~Q(gateway_dispute_id=""), name="igny8_disputes_has_gateway_id"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="igny8_disputes_amount_positive"),
            models.CheckConstraint(
                condition=Q(amount__isnull=True, currency="") | Q(amount__isnull=False, currency__regex=r"^[A-Z]{3}$"),
                name="igny8_disputes_amount_has_currency",
            ),
            models.CheckConstraint(
                condition=~Q(status=DisputeStatus.OPEN) | Q(closed_at__isnull=True, outcome=""),
                name="igny8_disputes_open_has_no_end",
            ),
            models.CheckConstraint(
                condition=Q(refund__isnull=True) | Q(status=DisputeStatus.LOST), name="igny8_disputes_only_lost_takes"
            ),
            models.UniqueConstraint(fields=["gateway", "gateway_dispute_id"], name="igny8_disputes_gateway_id_unique"),
        ]
        indexes = [models.Index(fields=["gateway", "id"], name="igny8_disputes_to_ask", condition=TO_ASK)]

    def __str__(self) -> str:
        return f"Dispute {self.pk}"
