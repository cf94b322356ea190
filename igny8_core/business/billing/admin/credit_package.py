"""Console pages of credit packages."""

from django.contrib import admin
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
)

from igny8_core.business.billing.admin.credit_package_serializers import CreditPackageInput
from igny8_core.business.billing.models import (
    CreditPackage,
)
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import money
from igny8_core.console.pages import ModelForm, SoldAdmin


class CreditPackageForm(StrictForm, ModelForm):
    """A credit package, validated by CreditPackageInput."""

    rules = CreditPackageInput


@admin.register(CreditPackage)
class CreditPackageAdmin(SoldAdmin):
    """Packages of credits for sale."""

    form = CreditPackageForm
    list_display = (
        "name",
        "slug",
        "credits",
        "price_shown",
        "discount_percentage",
        "final_price_shown",
        "is_active",
        "is_featured",
        "sort_order",
    )
    list_filter = (("is_active", BooleanRadioFilter), ("is_featured", BooleanRadioFilter))
    search_fields = ("name", "slug")
    search_help_text = "Search by name or slug"
    prepopulated_fields = {"slug": ("name",)}
    event_noun, tells_values = "credit_package", True
    readonly_fields = ("final_price_shown",)
    fieldsets = (
        (
            None,
            {
                "description": "What you change here holds for orders from now on. Invoices that are issued, paid or "
                "not, keep their price and credits, and credits that were bought keep their expiry.",
                "fields": ("name", "slug", ("credits", "valid_days")),
            },
        ),
        ("Price", {"fields": (("price", "currency"), ("discount_percentage", "final_price_shown"))}),
        ("Offer", {"fields": (("is_active", "is_featured"), "sort_order")}),
        ("Gateways", {"fields": (("stripe_product_id", "stripe_price_id"), "paypal_product_id")}),
    )

    price_shown = money("price")

    @admin.display(description="final price")
    def final_price_shown(self, package: CreditPackage) -> str:
        """The price less the discount, once the package is saved."""
        if not package.pk:
            return "Calculated from price and discount"
        return amount_text(package.final_price, package.currency)
