"""Console pages of payment methods: which are offered in which country."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import flatten
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.payment_method_preview import ShowsPreview
from igny8_core.business.billing.admin.payment_method_switch import EVERYWHERE, SwitchesMethods, place
from igny8_core.business.billing.models import ALL_COUNTRIES, PAYEE_COLUMNS, PayeeVersion, PaymentMethodConfig
from igny8_core.business.billing.offers import offered_payment_methods
from igny8_core.business.billing.payees import refused_details
from igny8_core.business.billing.serializers import PaymentMethodInput
from igny8_core.business.billing.services.payment_methods.configuration import (
    configure_payment_method,
    remove_payment_method,
    update_payment_method,
)
from igny8_core.common.strict_forms import StrictForm
from igny8_core.common.written import countries_to_choose
from igny8_core.console.pages import ModelForm


class PaymentMethodConfigForm(StrictForm, ModelForm):
    """A payment method, validated by PaymentMethodInput. Sample details are checked once they are edited."""

    rules = PaymentMethodInput

    country_code = forms.ChoiceField(
        label="Country",
        choices=lambda: [("", "Choose a country"), (ALL_COUNTRIES, EVERYWHERE), *countries_to_choose()],
        widget=UnfoldAdminSelectWidget(),
        help_text="Type the beginning of its name.",
    )

    def clean(self) -> dict[str, Any]:
        """The columns, with one refusal for each wrong detail."""
        columns: dict[str, Any] = super().clean() or self.cleaned_data
        if {*PAYEE_COLUMNS} & {*self.changed_data}:
            before = PaymentMethodConfig.objects.filter(pk=self.instance.pk).first()
            after = PayeeVersion(**{name: columns.get(name, "") for name in PAYEE_COLUMNS})
            for column, refusals in refused_details(before, after).items():
                if column not in self.errors:
                    self.add_error(column, refusals)
        return columns


@admin.register(PaymentMethodConfig)
class PaymentMethodConfigAdmin(SwitchesMethods, ShowsPreview):
    """Payment methods by country, with the details that a payer needs."""

    form = PaymentMethodConfigForm
    list_display = ("display_name", "country_code", "payment_method", "is_enabled", "is_sample", "sort_order")
    list_per_page = 500
    readonly_fields = ("preview",)
    list_filter = (
        ("payment_method", ChoicesDropdownFilter),
        ("is_enabled", BooleanRadioFilter),
        ("is_sample", BooleanRadioFilter),
        "country_code",
    )
    search_fields = ("display_name", "country_code", "bank_name", "wallet_type")
    search_help_text = "Search by name, country code, bank or wallet"
    ordering = ("country_code", "sort_order", "id")
    event_noun, tells_values = "payment_method_config", True
    fieldsets = (
        (
            None,
            {
                "description": "A row for a country replaces the row for all countries (*) with the same method. "
                "Switch “Offered” off to hide the method in that country.",
                "fields": (("country_code", "payment_method"), ("display_name", "sort_order"), "is_enabled"),
            },
        ),
        (
            "For the payer",
            {
                "description": "Payers see the details below automatically. Use this field for anything else that "
                "they should know. {amount}, {invoice_number} and {due_date} become those of their invoice.",
                "fields": ("instructions",),
            },
        ),
        (
            "Bank",
            {
                "classes": ("method-part", "for-bank_transfer", "for-manual"),
                "fields": (
                    ("bank_name", "account_title"),
                    ("account_number", "routing_number"),
                    ("iban", "swift_code"),
                ),
            },
        ),
        (
            "Wallet",
            {
                "classes": ("method-part", "for-local_wallet", "for-manual"),
                "fields": (("wallet_type", "wallet_id"),),
            },
        ),
        ("What customers read", {"description": "As it is saved, on a sample invoice.", "fields": ("preview",)}),
    )

    class Media:
        js = ("console/method.js",)

    def get_fieldsets(self, request: HttpRequest, obj: PaymentMethodConfig | None = None) -> Any:
        """The parts of the form. Hidden are those of other methods than the chosen one, unless they are filled in."""
        method = request.POST.get("payment_method", obj.payment_method if obj else "")
        return [
            (title, {**options, "classes": (*options.get("classes", ()), "console-hidden")})
            if method and _is_of_another(options, method) and not _is_filled(options, request, obj)
            else (title, options)
            for title, options in super().get_fieldsets(request, obj)
        ]

    def save_model(self, request: HttpRequest, obj: PaymentMethodConfig, form: Any, change: bool) -> None:
        """Save with the service, which keeps the old details and informs all operators."""
        if not change or {*PAYEE_COLUMNS} & {*form.changed_data}:
            require_confirmed_operator(request)
        columns = {name: form.cleaned_data[name] for name in form.changed_data}
        if change:
            saved = update_payment_method(obj, operator_of(request), **columns)
        else:
            saved = configure_payment_method(operator_of(request), **form.cleaned_data)
        obj.pk, obj._state.adding = saved.pk, False
        if not saved.is_enabled and not offered_payment_methods(saved.country_code):
            messages.warning(request, f"Nothing is offered any more in: {place(saved.country_code)}.")

    def delete_model(self, request: HttpRequest, obj: PaymentMethodConfig) -> None:
        """Delete with the service."""
        require_confirmed_operator(request)
        remove_payment_method(obj, operator_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PaymentMethodConfig]) -> None:
        """Delete each row with the service."""
        for config in queryset:
            self.delete_model(request, config)

    def _record(self, *args: Any) -> None:
        """Does nothing, because the service records the event."""


def _is_of_another(part: Any, method: str) -> bool:
    classes = part.get("classes", ())
    return "method-part" in classes and f"for-{method}" not in classes


def _is_filled(part: Any, request: HttpRequest, config: PaymentMethodConfig | None) -> bool:
    names = flatten(part["fields"])
    return any(request.POST.get(name, getattr(config, name, "")) for name in names)
