"""Console pages of changes of price for customers who already have a plan."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter
from unfold.decorators import action as page_action
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from igny8_core.auth.models import Plan
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.selectors import public_plans
from igny8_core.business.billing.models import PlanPriceChange, PriceChangeNotice
from igny8_core.business.billing.serializers import PriceChangeInput
from igny8_core.business.billing.services.renewals.price_changes import change_price, withdraw_price_change
from igny8_core.common import clock
from igny8_core.common.errors import DomainError
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import moment, money
from igny8_core.console.dialogs import ConfirmDialog, decided
from igny8_core.console.pages import ReadOnlyAdmin


class PriceChangeDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """The dialog to order another price."""

    rules = PriceChangeInput
    plan_slug = forms.ChoiceField(label="Plan", widget=UnfoldAdminSelectWidget(), choices=lambda: _plans())
    price = forms.CharField(label="New price", widget=UnfoldAdminTextInputWidget(), help_text="In the plan's currency")
    effective_on = forms.CharField(
        label="From",
        widget=UnfoldAdminSingleDateWidget(),
        help_text="YYYY-MM-DD. Periods that begin on this day (UTC) or later have the new price.",
    )
    notice_days = forms.IntegerField(
        label="Days of notice",
        initial=lambda: settings.PRICE_CHANGE_NOTICE_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="How many days before that customers are told",
    )
    field_order = ("plan_slug", "price", "effective_on", "notice_days")


def _plans() -> list[tuple[str, str]]:
    plans = public_plans()
    return [(plan.slug, f"{plan.name}, {amount_text(plan.price, plan.currency)}") for plan in plans if not plan.is_free]


@admin.register(PlanPriceChange)
class PlanPriceChangeAdmin(ReadOnlyAdmin):
    """Changes of price for renewals. New orders cost what the plan says; edit the plan for these."""

    list_display = (
        "id",
        "plan",
        "price_shown",
        "billing_cycle",
        "effective_on",
        "notice_days",
        "created_by",
        "created",
        "withdrawn",
    )
    list_filter = (("plan", RelatedDropdownFilter),)
    list_select_related = ("plan", "created_by")
    search_fields = ("plan__name", "plan__slug")
    search_help_text = "Search by plan"
    actions_list = ("order",)
    actions_detail = ("withdraw",)
    fieldsets = (
        (None, {"fields": (("plan", "price_shown"), ("billing_cycle", "currency"), ("effective_on", "notice_days"))}),
        ("Order", {"fields": (("created_by", "created"), ("withdrawn_by", "withdrawn"))}),
    )

    price_shown = money("price")
    created = moment("created_at")
    withdrawn = moment("withdrawn_at")

    def has_withdraw_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see changes of price and withdraw them."""
        return self.has_view_permission(request) and request.user.has_perm("billing.withdraw_planpricechange")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The button, before the change's day and while it was not withdrawn."""
        waits = PlanPriceChange.objects.filter(pk=object_id, withdrawn_at=None, effective_on__gt=clock.today())
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return buttons if waits.exists() else []

    @page_action(  # type: ignore[untyped-decorator]
        description="Withdraw",
        permissions=["withdraw"],
        icon="undo",
        dialog={
            "title": "Withdraw this change of price",
            "description": "Possible until the first period at this price is invoiced. Everybody who was told of the "
            "change is told by e-mail that it does not come.",
            "form_class": ConfirmDialog,
            "form_submit_text": "Withdraw",
        },
    )
    def withdraw(self, request: HttpRequest, form: ConfirmDialog, object_id: str) -> HttpResponse:
        """Withdraw the change of the page."""

        def withdraw() -> str:
            told = withdraw_price_change(PlanPriceChange.objects.get(pk=object_id), operator_of(request))
            return f"Withdrawn. Customers who are told: {told}."

        return decided(request, "billing_planpricechange", object_id, withdraw)

    def has_order_permission(self, request: HttpRequest) -> bool:
        """Operators who may see changes of price and add one."""
        return self.has_view_permission(request) and request.user.has_perm("billing.add_planpricechange")

    @page_action(  # type: ignore[untyped-decorator]
        description="Change a price",
        permissions=["order"],
        icon="price_change",
        dialog={
            "title": "Change the price for customers who have a plan",
            "description": "Each customer is told by e-mail, and pays the new price from the first period that begins "
            "on the day or later and after the notice. What is invoiced already keeps its price. New orders cost what "
            "the plan says: edit the plan too.",
            "form_class": PriceChangeDialog,
            "form_submit_text": "Change price",
        },
    )
    def order(self, request: HttpRequest, form: PriceChangeDialog) -> HttpResponse:
        """Order the change of the dialog."""
        inputs: dict[str, Any] = form.cleaned_data
        try:
            change = change_price(
                Plan.objects.get(slug=inputs["plan_slug"]),
                inputs["price"],
                inputs["effective_on"],
                inputs["notice_days"],
                operator_of(request),
            )
        except DomainError as refusal:
            wrong = [text for texts in (refusal.errors or {}).values() for text in texts]
            messages.warning(request, " ".join(wrong) or refusal.text)
        else:
            messages.success(request, f"Ordered: {change}. Customers are told within minutes.")
        address = reverse("admin:billing_planpricechange_changelist")
        # A script sends dialogs and would put a redirect's page into the dialog.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)


@admin.register(PriceChangeNotice)
class PriceChangeNoticeAdmin(ReadOnlyAdmin):
    """Who was told of which change of price, and from when it holds for them."""

    list_display = ("id", "account", "subscription", "price_change", "applies", "applied", "told")
    list_filter = (("account", AutocompleteSelectFilter),)
    list_select_related = ("account", "subscription__plan", "price_change__plan")
    search_fields = ("account__name",)
    search_help_text = "Search by account"
    fieldsets = ((None, {"fields": (("account", "subscription"), "price_change", ("applies", "applied"), "told")}),)

    applies = moment("applies_from", "applies from")
    applied = moment("applied_at")
    told = moment("created_at", "told")
