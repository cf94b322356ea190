"""Console pages of operator groups, which give operators their permissions."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from igny8_core.auth.admin.group_serializers import GroupInput
from igny8_core.auth.confirming import require_confirmed_operator
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

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        """Save the group, of a superuser who has shown who they are."""
        require_confirmed_operator(request)
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return bool(request.user.is_superuser)
