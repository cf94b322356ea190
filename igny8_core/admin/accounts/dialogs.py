"""The dialogs of an account's page. Each names the account, and remembers how it stood when it was opened."""

from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.http import HttpRequest
from rest_framework import serializers
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from igny8_core.admin.accounts.blocks import mail_text, mails_of
from igny8_core.auth.models import Account, Subscription
from igny8_core.auth.selectors import public_plans
from igny8_core.business.billing.selectors import live_subscription_of
from igny8_core.business.billing.serializers import ChangeSubscriptionInput, EndSubscriptionInput, LaterDayInput
from igny8_core.common.api.fields import MultilineTextField, PlainTextField, WholeNumberField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.money import amount_text
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.dialogs import row_id

MAX_CREDITS = 1_000_000_000
MAX_NOTE = 2000
FOR_OPERATORS = "For operators. Customers may ask for it: write what you would say to them."
MAILS_OFFERED = 30


class ReasonInput(StrictSerializer):
    reason = PlainTextField(max_length=500)


class CreditsInput(ReasonInput):
    amount = WholeNumberField(min_value=-MAX_CREDITS, max_value=MAX_CREDITS)

    def validate_amount(self, amount: int) -> int:
        """Raises ValidationError for 0."""
        if amount == 0:
            raise serializers.ValidationError("Write how many credits to add, or a negative number to take.")
        return amount


class GoodwillInput(LaterDayInput):
    amount = WholeNumberField(min_value=1, max_value=MAX_CREDITS)


class NoteInput(StrictSerializer):
    text = MultilineTextField(max_length=MAX_NOTE)


class AccountDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """A dialog about the account of the page: its title, what will happen, and the word on its button.

    `key` is the same at every click of it.
    """

    title: ClassVar[str]
    happens: ClassVar[str]
    submit: ClassVar[str]
    rules: ClassVar[type[serializers.Serializer[Any]]] = ReasonInput
    form_before_template = "admin/igny8_auth/account/named.html"
    key = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    read = forms.CharField(widget=forms.HiddenInput, max_length=200)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.account = Account.objects.select_related("owner", "plan").get(pk=row_id(str(self.object_id)))
        self.subscription = live_subscription_of(self.account)
        self.stands = standing_of(self.account, self.subscription)
        self.fields["read"].initial = self.stands

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """The account that the dialog names."""
        return {"account": self.account}


def standing_of(account: Account, subscription: Subscription | None) -> str:
    """How an account stands, as a sentence: what a decision of an operator rests on."""
    status = account.get_status_display().lower()
    if subscription is None:
        return f"{status}, without a subscription"
    then = " that ends with its period" if subscription.cancel_at_period_end else ""
    return f"{status}, with a subscription of {subscription.plan} ({subscription.get_status_display().lower()}){then}"


def _reason() -> forms.CharField:
    return forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget(), help_text=FOR_OPERATORS)


class ReasonDialog(AccountDialog):
    """Why."""

    reason = _reason()
    field_order = ("reason",)


class LookDialog(ReasonDialog):
    """Why an operator looks at a customer's pages."""

    title = "Look at the pages as this customer sees them"
    happens = (
        "You see what the owner of the account sees, for a while, and can change nothing meanwhile. Who looked, when "
        "and why is kept for good, and the customer sees in their activity that support looked."
    )
    submit = "Look at the pages"


class SuspendDialog(ReasonDialog):
    """Why an account is suspended."""

    title = "Suspend this account"
    happens = "Its people can log in, read and pay, and use nothing, until an operator activates it."
    submit = "Suspend the account"


class ActivateDialog(ReasonDialog):
    """Why a suspension is lifted."""

    title = "Lift this account's suspension"
    happens = "Its status then follows from its subscription."
    submit = "Activate the account"


