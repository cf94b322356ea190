"""Console pages of users."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from igny8_core.auth.errors import LastOwner
from igny8_core.auth.models import Role, User
from igny8_core.auth.password_rules import MaximumLengthValidator
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.serializers import PersonInput
from igny8_core.auth.services.memberships import follow_edit, require_owner_stays
from igny8_core.auth.services.users import address_replaced
from igny8_core.common.strict_forms import StrictForm
from igny8_core.common.text import normalized_password
from igny8_core.console.columns import badge, moment
from igny8_core.console.pages import ConsoleAdmin

if TYPE_CHECKING:
    from django.contrib.auth import admin as auth_admin

    DjangoUserAdmin = auth_admin.UserAdmin[User]
else:
    from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

POWERS = ("is_staff", "is_superuser", "groups")
ROLE_TONES = {Role.OWNER: "success", Role.ADMIN: "info"}


class NewUserForm(StrictForm, UserCreationForm):  # type: ignore[misc]
    """A new user: e-mail address and a password that the password rules accept."""

    rules = PersonInput

    class Meta:
        model = User
        fields = ("email",)

    def set_password_and_save(self, user: User, **options: Any) -> User:
        """UserAdmin.add_view sets the password; this sets an unusable one for a user without a password."""
        if self.cleaned_data.get("set_usable_password", True):
            return user
        unusable: User = super().set_password_and_save(user, **options)
        return unusable


class UserForm(StrictForm, UserChangeForm):  # type: ignore[misc]
    """Changes a user. The account must keep an active owner."""

    rules = PersonInput

    class Meta:
        model = User
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        """Refuses a change that leaves the account without an active owner, or a member without a role."""
        super().clean()
        saved: User = self.instance
        new = {name: self.cleaned_data.get(name, getattr(saved, name)) for name in ("account", "role", "is_active")}
        if bool(new["account"]) != bool(new["role"]):
            self.add_error("role", "Choose a role for a user with an account, and no role for a user without one.")
        try:
            require_owner_stays(saved, role=new["role"], is_active=new["is_active"])
        except LastOwner as refusal:
            raise ValidationError(refusal.text) from refusal
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConsoleAdmin):
    """Users. They are deactivated, never deleted, because the log of what they did keeps their name."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("id", "email", "full_name", "account", "role_shown", "is_active", "is_staff", "joined")
    list_display_links = ("id", "email")
    list_filter = (
        ("role", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
        ("is_staff", BooleanRadioFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("account",)
    search_fields = ("email", "first_name", "last_name", "account__name")
    search_help_text = "Search by e-mail address, name or account"
    ordering = ("-id",)
    autocomplete_fields = ("account", "groups")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "password", ("first_name", "last_name"))}),
        (
            "Account",
            {
                "description": "The account cannot be changed later. To join another account, a person needs another "
                "e-mail address.",
                "fields": (("account", "role"), "is_active"),
            },
        ),
        (
            "Operator",
            {"description": "Groups say what an operator may do.", "fields": (*POWERS,)},
        ),
        ("Times", {"fields": (("verified", "joined"), ("terms_version", "agreed"), "last_seen")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "usable_password", "password1", "password2")}),
        ("Account", {"fields": (("account", "role"),)}),
    )

    role_shown = badge("role", ROLE_TONES)
    joined = moment("date_joined", "joined")
    agreed = moment("terms_accepted_at", "agreed to the terms")
    verified = moment("email_verified_at", "e-mail address verified")
    last_seen = moment("last_login", "last login to the console")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: users are deactivated instead."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Operators with the permission. Operators themselves are changed by superusers alone.

        Otherwise an operator could reset the password of a more powerful one. Nobody changes the users of a deleted
        account.
        """
        if obj and obj.account and obj.account.deleted_at:
            return False
        if obj and (obj.is_staff or obj.is_superuser) and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Superusers alone give operators their rights. The account is chosen once."""
        powers = () if request.user.is_superuser else POWERS
        chosen = ("account",) if obj and obj.account_id else ()
        return ("joined", "last_seen", "verified", "terms_version", "agreed", *powers, *chosen)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add a user. The password is hashed here, outside the transaction that Django opens for the rest."""
        password = request.POST.get("password1", "")
        if self.has_add_permission(request) and 0 < len(password) <= MaximumLengthValidator.max_length:
            request.password_hash = make_password(normalized_password(password))  # type: ignore[attr-defined]
        return super().add_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the user, then what depends on it: whether the address is verified, the account's owner, site access."""
        if not change and not obj.password:
            obj.password = request.password_hash  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data:
            address_replaced(obj, form.initial["email"])
        follow_edit(obj, operator_of(request))
