"""Console pages of credit grants."""

from django.contrib import admin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from igny8_core.business.billing.models import (
    CreditGrant,
    CreditGrantKind,
)
from igny8_core.console.columns import badge, moment
from igny8_core.console.pages import LogAdmin

GRANT_TONES = {CreditGrantKind.PLAN: "info", CreditGrantKind.PURCHASE: "success"}


@admin.register(CreditGrant)
class CreditGrantAdmin(LogAdmin):
    """Grants of credits, with what remains of each."""

    list_display = ("id", "created", "account", "kind_shown", "amount", "remaining", "expires", "source")
    list_filter = (("kind", ChoicesDropdownFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account",)
    search_fields = ("account__name", "source__startswith")
    search_help_text = "Search by account or source, such as payment:12"
    fields = ("account", "kind_shown", "source", "amount", "remaining", "expires", "created")

    created = moment("created_at")
    expires = moment("expires_at")
    kind_shown = badge("kind", GRANT_TONES)
