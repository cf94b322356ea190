"""Console pages of industries."""

from django.contrib import admin
from unfold.contrib.filters.admin import BooleanRadioFilter

from igny8_core.auth.admin.industry_serializers import IndustryInput
from igny8_core.auth.models import Industry
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.pages import ConsoleAdmin, ModelForm


class IndustryForm(StrictForm, ModelForm):
    """An industry, validated by IndustryInput."""

    rules = IndustryInput


@admin.register(Industry)
class IndustryAdmin(ConsoleAdmin):
    """Industries that customers choose from for a site."""

    form = IndustryForm
    list_display = ("name", "slug", "is_active")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name", "slug")
    search_help_text = "Search by name or slug"
    prepopulated_fields = {"slug": ("name",)}
    tells_values = True
    fieldsets = (
        (
            None,
            {
                "description": "Another name is shown at once on all sites of the industry. An industry that is "
                "switched off is not offered for new sites; those that have it keep it.",
                "fields": ("name", "slug", "is_active"),
            },
        ),
    )
