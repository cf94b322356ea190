"""Console pages of stored answers to requests with an Idempotency-Key."""

from django.contrib import admin

from igny8_core.common.models import IdempotentAnswer
from igny8_core.console.columns import moment
from igny8_core.console.pages import LogAdmin


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(LogAdmin):
    """Answers stored for repeated requests. Their content is not shown, because it belongs to the customer."""

    list_display = ("key", "caller", "status", "created")
    search_fields = ("key__startswith", "caller__exact")
    search_help_text = "Search by the beginning of the key, or by caller"
    fields = ("key", "caller", "status", "created")

    created = moment("created_at")