class NoteDialog(AccountDialog):
    """A note."""

    title = "Write a note about this account"
    happens = "Customers never see notes."
    submit = "Write the note"
    rules = NoteInput
    text = forms.CharField(
        label="Note",
        max_length=MAX_NOTE,
        widget=UnfoldAdminTextareaWidget({"rows": 4}),
        help_text="Operators read it, with your name and the time. It stays as it is.",
    )


class CreditsDialog(AccountDialog):
    """How many credits, and why."""

    title = "Add credits, or take some"
    happens = "The balance changes at once. The customer sees it among their credits."
    submit = "Adjust the balance"
    rules = CreditsInput
    amount = forms.CharField(
        label="Credits",
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="To add, or a negative number to take. They do not expire. Nothing falls below zero.",
    )
    reason = _reason()


class GoodwillDialog(AccountDialog):
    """How many credits, until when, and why."""

    title = "Give credits as goodwill"
    happens = "They can be spent at once, and expire at the end of the last day. The customer sees them as “Goodwill”."
    submit = "Give the credits"
    rules = GoodwillInput
    amount = forms.CharField(label="Credits", widget=UnfoldAdminIntegerFieldWidget())
    until = forms.DateField(label="Last day", widget=UnfoldAdminDateWidget(), help_text="UTC; at most a year ahead")
    reason = _reason()


class EndDialog(AccountDialog):
    """When the plan ends, and why."""

    title = "End the subscription"
    happens = (
        "Unpaid invoices of it are voided. The customer is told by e-mail, and can reactivate it until its period ends."
    )
    submit = "End the plan"
    rules = EndSubscriptionInput
    at_period_end = forms.BooleanField(
        required=False,
        initial=True,
        label="At the end of the period",
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Off: it ends now. Nothing is refunded; refund the payment to return money.",
    )
    reason = _reason()


class ChangeDialog(AccountDialog):
    """Which plan, and why."""

    title = "Change the customer's plan"
    happens = (
        "A larger plan is invoiced and starts when the invoice is paid. A smaller plan starts with the next period. "
        "The customer is told by e-mail."
    )
    submit = "Change the plan"
    rules = ChangeSubscriptionInput
    plan_slug = forms.ChoiceField(label="Plan", widget=UnfoldAdminSelectWidget(), choices=lambda: _plans())
    reason = _reason()


class LaterDialog(AccountDialog):
    """A last day, and why."""

    rules = LaterDayInput
    until = forms.DateField(
        label="Last day", widget=UnfoldAdminDateWidget(), help_text="Where the customer is; at most a year ahead"
    )
    reason = _reason()


class ExemptDialog(LaterDialog):
    """Until when nobody is reminded, and why."""

    title = "Extend all deadlines of this account"
    happens = (
        "Until the end of the day nobody is reminded, and nothing is suspended or ended. After it the clocks of all "
        "open invoices go on where they stand now. Today ends an exemption."
    )
    submit = "Extend the deadlines"


class TrialDialog(LaterDialog):
    """The last day of a trial, and why."""

    title = "Set the last day of the trial"
    happens = "The account can be used until the end of that day, also if its trial is over already."
    submit = "Set the day"


class MailDialog(AccountDialog):
    """Which of the account's newest mails."""

    title = "Send one of the last mails again"
    happens = (
        "It is written anew, with what holds now, and goes to whom it would go to now. A mail that is out of date by "
        "now, such as a reminder of a paid invoice, is not sent."
    )
    submit = "Send it again"
    mail = forms.ChoiceField(label="Mail", widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.mails = {str(mail.pk): mail for mail in mails_of(self.account)[:MAILS_OFFERED]}
        offered: Any = self.fields["mail"]
        offered.choices = [(pk, mail_text(mail)) for pk, mail in self.mails.items()]


def _plans() -> list[tuple[str, str]]:
    return [
        (plan.slug, f"{plan.name}, {amount_text(plan.price, plan.currency)} {plan.get_billing_cycle_display().lower()}")
        for plan in public_plans()
        if not plan.is_free
    ]
