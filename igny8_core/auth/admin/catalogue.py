"""Console pages of what accounts choose from: plans and industries."""

from typing import ClassVar

from django.contrib import admin
from django.forms import Field
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.auth.admin.catalogue_serializers import IndustryInput, PlanInput
from igny8_core.auth.models import Industry, Plan
from igny8_core.common.strict_forms import ListOfTextsField, StrictForm
from igny8_core.console.base import ConsoleAdmin, ModelForm, SoldAdmin, money


class PlanForm(StrictForm, ModelForm):
    """A plan as PlanInput takes it."""

    rules = PlanInput

    class Meta:
        field_classes: ClassVar[dict[str, type[Field]]] = {"features": ListOfTextsField}


class IndustryForm(StrictForm, ModelForm):
    """An industry as IndustryInput takes it."""

    rules = IndustryInput


@admin.register(Plan)
class PlanAdmin(SoldAdmin):
    """Plans; what was sold is on invoices and subscriptions, so an edit counts for the next order."""

    form = PlanForm
    list_display = (
        "name",
        "slug",
        "price_shown",
        "billing_cycle",
        "included_credits",
        "max_sites",
        "max_users",
        "is_active",
        "is_public",
        "sort_order",
    )
    list_filter = (
        ("billing_cycle", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("is_public", BooleanRadioFilter),
    )
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    tells_values = True
    fieldsets = (
        (None, {"fields": ("name", "slug", ("price", "currency"), "billing_cycle", "features")}),
        ("Includes", {"fields": (("included_credits", "credits_rollover"), ("max_sites", "max_users"))}),
        ("Offer", {"fields": (("is_active", "is_public", "is_trial"), "sort_order")}),
        ("Stripe", {"fields": (("stripe_product_id", "stripe_price_id"),)}),
    )

    price_shown = money("price")


@admin.register(Industry)
class IndustryAdmin(ConsoleAdmin):
    """Lines of business that a site can be in."""

    form = IndustryForm
    list_display = ("name", "slug", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    tells_values = True
