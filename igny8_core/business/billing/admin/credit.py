"""Console pages of credits: what they are sold for and cost, and the ledger."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    FieldTextFilter,
)

from igny8_core.business.billing.admin.credit_serializers import CreditPackageInput
from igny8_core.business.billing.models import (
    CreditCostConfig,
    CreditGrant,
    CreditGrantKind,
    CreditPackage,
    CreditTransaction,
    CreditTransactionType,
    CreditUsageLog,
    CreditUsageSum,
    UsageSumMark,
)
from igny8_core.business.billing.serializers import CreditCostInput
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.base import (
    ConsoleAdmin,
    LogAdmin,
    ModelForm,
    SoldAdmin,
    badge,
    json_block,
    label,
    moment,
    money,
)

TRANSACTION_TONES = {
    CreditTransactionType.TRIAL: "info",
    CreditTransactionType.SUBSCRIPTION: "success",
    CreditTransactionType.PURCHASE: "success",
    CreditTransactionType.ADJUSTMENT: "warning",
    CreditTransactionType.REFUND: "danger",
}
GRANT_TONES = {CreditGrantKind.PLAN: "info", CreditGrantKind.PURCHASE: "success"}


class CreditPackageForm(StrictForm, ModelForm):
    """A credit package as CreditPackageInput takes it."""

    rules = CreditPackageInput


class CreditCostForm(StrictForm, ModelForm):
    """What an operation costs as the API takes it."""

    rules = CreditCostInput


@admin.register(CreditPackage)
class CreditPackageAdmin(SoldAdmin):
    """Credits for sale on their own."""

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
    prepopulated_fields = {"slug": ("name",)}
    event_noun, tells_values = "credit_package", True
    readonly_fields = ("final_price_shown",)
    fieldsets = (
        (None, {"fields": ("name", "slug", ("credits", "valid_days"))}),
        ("Price", {"fields": (("price", "currency"), ("discount_percentage", "final_price_shown"))}),
        ("Offer", {"fields": (("is_active", "is_featured"), "sort_order")}),
        ("Gateways", {"fields": (("stripe_product_id", "stripe_price_id"), "paypal_product_id")}),
    )

    price_shown = money("price")

    @admin.display(description="final price")
    def final_price_shown(self, package: CreditPackage) -> str:
        """What is charged, once the package is saved."""
        return f"{package.final_price} {package.currency}" if package.pk else "Computed from price and discount"


@admin.register(CreditCostConfig)
class CreditCostConfigAdmin(ConsoleAdmin):
    """What operations cost in credits. An operation keeps its name, by which it is charged."""

    form = CreditCostForm
    list_display = ("display_name", "operation_type", "credits_per_unit", "unit", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("display_name", "operation_type")
    event_noun, tells_values = "credit_cost", True

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The name of an operation is chosen once."""
        return ("operation_type",) if obj else ()


@admin.register(CreditTransaction)
class CreditTransactionAdmin(LogAdmin):
    """The credit ledger, newest first."""

    list_display = ("id", "created", "account", "type_shown", "amount_shown", "balance_after", "description", "source")
    list_filter = (("transaction_type", ChoicesDropdownFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "source__startswith")
    search_help_text = "Account, or what the credits are for, for example payment:12"
    fields = (
        "account", "type_shown", "amount_shown", "balance_after", "description", "source", "created", "metadata_shown"
    )  # fmt: skip

    created = moment("created_at")
    type_shown = badge("transaction_type", TRANSACTION_TONES)
    metadata_shown = json_block("metadata")

    @admin.display(description="amount", ordering="amount")
    def amount_shown(self, entry: CreditTransaction) -> str:
        """Credits with their sign."""
        return label(f"{entry.amount:+,d}", "success" if entry.amount > 0 else "")


@admin.register(CreditGrant)
class CreditGrantAdmin(LogAdmin):
    """Grants of credits with what is left of them."""

    list_display = ("id", "created", "account", "kind_shown", "amount", "remaining", "expires", "source")
    list_filter = (("kind", ChoicesDropdownFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "source__startswith")
    search_help_text = "Account, or what the credits were granted for, for example payment:12"
    fields = ("account", "kind_shown", "source", "amount", "remaining", "expires", "created")

    created = moment("created_at")
    expires = moment("expires_at")
    kind_shown = badge("kind", GRANT_TONES)


@admin.register(CreditUsageLog)
class CreditUsageLogAdmin(LogAdmin):
    """What credits were spent on."""

    list_display = ("id", "created", "account", "operation_type", "credits", "site", "user")
    list_filter = (("operation_type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "site", "user")
    search_fields = ("account__name", "operation_type__startswith")
    search_help_text = "Account or operation"
    fields = ("account", "operation_type", "credits", "site", "user", "created", "metadata_shown")

    created = moment("created_at")
    metadata_shown = json_block("metadata")


@admin.register(CreditUsageSum)
class CreditUsageSumAdmin(LogAdmin):
    """The usage log per quarter of an hour, from which analytics are made."""

    list_display = ("id", "quarter_shown", "account", "operation_type", "credits", "operations")
    list_filter = (("operation_type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "operation_type__startswith")
    search_help_text = "Account or operation"
    fields = ("account", "quarter_shown", "operation_type", "credits", "operations")

    quarter_shown = moment("quarter", "quarter of an hour")


@admin.register(UsageSumMark)
class UsageSumMarkAdmin(LogAdmin):
    """Up to when the usage log is summed."""

    list_display = ("id", "up_to")
    search_fields = ("id__exact",)
    fields = ("up_to",)

    up_to = moment("summed_up_to")
