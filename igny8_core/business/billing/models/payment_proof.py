import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from igny8_core.common import clock


class ProofType(models.TextChoices):
    """The file types that a proof can have."""

    PNG = "image/png", "PNG"
    JPEG = "image/jpeg", "JPEG"
    PDF = "application/pdf", "PDF"


SUFFIXES = {ProofType.PNG: "png", ProofType.JPEG: "jpg", ProofType.PDF: "pdf"}


def storage_name(proof: "PaymentProof", _: Any = None) -> str:
    """Where a proof's file is stored: a random name that contains nothing from the uploader."""
    return f"payment_proofs/{proof.account_id}/{uuid.uuid4().hex}.{SUFFIXES[ProofType(proof.content_type)]}"


class PaymentProof(models.Model):
    """A picture or PDF that shows that a customer paid. We rewrite the upload once and never change it again."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="payment_proofs")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Nobody we know by name where it came through the link of an invoice",
    )
    file = models.FileField(upload_to=storage_name, max_length=200)
    content_type = models.CharField("file type", max_length=20, choices=ProofType.choices)
    size = models.PositiveIntegerField("size in bytes", help_text="As stored")
    sha256 = models.CharField("SHA-256", max_length=64, help_text="Of the file as stored")
    original_sha256 = models.CharField(
        "SHA-256 of the upload",
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of the file as it was sent, to find the same one again. Empty where it was sent to an older release",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_payment_proofs"
        verbose_name = "proof of payment"
        verbose_name_plural = "proofs of payment"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(content_type__in=ProofType.values), name="igny8_payment_proofs_type_known"
            ),
            models.CheckConstraint(condition=Q(size__gt=0), name="igny8_payment_proofs_not_empty"),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="igny8_payment_proofs_of_acct"),
            models.Index(fields=["sha256"], name="igny8_payment_proofs_stored"),
            models.Index(fields=["original_sha256"], name="igny8_payment_proofs_sent"),
        ]

    def __str__(self) -> str:
        return f"Proof {self.pk}"

    @property
    def neutral_name(self) -> str:
        """The name under which people save the file."""
        return f"payment-proof-{self.pk}.{SUFFIXES[ProofType(self.content_type)]}"

    @property
    def is_picture(self) -> bool:
        return self.content_type != ProofType.PDF
