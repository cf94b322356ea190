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

    country_code = models.CharField("country", max_length=2, help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = models.CharField(max_length=20, choices=PaymentMethodType.choices)
    instructions = models.TextField(blank=True, help_text="Shown to the payer below the details")
    bank_name = models.CharField(max_length=100, blank=True)
    account_title = models.CharField(
        "account holder", max_length=100, blank=True, help_text="Name of the account's holder"
    )
    account_number = models.CharField(max_length=50, blank=True)
    routing_number = models.CharField(max_length=50, blank=True, help_text="ABA number, sort code, …")
    swift_code = models.CharField("SWIFT code (BIC)", max_length=11, blank=True)
    iban = models.CharField("IBAN", max_length=34, blank=True)
    wallet_type = models.CharField("wallet", max_length=50, blank=True)
    wallet_id = models.CharField("wallet number", max_length=100, blank=True)
    is_sample = models.BooleanField(
        "sample details",
        default=False,
        db_default=False,
        editable=False,
        help_text="Sample numbers of a new installation, which belong to nobody",
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
        help_text="Empty if the details came with the installation, or were changed outside console and API",
        verbose_name="entered by",
    )

    class Meta:
        db_table = "igny8_payee_versions"
        verbose_name = "bank and wallet details"
        verbose_name_plural = "bank and wallet details"
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
        PayeeVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="offers",
        help_text="Empty for card and PayPal",
        verbose_name="bank and wallet details",
    )
    position = models.PositiveSmallIntegerField(help_text="Place in the list that customers see, from 1")
    country_code = models.CharField("country", max_length=2, help_text="Country of the configured method")
    display_name = models.CharField(max_length=100)
    config_id = models.BigIntegerField(help_text="Id of the configured method, which may have been deleted")
    is_reconstructed = models.BooleanField(
        "reconstructed",
        default=False,
        db_default=False,
        help_text="The invoice is older than these records; the offer was taken from its documents later",
    )

    class Meta:
        db_table = "igny8_invoice_offers"
        verbose_name = "method offered on an invoice"
        verbose_name_plural = "methods offered on invoices"
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
