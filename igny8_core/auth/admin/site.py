"""Console pages of sites and of who may work on them."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RelatedDropdownFilter

from igny8_core.auth.models import Site, SiteStatus, SiteUserAccess
from igny8_core.console.base import ReadOnlyAdmin, badge, moment


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
    fields = ("name", "slug", "account", "domain", "industry", "status_shown", "created")

    status_shown = badge("status", {SiteStatus.ACTIVE: "success"})
    created = moment("created_at")


@admin.register(SiteUserAccess)
class SiteUserAccessAdmin(ReadOnlyAdmin):
    """Who may work on which site."""

    list_display = ("id", "user", "site", "granted_by", "created")
    list_filter = (("site", AutocompleteSelectFilter), ("user", AutocompleteSelectFilter))
    list_select_related = ("user", "site", "granted_by")
    search_fields = ("user__email", "site__name")
    ordering = ("-id",)
    fields = ("user", "site", "granted_by", "created")

    created = moment("created_at")
