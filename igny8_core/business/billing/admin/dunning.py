"""Console pages of dunning: of each account, the steps that were taken, what operators decided, and business days."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    RangeDateFilter,
)
from unfold.decorators import action as page_action

from igny8_core.auth.models import AccountStatus
from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.admin.later_day import LaterDayDialog
from igny8_core.business.billing.models import BusinessDay, DunningAccount, DunningPause, DunningStep, StageKind
from igny8_core.business.billing.serializers import BusinessDayInput
from igny8_core.business.billing.services.dunning.outlook import WORDS, InvoiceOutlook, dunning_of
from igny8_core.business.billing.services.dunning.pauses import exempt_account
from igny8_core.business.billing.services.dunning.trials import extend_trial
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import EMPTY, badge, change_url, moment
from igny8_core.console.dialogs import decided
from igny8_core.console.pages import ConsoleAdmin, LogAdmin, ModelForm, ReadOnlyAdmin

KIND_TONES = {
    StageKind.OVERDUE: "warning",
    StageKind.SUSPENSION: "danger",
    StageKind.CANCELLATION: "danger",
}
STATUS_TONES = {
    AccountStatus.TRIAL: "info",
    AccountStatus.PENDING_PAYMENT: "warning",
    AccountStatus.ACTIVE: "success",
    AccountStatus.PAST_DUE: "danger",
    AccountStatus.SUSPENDED: "danger",
}


@admin.register(DunningAccount)
class DunningAccountAdmin(ReadOnlyAdmin):
    """How an account stands with its payments: what was done about each open invoice, and what comes next."""

    list_title = "Dunning"
    list_display = ("name", "status_shown", "suspended_reason", "trial_ends", "billing_country")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("name", "slug", "billing_email")
    search_help_text = "Search by name, slug or billing e-mail address"
    actions_detail = ("exempt", "extend_trial")
    fieldsets = (
        (None, {"fields": (("name", "status_shown"), ("suspended_reason", "trial_ends"), "exempt_shown")}),
        ("Unpaid invoices", {"fields": ("invoices_shown",)}),
        (
            "What the settings mean",
            {
                "description": "For a renewal of this account that is invoiced today and never paid.",
                "fields": ("sample_shown",),
            },
        ),
    )

    status_shown = badge("status", STATUS_TONES)
    trial_ends = moment("trial_ends_at", "trial ends")

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may see accounts and invoices."""
        return request.user.has_perms(["igny8_auth.view_account", "billing.view_invoice"])

    def has_decide_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Operators who may also exempt accounts and extend trials."""
        return self.has_view_permission(request) and request.user.has_perm("igny8_auth.decide_dunning")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The end of a trial is moved of accounts on trial only."""
        is_trial = DunningAccount.objects.filter(pk=object_id, status=AccountStatus.TRIAL).exists()
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [button for button in buttons if is_trial or not button.action_name.endswith("extend_trial")]

    @admin.display(description="exempt")
    def exempt_shown(self, account: DunningAccount) -> str:
        """Until when the account is exempt, and why."""
        outlook = dunning_of(account)
        return f"Until the end of {outlook.exempt_until}: {outlook.exempt_reason}" if outlook.exempt_until else "No"

    @admin.display(description="invoices")
    def invoices_shown(self, account: DunningAccount) -> str:
        """Each unpaid invoice with its clock, its steps and what comes next."""
        rows = [(change_url("billing_invoice", each.id), *described(each)) for each in dunning_of(account).invoices]
        line = '<div class="mb-4"><a class="text-link" href="{}">{}</a>, {}<br>{}<br>{}</div>'
        return format_html_join("", line, rows) or EMPTY

    @admin.display(description="days after the due date")
    def sample_shown(self, account: DunningAccount) -> str:
        """Each stage with its day, and what happens then."""
        rows = [
            (f"{each.stage.day:+d}", f"{each.on:%a %Y-%m-%d}", WORDS[each.stage.kind])
            for each in dunning_of(account).sample
        ]
        return format_html_join("", "<div>{}, {}: {}</div>", rows)

    @page_action(  # type: ignore[untyped-decorator]
        description="Exempt",
        permissions=["decide"],
        icon="pause_circle",
        dialog={
            "title": "Exempt this account from dunning",
            "description": "Until the end of the day nobody is reminded, and nothing is suspended or ended. After it "
            "the clocks of all open invoices go on where they stand now. Today ends an exemption. What was done "
            "already stays.",
            "form_class": LaterDayDialog,
            "form_submit_text": "Exempt",
        },
    )
    def exempt(self, request: HttpRequest, form: LaterDayDialog, object_id: str) -> HttpResponse:
        """Exempt the account of the page, as the dialog says."""
        account, inputs = DunningAccount.objects.get(pk=object_id), form.cleaned_data

        def exempt() -> str:
            exempt_account(account, inputs["until"], inputs["reason"], operator_of(request))
            return f"The account is exempt until the end of {inputs['until']}."

        return decided(request, "billing_dunningaccount", object_id, exempt)

    @page_action(  # type: ignore[untyped-decorator]
        description="Extend trial",
        permissions=["decide"],
        url_path="extend-trial",
        icon="event_repeat",
        dialog={
            "title": "Set the last day of the trial",
            "description": "The account can be used until the end of that day, also if its trial is over already.",
            "form_class": LaterDayDialog,
            "form_submit_text": "Set the day",
        },
    )
    def extend_trial(self, request: HttpRequest, form: LaterDayDialog, object_id: str) -> HttpResponse:
        """Set another end of the trial of the page's account, as the dialog says."""
        account, inputs = DunningAccount.objects.get(pk=object_id), form.cleaned_data

        def extend() -> str:
            extend_trial(account, inputs["until"], inputs["reason"], operator_of(request))
            return f"The trial ends with {inputs['until']}."

        return decided(request, "billing_dunningaccount", object_id, extend)


