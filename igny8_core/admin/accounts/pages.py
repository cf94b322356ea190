"""The page of an account: its details, and with them all that belongs to it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field, Model
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelect2Widget

from igny8_core.admin.accounts.actions import ActsOnAccounts
from igny8_core.admin.accounts.blocks import blocks_of
from igny8_core.auth.models import Account, AccountStatus
from igny8_core.auth.serializers import AccountInput
from igny8_core.common.api.fields import time_zones
from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.strict_forms import StrictForm
from igny8_core.common.tax_ids import why_not_tax_id
from igny8_core.console.columns import badge, moment
from igny8_core.console.dialogs import row_id
from igny8_core.console.pages import ModelForm

ACCOUNT_TONES = {
    AccountStatus.TRIAL: "info",
    AccountStatus.PENDING_PAYMENT: "warning",
    AccountStatus.ACTIVE: "success",
    AccountStatus.PAST_DUE: "danger",
    AccountStatus.SUSPENDED: "danger",
}
COUNTRIES = [("", "–"), *((code, f"{name} ({code})") for code, name in COUNTRY_NAMES.items())]


class AccountForm(StrictForm, ModelForm):
    """An account's details, validated by AccountInput. The tax number is checked if it or the country is changed."""

    rules = AccountInput

    def clean(self) -> dict[str, Any] | None:
        """The validated input. An old wrong tax number must not stop an operator from correcting something else."""
        sent = super().clean()
        if sent and {"tax_id", "billing_country"} & set(self.changed_data):
            refusal = why_not_tax_id(sent.get("tax_id", ""), sent.get("billing_country", ""))
            if refusal:
                self.add_error("tax_id", refusal)
        return sent


@admin.register(Account)
class AccountAdmin(ActsOnAccounts):
    """Accounts. Operators correct contact and billing details here; payments change plan, status and credits."""

    form = AccountForm
    change_form_outer_before_template = "admin/igny8_auth/account/blocks.html"
    list_display = ("id", "name", "owner", "plan", "status_shown", "credits", "billing_country", "created")
    list_display_links = ("id", "name")
    list_filter = (("status", ChoicesDropdownFilter), ("plan", RelatedDropdownFilter))
    list_select_related = ("owner", "plan")
    search_fields = ("name", "slug", "owner__email", "billing_email")
    search_help_text = "Search by name, slug, e-mail address of the owner, or billing e-mail address"
    readonly_fields = (
        "slug",
        "owner",
        "plan",
        "status_shown",
        "suspended_reason",
        "credits",
        "stripe_customer_id",
        "created",
        "deleted",
    )
    fieldsets = (
        (None, {"fields": (("name", "slug"), ("owner", "plan"), ("status_shown", "suspended_reason"), "credits")}),
        (
            "Billing",
            {
                "description": "Changes apply to future invoices. Existing invoices keep the details they were issued "
                "with.",
                "fields": (
                    ("billing_email", "tax_id"),
                    ("billing_address_line1", "billing_address_line2"),
                    ("billing_city", "billing_state"),
                    ("billing_postal_code", "billing_country"),
                    "payment_method",
                ),
            },
        ),
        (None, {"fields": ("timezone", ("stripe_customer_id", "created"), "deleted")}),
    )

    status_shown = badge("status", ACCOUNT_TONES)
    created = moment("created_at")
    deleted = moment("deleted_at", "deleted by its owner")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The account's page, with the blocks that this operator may see."""
        account = Account.objects.filter(pk=row_id(object_id)).first()
        seen = account is not None and self.has_view_or_change_permission(request, account)
        shown: dict[str, Any] = {}
        if account and seen:
            shown = {"blocks": blocks_of(account, request), "buttons": self.buttons_of(request, account)}
        return super().change_view(request, object_id, form_url, shown | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """Save what was changed. A billing address that an operator enters needs no confirmation."""
        super().save_model(request, obj, form, change)
        if "billing_email" in form.changed_data:
            obj.confirmed_billing_email = obj.billing_email
            obj.save(update_fields=["confirmed_billing_email"])

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Operators with the permission; nobody may change an account that its owner deleted."""
        if obj and obj.deleted_at:
            return False
        return super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: accounts come from signups."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the account's invoices must be kept."""
        return False

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Shows country and time zone as lists to choose from."""
        choices = {
            "billing_country": COUNTRIES,
            "timezone": [(name, name) for name in sorted(time_zones())],
        }.get(db_field.name)
        if choices is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ChoiceField(
            label=capfirst(str(db_field.verbose_name)),
            choices=choices,
            required=not db_field.blank,
            initial=db_field.get_default(),
            help_text=db_field.help_text,
            widget=UnfoldAdminSelect2Widget,
        )
