"""Console pages of the default rows that were created once."""

from django.contrib import admin

from igny8_core.business.billing.models import MadeDefault
from igny8_core.console.pages import LogAdmin


@admin.register(MadeDefault)
class MadeDefaultAdmin(LogAdmin):
    """Default rows that were created once, and are not created again if they are deleted."""

    list_display = ("id", "kind", "key")
    search_fields = ("kind", "key")
    search_help_text = "Search by table or row"
    fields = ("kind", "key")