def described(outlook: InvoiceOutlook) -> tuple[str, str, str, str]:
    """Number; amount, due date and clock; what was done; what comes next: as texts."""
    due = amount_text(outlook.amount_due, outlook.currency)
    where = f"{due}, due on {outlook.due_date}, day {outlook.clock_day:+d}. {outlook.held_because}".strip()
    done = [f"{step.taken_on} {step.get_kind_display().lower()}" for step in outlook.steps if not step.is_skipped]
    expected = outlook.next
    after = "Next: once that is decided" if outlook.held_because else "Next: nothing more"
    if expected:
        after = f"Next: {expected.on} {expected.stage.kind.label.lower()}"
    return outlook.invoice_number, where, f"Done: {', '.join(done) or 'nothing'}", after


@admin.register(DunningStep)
class DunningStepAdmin(LogAdmin):
    """The stages that were taken of unpaid invoices. The History of an invoice has its mails."""

    list_display = ("id", "invoice", "account", "kind_shown", "stage", "due_shown", "taken_on", "is_skipped", "tries")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("taken_on", RangeDateFilter),
        ("is_skipped", BooleanRadioFilter),
        ("account", AutocompleteSelectFilter),
    )
    list_select_related = ("invoice", "account")
    search_fields = ("invoice__invoice_number", "account__name")
    search_help_text = "Search by invoice number or account"
    fieldsets = (
        (None, {"fields": (("invoice", "account"), ("kind_shown", "stage"), ("due_shown", "is_skipped"))}),
        (None, {"fields": (("taken_on", "taken"), "tries")}),
    )

    kind_shown = badge("kind", KIND_TONES)
    taken = moment("taken_at")

    @admin.display(description="still due", ordering="amount_due")
    def due_shown(self, step: DunningStep) -> str:
        """What was due then, in the invoice's currency."""
        return amount_text(step.amount_due, step.invoice.currency)


@admin.register(DunningPause)
class DunningPauseAdmin(ReadOnlyAdmin):
    """Exemptions and later deadlines. They are made on the pages of accounts (Dunning) and invoices."""

    list_display = ("id", "account", "invoice", "until", "reason", "created_by", "created", "ended")
    list_filter = (("until", RangeDateFilter), ("account", AutocompleteSelectFilter))
    list_select_related = ("account", "invoice", "created_by")
    search_fields = ("account__name", "invoice__invoice_number", "reason")
    search_help_text = "Search by account, invoice number or reason"
    fieldsets = (
        (None, {"fields": (("account", "invoice"), "until", "reason")}),
        (None, {"fields": (("created_by", "created"), "ended")}),
    )

    created = moment("created_at")
    ended = moment("ended_at")


class BusinessDayForm(StrictForm, ModelForm):
    """A word on a day, validated by BusinessDayInput."""

    rules = BusinessDayInput


@admin.register(BusinessDay)
class BusinessDayAdmin(ConsoleAdmin):
    """Days on which we decide ourselves whether business is done, over the holidays that the software knows."""

    form = BusinessDayForm
    list_display = ("day", "country_code", "name", "is_business_day")
    list_filter = (("day", RangeDateFilter), ("is_business_day", BooleanRadioFilter), "country_code")
    search_fields = ("name", "country_code")
    search_help_text = "Search by name or country code"
    event_noun, tells_values = "business_day", True
    fieldsets = (
        (
            None,
            {
                "description": "Unpaid invoices are dunned on business days of the customer's country. The software "
                "knows its holidays; enter here what it cannot know, such as feasts that depend on the moon, or a day "
                "on which you are closed (* for all countries).",
                "fields": (("country_code", "day"), ("name", "is_business_day")),
            },
        ),
    )
