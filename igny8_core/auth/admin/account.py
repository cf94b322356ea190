"""Console pages of accounts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Field, Model
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelect2Widget

from igny8_core.auth.models import Account, AccountStatus
from igny8_core.auth.serializers import AccountInput
from igny8_core.common.api.fields import time_zones
from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.strict_forms import StrictForm
from igny8_core.common.tax_ids import why_not_tax_id
from igny8_core.console.columns import badge, moment
from igny8_core.console.pages import ConsoleAdmin, ModelForm

ACCOUNT_TONES = {
    AccountStatus.TRIAL: "info",
    AccountStatus.PENDING_PAYMENT: "warning",
    AccountStatus.ACTIVE: "success",
    AccountStatus.PAST_DUE: "danger",
    AccountStatus.SUSPENDED: "danger",
}
COUNTRIES = [("", "–"), *((code, f"{name} ({code})") for code, name in COUNTRY_NAMES.items())]


class AccountForm(StrictForm, ModelForm):
    """An account's details as AccountInput takes them; a tax number is looked at when it or the country is another."""

    rules = AccountInput

    def clean(self) -> dict[str, Any] | None:
        """What was sent. A tax number that was taken before is no reason to refuse another correction."""
        sent = super().clean()
        if sent and {"tax_id", "billing_country"} & set(self.changed_data):
            refusal = why_not_tax_id(sent.get("tax_id", ""), sent.get("billing_country", ""))
            if refusal:
                self.add_error("tax_id", refusal)
        return sent


@admin.register(Account)
class AccountAdmin(ConsoleAdmin):
    """Tenants. Contact and billing details can be corrected; plan, status and credits change by what is paid."""

    form = AccountForm
    list_display = ("id", "name", "owner", "plan", "status_shown", "credits", "billing_country", "created")
    list_display_links = ("id", "name")
    list_filter = (("status", ChoicesDropdownFilter), ("plan", RelatedDropdownFilter))
    list_select_related = ("owner", "plan")
    search_fields = ("name", "slug", "owner__email", "billing_email")
    search_help_text = "Name, slug, owner's or billing e-mail address"
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
                "description": "Invoices keep the details that they were made with; a change counts for the next one.",
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

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Who may change accounts; nobody those that their owner deleted."""
        if obj and obj.deleted_at:
            return False
        return super().has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: an account comes from signing up."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: its invoices are kept."""
        return False

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Countries and time zones are chosen from the lists of what there is."""
        choices = {
            "billing_country": COUNTRIES,
            "timezone": [(name, name) for name in sorted(time_zones())],
        }.get(db_field.name)
        if choices is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ChoiceField(
            choices=choices,
            required=not db_field.blank,
            initial=db_field.get_default(),
            help_text=db_field.help_text,
            widget=UnfoldAdminSelect2Widget,
        )
