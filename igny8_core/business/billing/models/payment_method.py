from django.db import models
from django.db.models import Q

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.models.payee import Payee, PayeeVersion
from igny8_core.common import clock

ALL_COUNTRIES = "*"


class PaymentMethodConfig(Payee):
    """A payment method as configured for a country, with what a payer needs to know.

    A country's row replaces the row for all countries of the same method; a disabled one hides the method there.
    `payee_version` stores the details as invoices offer them. If the details are changed outside the service, a trigger
    clears it. The trigger also clears `is_sample` when the sample's numbers are gone; the service keeps `is_sample` as
    long as any detail of the sample is left.
    """

    is_enabled = models.BooleanField("offered", default=True)
    display_name = models.CharField(max_length=100)
    payee_version = models.ForeignKey(
        PayeeVersion,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text="The stored version of these details; empty until an invoice offers them",
        verbose_name="bank and wallet details",
    )
    sort_order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "igny8_payment_method_config"
        verbose_name = "payment method"
        ordering = ("sort_order", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["country_code", "payment_method"], name="igny8_payment_method_config_once_per_country"
            ),
            models.CheckConstraint(
                condition=Q(country_code=ALL_COUNTRIES) | Q(country_code__regex=r"^[A-Z]{2}$"),
                name="igny8_payment_method_config_country_code",
                violation_error_message="Use two capital letters (ISO 3166-1 alpha-2), or * for all countries.",
            ),
            models.CheckConstraint(
                condition=Q(payment_method__in=PaymentMethodType.values),
                name="igny8_payment_method_config_method_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country_code} {self.display_name}"


class AccountPaymentMethod(models.Model):
    """A payment method that an account has chosen or saved."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="payment_methods")
    type = models.CharField(max_length=20, choices=PaymentMethodType.choices)
    display_name = models.CharField(max_length=100)
    is_default = models.BooleanField("default", default=False)
    is_enabled = models.BooleanField("usable", default=True)
    is_verified = models.BooleanField("verified", default=False)
    gateway_method_id = models.CharField(
        "ID at the gateway",
        max_length=100,
        blank=True,
        help_text="The gateway's id of the card or payer",
    )
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField("last four digits", max_length=4, blank=True)
    card_exp_month = models.PositiveSmallIntegerField("expiry month", null=True, blank=True)
    card_exp_year = models.PositiveSmallIntegerField("expiry year", null=True, blank=True)
    expiry_warned_at = models.DateTimeField(
        "warned of the expiry", null=True, blank=True, help_text="When the customer was told that the card expires"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_account_payment_methods"
        verbose_name = "saved payment method"
        ordering = ("-is_default", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(is_default=True),
                name="igny8_account_payment_methods_one_default",
                violation_error_message="The account already has a default payment method.",
            ),
            models.CheckConstraint(
                condition=Q(type__in=PaymentMethodType.values), name="igny8_account_payment_methods_type_known"
            ),
            models.UniqueConstraint(
                fields=["type", "gateway_method_id"],
                condition=~Q(gateway_method_id=""),
                name="igny8_account_payment_methods_gateway_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name
