"""Console pages of team invitations."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from igny8_core.auth.models import TeamInvitation
from igny8_core.console.columns import moment
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(TeamInvitation)
class TeamInvitationAdmin(ReadOnlyAdmin):
    """Open and past invitations. Their tokens are not shown, not even as hashes."""

    list_display = ("id", "email", "account", "role", "invited_by", "expires", "accepted", "canceled")
    list_filter = (("role", ChoicesDropdownFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "invited_by")
    search_fields = ("email", "account__name")
    search_help_text = "Search by e-mail address or account"
    fields = ("email", "account", "role", "sites", "invited_by", "expires", "accepted", "canceled", "created")

    expires = moment("expires_at")
    accepted = moment("accepted_at")
    canceled = moment("canceled_at")
    created = moment("created_at")
