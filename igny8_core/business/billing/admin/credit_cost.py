"""Console pages of credit costs: what operations cost in credits."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    BooleanRadioFilter,
)

from igny8_core.business.billing.models import (
    CreditCostConfig,
)
from igny8_core.business.billing.serializers import CreditCostInput
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.pages import ConsoleAdmin, ModelForm


class CreditCostForm(StrictForm, ModelForm):
    """The cost of an operation, validated by CreditCostInput."""

    rules = CreditCostInput


@admin.register(CreditCostConfig)
class CreditCostConfigAdmin(ConsoleAdmin):
    """What operations cost in credits. The code of an operation does not change, because programs charge by it."""

    form = CreditCostForm
    list_display = ("display_name", "operation_type", "credits_per_unit", "unit", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("display_name", "operation_type")
    search_help_text = "Search by operation or code"
    event_noun, tells_values = "credit_cost", True
    fieldsets = (
        (
            None,
            {
                "description": "What you change here is charged from the next operation on, to all customers. What "
                "was charged before stays. An operation that is switched off is refused.",
                "fields": (("display_name", "operation_type"), ("credits_per_unit", "unit"), "is_active"),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """The code of an operation is chosen once."""
        return ("operation_type",) if obj else ()
