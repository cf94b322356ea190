"""Console pages of ways to pay: what is offered where, and what accounts chose."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.business.billing.models import AccountPaymentMethod, PaymentMethodConfig
from igny8_core.business.billing.serializers import PaymentMethodInput
from igny8_core.common.strict_forms import StrictForm
from igny8_core.events.console import ConsoleAdmin, ModelForm, ReadOnlyAdmin, moment


class PaymentMethodConfigForm(StrictForm, ModelForm):
    """A way to pay as the API takes it. The samples keep their numbers until they are edited."""

    rules = PaymentMethodInput


@admin.register(PaymentMethodConfig)
class PaymentMethodConfigAdmin(ConsoleAdmin):
    """What is offered in which country, with what a payer needs to know."""

    form = PaymentMethodConfigForm
    list_display = ("display_name", "country_code", "payment_method", "is_enabled", "sort_order")
    list_filter = (("payment_method", ChoicesDropdownFilter), ("is_enabled", BooleanRadioFilter), "country_code")
    search_fields = ("display_name", "country_code", "bank_name", "wallet_type")
    ordering = ("country_code", "sort_order", "id")
    event_noun, tells_values = "payment_method_config", True
    fieldsets = (
        (
            None,
            {
                "description": "A country's row replaces the row for all countries (*) of the same method; "
                "a disabled one hides the method there.",
                "fields": (("country_code", "payment_method"), ("display_name", "sort_order"), "is_enabled"),
            },
        ),
        ("For the payer", {"fields": ("instructions",)}),
        (
            "Bank",
            {
                "fields": (
                    ("bank_name", "account_title"),
                    ("account_number", "routing_number"),
                    ("iban", "swift_code"),
                )
            },
        ),
        ("Wallet", {"fields": (("wallet_type", "wallet_id"),)}),
    )


@admin.register(AccountPaymentMethod)
class AccountPaymentMethodAdmin(ReadOnlyAdmin):
    """Ways to pay that accounts chose or saved."""

    list_display = ("id", "account", "type", "display_name", "is_default", "is_enabled", "is_verified", "created")
    list_filter = (
        ("type", ChoicesDropdownFilter),
        ("is_default", BooleanRadioFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "display_name", "card_last4__exact")
    fieldsets = (
        (None, {"fields": ("account", ("type", "display_name"), ("is_default", "is_enabled", "is_verified"))}),
        ("Card", {"fields": (("card_brand", "card_last4"), ("card_exp_month", "card_exp_year"))}),
        ("Gateways", {"fields": (("stripe_payment_method_id", "paypal_payer_id"), "created")}),
    )

    created = moment("created_at")
