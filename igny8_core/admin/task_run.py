"""Console pages of the last runs of scheduled tasks."""

from django.contrib import admin

from igny8_core.console.columns import moment
from igny8_core.console.pages import ReadOnlyAdmin
from igny8_core.events.models import TaskRun


@admin.register(TaskRun)
class TaskRunAdmin(ReadOnlyAdmin):
    """When each scheduled task last ended, and how."""

    list_display = ("task", "ended", "succeeded", "has_failed", "seconds", "count")
    search_fields = ("task__startswith",)
    search_help_text = "Search by the beginning of the task's name"
    ordering = ("task",)
    fields = ("task", "ended", "succeeded", "has_failed", "seconds", "count")

    ended = moment("ended_at")
    succeeded = moment("succeeded_at")
