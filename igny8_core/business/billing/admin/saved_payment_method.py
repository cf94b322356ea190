"""Console pages of the payment methods that accounts saved."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.console.columns import moment
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(AccountPaymentMethod)
class AccountPaymentMethodAdmin(ReadOnlyAdmin):
    """Payment methods that accounts saved."""

    list_display = ("id", "account", "type", "display_name", "is_default", "is_enabled", "is_verified", "created")
    list_filter = (
        ("type", ChoicesDropdownFilter),
        ("is_default", BooleanRadioFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "display_name", "card_last4__exact")
    search_help_text = "Search by account, name or last four digits of a card"
    fieldsets = (
        (None, {"fields": ("account", ("type", "display_name"), ("is_default", "is_enabled", "is_verified"))}),
        ("Card", {"fields": (("card_brand", "card_last4"), ("card_exp_month", "card_exp_year"))}),
        ("Gateway", {"fields": ("gateway_method_id", "created")}),
    )

    created = moment("created_at")
