"""Console pages of what protects logins and trials. Everything in them is hashed, so that no address is stored."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from igny8_core.auth.models import KnownPlace, LoginFailure, TrialTaken
from igny8_core.console.columns import moment
from igny8_core.console.pages import LogAdmin


@admin.register(LoginFailure)
class LoginFailureAdmin(LogAdmin):
    """Wrong passwords in a row for one address from one place. A mailed link for a new password ends them."""

    list_display = ("mark", "failures", "last")
    search_fields = ("mark__startswith",)
    search_help_text = "Search by the beginning of the hash"
    ordering = ("-last_at",)
    fields = ("mark", "address", "failures", "last")

    last = moment("last_at")


@admin.register(KnownPlace)
class KnownPlaceAdmin(LogAdmin):
    """Networks and browsers from which people have logged in."""

    list_display = ("mark", "user", "seen")
    list_filter = (("user", AutocompleteSelectFilter),)
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "Search by e-mail address of the user"
    ordering = ("-seen_at",)
    fields = ("mark", "user", "seen")

    seen = moment("seen_at")


@admin.register(TrialTaken)
class TrialTakenAdmin(LogAdmin):
    """Mailboxes whose trial was given, each once and for good."""

    list_display = ("mark", "taken")
    search_fields = ("mark__startswith",)
    search_help_text = "Search by the beginning of the hash"
    ordering = ("-taken_at",)
    fields = ("mark", "taken")

    taken = moment("taken_at")
