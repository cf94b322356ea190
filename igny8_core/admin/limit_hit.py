"""Console pages of limits hit, and of the notes that the caps of mails count."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AllValuesCheckboxFilter

from igny8_core.common.limit_hits import BEFORE
from igny8_core.common.models import LimitHit, SentMail
from igny8_core.console.columns import moment
from igny8_core.console.pages import LogAdmin


@admin.register(LimitHit)
class LimitHitAdmin(LogAdmin):
    """How often each limit refused something, hour by hour; docs/limits.md says what each of them counts."""

    list_display = ("limit", "hour_shown", "count")
    list_filter = (("limit", AllValuesCheckboxFilter),)
    search_fields = ("limit__startswith",)
    search_help_text = "Search by the beginning of the limit's name"
    ordering = ("-hour", "-count")
    fields = ("limit", "hour_shown", "count")

    hour_shown = moment("hour")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LimitHit]:
        """Without the sums of hours that were forgotten, which are for the metrics."""
        rows: QuerySet[LimitHit] = super().get_queryset(request)
        return rows.exclude(hour=BEFORE)


@admin.register(SentMail)
class SentMailAdmin(LogAdmin):
    """Mails of the last two days, as the caps of mails count them. Recipients are hashes, so that none is stored."""

    list_display = ("message_id", "kind", "account_id", "sent")
    search_fields = ("message_id__startswith",)
    search_help_text = "Search by the beginning of the Message-ID"
    ordering = ("-sent_at",)
    fields = ("message_id", "kind", "account_id", "recipient", "sent")

    sent = moment("sent_at")
