"""Console pages of credit usage: the log and its sums."""

from django.contrib import admin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    FieldTextFilter,
)

from igny8_core.business.billing.models import (
    CreditUsageHour,
    CreditUsageLog,
    CreditUsageSum,
    UsageHourMark,
    UsageSumMark,
)
from igny8_core.console.columns import json_block, moment
from igny8_core.console.pages import LogAdmin


@admin.register(CreditUsageLog)
class CreditUsageLogAdmin(LogAdmin):
    """What credits were spent on."""

    list_display = ("id", "created", "account", "operation_type", "credits", "site", "user")
    list_filter = (("operation_type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "site", "user")
    search_fields = ("account__name", "operation_type__startswith")
    search_help_text = "Search by account or operation"
    fields = ("account", "operation_type", "credits", "site", "user", "created", "metadata_shown")

    created = moment("created_at")
    metadata_shown = json_block("metadata")


@admin.register(CreditUsageSum)
class CreditUsageSumAdmin(LogAdmin):
    """Sums of the usage log per quarter of an hour, for analytics."""

    list_display = ("id", "quarter_shown", "account", "operation_type", "credits", "operations")
    list_filter = (("operation_type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "operation_type__startswith")
    search_help_text = "Search by account or operation"
    fields = ("account", "quarter_shown", "operation_type", "credits", "operations")

    quarter_shown = moment("quarter", "quarter of an hour")


@admin.register(UsageSumMark)
class UsageSumMarkAdmin(LogAdmin):
    """The time up to which the usage log has been summed per quarter of an hour."""

    list_display = ("id", "up_to")
    search_fields = ("id__exact",)
    fields = ("up_to",)

    up_to = moment("summed_up_to")


@admin.register(CreditUsageHour)
class CreditUsageHourAdmin(LogAdmin):
    """Sums of the usage log per hour, for analytics."""

    list_display = ("id", "hour_shown", "account", "operation_type", "credits", "operations")
    list_filter = (("operation_type", FieldTextFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "operation_type__startswith")
    search_help_text = "Search by account or operation"
    fields = ("account", "hour_shown", "operation_type", "credits", "operations")

    hour_shown = moment("hour")


@admin.register(UsageHourMark)
class UsageHourMarkAdmin(UsageSumMarkAdmin):
    """The time up to which the usage log has been summed per hour."""
