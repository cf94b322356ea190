"""Console pages of users."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action as page_action
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.errors import LastOwner
from igny8_core.auth.models import Role, User
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.serializers import PersonInput
from igny8_core.auth.services.memberships import follow_edit, require_owner_stays
from igny8_core.auth.services.second_factor import reset_second_factor
from igny8_core.auth.services.users import address_replaced, hash_nobody_knows, request_password_reset
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import badge, moment
from igny8_core.console.dialogs import ConfirmDialog, back_to, decided, row_id
from igny8_core.console.pages import ConsoleAdmin, ModelForm

if TYPE_CHECKING:
    from django.contrib.auth import admin as auth_admin

    DjangoUserAdmin = auth_admin.UserAdmin[User]
else:
    from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

POWERS = ("is_staff", "is_superuser", "groups")
# Who changes one of these could become somebody else.
CONFIRMED = frozenset({"email", *POWERS})
PASSWORDS_BY_LINK = "Customers choose their passwords themselves. Press “Mail a link” to let them choose a new one."
ROLE_TONES = {Role.OWNER: "success", Role.ADMIN: "info"}


class NewUserForm(StrictForm, ModelForm):
    """A new login, of nobody's account: e-mail address and name."""

    rules = PersonInput

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")


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
        new = {name: self.cleaned_data.get(name, getattr(saved, name)) for name in ("role", "is_active")}
        if bool(saved.account_id) != bool(new["role"]):
            self.add_error("role", "Choose a role for a user with an account, and no role for a user without one.")
        try:
            require_owner_stays(saved, role=new["role"], is_active=new["is_active"])
        except LastOwner as refusal:
            raise ValidationError(refusal.text) from refusal
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConsoleAdmin):  # type: ignore[misc] # Both say lookup_allowed, in two ways.
    """Users. They are deactivated, never deleted, because the log of what they did keeps their name.

    Nobody is put into an account here: members come by invitation. Nobody learns a customer's password: who needs a new
    one gets a link by mail (AUT-31).
    """

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
    autocomplete_fields = ("groups",)
    filter_horizontal = ()
    actions_detail = ("mail_link", "reset_factor")
    fieldsets = (
        (None, {"fields": ("email", "password_shown", ("first_name", "last_name"))}),
        (
            "Account",
            {
                "description": "People join an account when they accept the invitation of its owner or an admin.",
                "fields": (("account", "role"), "is_active"),
            },
        ),
        (
            "Operator",
            {"description": "Groups say what an operator may do.", "fields": (*POWERS,)},
        ),
        ("Login", {"fields": (("factor", "last_seen"), ("verified", "joined"), ("terms_version", "agreed"))}),
    )
    add_fieldsets = (
        (
            None,
            {
                "description": "For a new operator. The person gets a link by e-mail to choose a password. Customers "
                "sign up, or are invited by their team.",
                "fields": ("email", ("first_name", "last_name")),
            },
        ),
    )

    role_shown = badge("role", ROLE_TONES)
    joined = moment("date_joined", "joined")
    agreed = moment("terms_accepted_at", "agreed to the terms")
    verified = moment("email_verified_at", "e-mail address verified")
    last_seen = moment("last_login", "last login to the console")
    factor = moment("second_factor_since", "second factor on since")

    @admin.display(description="password")
    def password_shown(self, person: User) -> str:
        """How the password can be changed. What is stored of it is shown to nobody."""
        if not person.has_usable_password():
            return "None: the person cannot log in"
        if not _is_set_here(person):
            return "Chosen by the person. “Mail a link” lets them choose a new one"
        return format_html('Set. <a class="text-link" href="../password/">{}</a>', "Set another one")

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

    def has_reset_factor_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see users and take a second factor away."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.reset_second_factor")

    def has_mail_link_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see and change users."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.change_user")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons. A second factor is taken away where there is one, and not one's own."""
        others = User.objects.filter(pk=row_id(object_id)).exclude(pk=operator_of(request).pk)
        has_one = others.filter(second_factor_since__isnull=False).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if has_one or not button.action_name.endswith("reset_factor")]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Superusers alone give operators their rights, and nobody gives themselves or their team a role."""
        powers = () if request.user.is_superuser else POWERS
        own = operator_of(request).account_id
        role = ("role",) if obj and own and obj.account_id == own else ()
        times = ("joined", "last_seen", "verified", "factor", "terms_version", "agreed")
        return (*times, "password_shown", "account", *role, *powers)

    def user_change_password(  # Django names it `id`.
        self,
        request: HttpRequest,
        id: str,  # noqa: A002
        form_url: str = "",
    ) -> HttpResponse:
        """Set the password of an operator, by a superuser. Everybody else chooses theirs with a mailed link."""
        person = self.get_object(request, unquote(id))
        if person and self.has_change_permission(request, person):
            if not _is_set_here(person):
                messages.warning(request, PASSWORDS_BY_LINK)
                return back_to(request, "igny8_auth_user", str(person.pk))
            if request.method == "POST":
                require_confirmed_operator(request)
        return super().user_change_password(request, id, form_url)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add a user. A password is hashed here, outside the transaction that Django opens for the rest."""
        if request.method == "POST" and self.has_add_permission(request):
            request.password_hash = hash_nobody_knows()  # type: ignore[attr-defined]
        return super().add_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the user, then what depends on it: whether the address is verified, the account's owner, site access."""
        if not change or CONFIRMED & {*form.changed_data}:
            require_confirmed_operator(request)
        if not change:
            obj.password = request.password_hash  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        if not change:
            request_password_reset(obj.email)
        elif "email" in form.changed_data:
            address_replaced(obj, form.initial["email"])
        follow_edit(obj, operator_of(request))

    @page_action(  # type: ignore[untyped-decorator]
        description="Mail a link",
        permissions=["mail_link"],
        url_path="mail-link",
        icon="mail",
        dialog={
            "title": "Mail this person a link to choose a new password",
            "description": "It goes to the e-mail address of the login, and works once, for 60 minutes.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Mail the link",
        },
    )
    def mail_link(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Mail the person of the page a link to choose a new password."""

        def mailed() -> str:
            person = User.objects.get(pk=row_id(object_id))
            request_password_reset(person.email)
            return f"A link is on its way to {person.email}, if the login is active and has a password."

        return decided(request, "igny8_auth_user", object_id, mailed)

    @page_action(  # type: ignore[untyped-decorator]
        description="Take the second factor away",
        permissions=["reset_factor"],
        url_path="reset-second-factor",
        icon="phonelink_erase",
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Take this person's second factor away",
            "description": "For somebody who has lost the device and the recovery codes. Be sure that it is them: "
            "whoever has the password can log in then. They are logged out everywhere, and told by e-mail.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Take it away",
        },
    )
    def reset_factor(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Take the second factor off the person of the page."""
        require_confirmed_operator(request)

        def taken() -> str:
            reset_second_factor(User.objects.get(pk=row_id(object_id)), operator_of(request))
            return "The second factor is off. The person was told by e-mail."

        return decided(request, "igny8_auth_user", object_id, taken)


def _is_set_here(person: User) -> bool:
    """Whether a superuser may set this person's password: an operator's, who is no customer as well."""
    return person.is_staff and person.account_id is None
