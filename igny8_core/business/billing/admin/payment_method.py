"""Console pages of ways to pay: what is offered where, and what accounts chose."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.business.billing.admin.payment_decisions import operator_of
from igny8_core.business.billing.models import PAYEE_COLUMNS, AccountPaymentMethod, PayeeVersion, PaymentMethodConfig
from igny8_core.business.billing.payees import refused_details
from igny8_core.business.billing.serializers import PaymentMethodInput
from igny8_core.business.billing.services.payment_methods.configuration import (
    configure_payment_method,
    remove_payment_method,
    update_payment_method,
)
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.base import ConsoleAdmin, ModelForm, ReadOnlyAdmin, moment


class PaymentMethodConfigForm(StrictForm, ModelForm):
    """A way to pay as the API takes it. The samples keep their numbers until they are edited."""

    rules = PaymentMethodInput

    def clean(self) -> dict[str, Any]:
        """All columns. Names those that are refused, each once."""
        columns: dict[str, Any] = super().clean() or self.cleaned_data
        if {*PAYEE_COLUMNS} & {*self.changed_data}:
            before = PaymentMethodConfig.objects.filter(pk=self.instance.pk).first()
            after = PayeeVersion(**{name: columns.get(name, "") for name in PAYEE_COLUMNS})
            for column, refusals in refused_details(before, after).items():
                if column not in self.errors:
                    self.add_error(column, refusals)
        return columns


@admin.register(PaymentMethodConfig)
class PaymentMethodConfigAdmin(ConsoleAdmin):
    """What is offered in which country, with what a payer needs to know."""

    form = PaymentMethodConfigForm
    list_display = ("display_name", "country_code", "payment_method", "is_enabled", "is_sample", "sort_order")
    list_filter = (
        ("payment_method", ChoicesDropdownFilter),
        ("is_enabled", BooleanRadioFilter),
        ("is_sample", BooleanRadioFilter),
        "country_code",
    )
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
        (
            "For the payer",
            {
                "description": "The details below are written for the payer by themselves. Say here only what is "
                "to be said besides.",
                "fields": ("instructions",),
            },
        ),
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

    def save_model(self, request: HttpRequest, obj: PaymentMethodConfig, form: Any, change: bool) -> None:
        """Save through the service, which keeps the old details and tells all operators."""
        columns = {name: form.cleaned_data[name] for name in form.changed_data}
        if change:
            saved = update_payment_method(obj, operator_of(request), **columns)
        else:
            saved = configure_payment_method(operator_of(request), **form.cleaned_data)
        obj.pk, obj._state.adding = saved.pk, False

    def delete_model(self, request: HttpRequest, obj: PaymentMethodConfig) -> None:
        """Delete through the service."""
        remove_payment_method(obj, operator_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PaymentMethodConfig]) -> None:
        """Delete through the service, one by one."""
        for config in queryset:
            self.delete_model(request, config)

    def _record(self, *args: Any) -> None:
        """Nothing: the service has recorded it."""


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
        ("Gateway", {"fields": ("gateway_method_id", "created")}),
    )

    created = moment("created_at")
