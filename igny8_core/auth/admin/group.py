"""Console pages of operator groups, which give operators their permissions."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from igny8_core.auth.admin.group_serializers import GroupInput
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.pages import ConsoleAdmin, ModelForm

admin.site.unregister(Group)


class GroupForm(StrictForm, ModelForm):
    """A group, validated by GroupInput."""

    rules = GroupInput


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ConsoleAdmin):
    """Operator groups. Whoever changes a group could give themselves every permission, so superusers alone may."""

    form = GroupForm
    tells_values = True
    list_title = "Operator groups"
    search_help_text = "Search by name"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)
