"""Console pages of plans."""

from typing import ClassVar

from django.contrib import admin
from django.forms import Field
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter

from igny8_core.auth.admin.plan_serializers import PlanInput
from igny8_core.auth.models import Plan
from igny8_core.common.strict_forms import ListOfTextsField, StrictForm
from igny8_core.console.columns import money
from igny8_core.console.pages import ModelForm, SoldAdmin


class PlanForm(StrictForm, ModelForm):
    """A plan, validated by PlanInput."""

    rules = PlanInput

    class Meta:
        field_classes: ClassVar[dict[str, type[Field]]] = {"features": ListOfTextsField}


@admin.register(Plan)
class PlanAdmin(SoldAdmin):
    """Plans. An edit applies to new orders: invoices and subscriptions keep what was sold."""

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
    search_help_text = "Search by name or slug"
    prepopulated_fields = {"slug": ("name",)}
    tells_values = True
    fieldsets = (
        (
            None,
            {
                "description": "What you change here holds for new orders. Subscriptions keep the price, credits and "
                "limits that they were sold with, also when they renew, and invoices never change. For another price "
                "for customers who have the plan, announce a price change.",
                "fields": ("name", "slug", ("price", "currency"), "billing_cycle", "features"),
            },
        ),
        ("Includes", {"fields": (("included_credits", "credits_rollover"), ("max_sites", "max_users"))}),
        ("Offer", {"fields": (("is_active", "is_public", "is_trial"), "sort_order")}),
        ("Stripe", {"fields": (("stripe_product_id", "stripe_price_id"),)}),
    )

    price_shown = money("price")
