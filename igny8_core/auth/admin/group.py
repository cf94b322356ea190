"""Console pages of the groups of permissions that operators have."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from igny8_core.auth.admin.group_serializers import GroupInput
from igny8_core.auth.models import User
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.pages import ConsoleAdmin, ModelForm

admin.site.unregister(Group)


class GroupForm(StrictForm, ModelForm):
    """A group as GroupInput takes it."""

    rules = GroupInput


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ConsoleAdmin):
    """Permissions of operators. Who may change a group could give themselves everything: superusers only."""

    form = GroupForm
    tells_values = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser
