"""Console pages of login sessions."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.auth.models import LoginSession
from igny8_core.console.columns import moment
from igny8_core.console.pages import LogAdmin


@admin.register(LoginSession)
class LoginSessionAdmin(LogAdmin):
    """Login sessions of the API, one per login on a device. Their tokens are not shown."""

    list_display = ("id", "user", "created", "expires", "ended", "ended_reason")
    list_filter = (("user", AutocompleteSelectFilter),)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "Search by e-mail address of the user"
    fields = ("user", "created", "expires", "ended", "ended_reason")

    created = moment("created_at")
    expires = moment("expires_at")
    ended = moment("ended_at")
