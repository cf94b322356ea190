"""Where customers send money: bank and wallet details, their versions, and what each invoice offered."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from igny8_core.auth.models import PaymentMethodType
from igny8_core.common import clock

MANUAL_METHODS = frozenset({PaymentMethodType.BANK_TRANSFER, PaymentMethodType.LOCAL_WALLET, PaymentMethodType.MANUAL})
GATEWAY_METHODS = frozenset(PaymentMethodType) - MANUAL_METHODS
# A row stays a sample as long as one of these is still the sample's number.
PAYEE_NUMBERS = ("account_number", "iban", "wallet_id")
PAYEE_DETAILS = (
    *("bank_name", "account_title", "account_number", "routing_number", "iban", "swift_code"),
    *("wallet_type", "wallet_id"),
)
# The columns of a version: changing one changes where money goes, or what customers read about it.
PAYEE_COLUMNS = ("country_code", "payment_method", "instructions", *PAYEE_DETAILS)


class Payee(models.Model):
    """The columns of bank and wallet details. `instructions`: the operator's additional text."""

    country_code = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = models.CharField(max_length=20, choices=PaymentMethodType.choices)
    instructions = models.TextField(blank=True, help_text="Shown with the details. Do not repeat the details here")
    bank_name = models.CharField(max_length=100, blank=True)
    account_title = models.CharField(max_length=100, blank=True, help_text="Name of the account holder")
    account_number = models.CharField(max_length=50, blank=True)
    routing_number = models.CharField(max_length=50, blank=True, help_text="ABA number, sort code, …")
    swift_code = models.CharField(max_length=11, blank=True)
    iban = models.CharField(max_length=34, blank=True)
    wallet_type = models.CharField(max_length=50, blank=True)
    wallet_id = models.CharField(max_length=100, blank=True)
    is_sample = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="A sample of a new installation, with invented numbers",
    )

    class Meta:
        abstract = True


class PayeeVersion(Payee):
    """Bank or wallet details as they were between two changes. A version is never changed or deleted."""

    created_at = models.DateTimeField(default=clock.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty if the details came with the installation, or were not changed in the console or by API",
    )

    class Meta:
        db_table = "igny8_payee_versions"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.country_code} {self.get_payment_method_display()}, version {self.pk}"

    @classmethod
    def of(cls, payee: Payee) -> Self:
        """An unsaved version with a configured method's current details."""
        return cls(is_sample=payee.is_sample, **{name: getattr(payee, name) for name in PAYEE_COLUMNS})


class InvoiceOffer(models.Model):
    """One payment method that an invoice offers, as it was when the invoice was created."""

    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="offers")
    payment_method = models.CharField(max_length=20, choices=PaymentMethodType.choices)
    payee_version = models.ForeignKey(
        PayeeVersion, on_delete=models.PROTECT, null=True, related_name="offers", help_text="Empty for card and PayPal"
    )
    position = models.PositiveSmallIntegerField(help_text="From 1, in the order that customers see")
    country_code = models.CharField(
        max_length=2, help_text="The country of the configured method that it was copied from"
    )
    display_name = models.CharField(max_length=100)
    config_id = models.BigIntegerField(
        help_text="Id of the configured method that it was copied from, which may be deleted"
    )
    is_reconstructed = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The invoice is older than this record, so the record shows what its documents said later",
    )

    class Meta:
        db_table = "igny8_invoice_offers"
        ordering = ("invoice", "position")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "payment_method"], name="igny8_invoice_offers_method_once"),
            models.CheckConstraint(
                condition=Q(payment_method__in=sorted(GATEWAY_METHODS), payee_version=None)
                | (~Q(payment_method__in=sorted(GATEWAY_METHODS)) & Q(payee_version__isnull=False)),
                name="igny8_invoice_offers_payee_unless_gateway",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} for invoice {self.invoice_id}"
