"""Console pages of members' access to sites."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.auth.models import SiteUserAccess
from igny8_core.console.columns import moment
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(SiteUserAccess)
class SiteUserAccessAdmin(ReadOnlyAdmin):
    """Members' access to sites."""

    list_display = ("id", "user", "site", "granted_by", "created")
    list_filter = (("site", AutocompleteSelectFilter), ("user", AutocompleteSelectFilter))
    list_select_related = ("user", "site", "granted_by")
    search_fields = ("user__email", "site__name")
    search_help_text = "Search by e-mail address of the member, or by site"
    ordering = ("-id",)
    fields = ("user", "site", "granted_by", "created")

    created = moment("created_at")
