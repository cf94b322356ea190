"""Console pages of sites."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RelatedDropdownFilter

from igny8_core.auth.models import Site, SiteStatus
from igny8_core.console.columns import badge, moment
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    """Web sites of the accounts."""

    list_display = ("id", "name", "account", "domain", "industry", "status_shown", "created")
    list_display_links = ("id", "name")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("industry", RelatedDropdownFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account", "industry")
    search_fields = ("name", "slug", "domain", "account__name")
    search_help_text = "Search by name, slug, domain or account"
    fields = ("name", "slug", "account", "domain", "industry", "status_shown", "created")

    status_shown = badge("status", {SiteStatus.ACTIVE: "success"})
    created = moment("created_at")
