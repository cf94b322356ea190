"""Console pages of operators' notes, and of their looks at customers' pages."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.auth.models import AccountNote, CustomerLogin
from igny8_core.console.columns import EMPTY, moment
from igny8_core.console.pages import LogAdmin


@admin.register(AccountNote)
class AccountNoteAdmin(LogAdmin):
    """What operators wrote down about accounts. It is added on the account's page, and never changed."""

    list_display = ("id", "written", "account", "author", "text")
    list_filter = (("account", AutocompleteSelectFilter), ("author", AutocompleteSelectFilter))
    list_select_related = ("account", "author")
    search_fields = ("account__name", "text")
    search_help_text = "Search by account or text"
    fields = ("account", "author", "written", "text")

    written = moment("created_at", "written")


@admin.register(CustomerLogin)
class CustomerLoginAdmin(LogAdmin):
    """Operators who looked at the pages as a customer sees them: who, as whom, why, and until when."""

    list_display = ("id", "began", "operator", "account", "person", "reason", "ends", "ended")
    list_filter = (("account", AutocompleteSelectFilter), ("operator", AutocompleteSelectFilter))
    list_select_related = ("account", "person", "operator")
    search_fields = ("account__name", "operator__email", "reason")
    search_help_text = "Search by account, operator or reason"
    fields = (("account", "person"), ("operator", "reason"), ("began", "ends"), ("ended", "how"))

    began = moment("began_at")
    ends = moment("ends_at", "ends by itself")
    ended = moment("ended_at", "was ended")

    @admin.display(description="how it ended")
    def how(self, login: CustomerLogin) -> str:
        """By its button, by logging out, or empty."""
        return login.get_ended_how_display() or EMPTY
