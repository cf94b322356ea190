"""Console pages of second factors and recovery codes. Secrets are not shown, not even sealed."""

from django.contrib import admin

from igny8_core.auth.models import RecoveryCode, SecondFactor
from igny8_core.console.columns import moment, time_text
from igny8_core.console.pages import ReadOnlyAdmin


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnlyAdmin):
    """Who has a second factor, or has begun to set one up. It is taken away on the page of the user."""

    list_display = ("user", "since", "updated")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "Search by e-mail address of the user"
    ordering = ("-user_id",)
    fields = ("user", "since", "updated")

    updated = moment("updated_at")

    @admin.display(description="on since")
    def since(self, factor: SecondFactor) -> str:
        """Since when it is asked for."""
        return time_text(factor.user.second_factor_since)


@admin.register(RecoveryCode)
class RecoveryCodeAdmin(ReadOnlyAdmin):
    """Recovery codes: when they were made and used."""

    list_display = ("id", "user", "created", "used")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    search_help_text = "Search by e-mail address of the user"
    ordering = ("-id",)
    fields = ("user", "created", "used")

    created = moment("created_at")
    used = moment("used_at")
