"""How operators decide payments: the forms they fill in, and each payment decided on its own and reported."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.forms import ActionForm, BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.settlement import Settlement
from igny8_core.common.api.fields import MultilineTextField, PlainTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.errors import DomainError
from igny8_core.common.money import InvalidAmount, amount_text, parse_amount
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.columns import change_url

logger = logging.getLogger(__name__)

NOTE_LENGTH = 2000
DATABASE_REFUSED = "The database refused it; nothing of it was changed. Try again, and call a developer if it stays so."


class DecisionInput(StrictSerializer):
    """What an operator writes into a decision, under the names that its forms have."""

    note = MultilineTextField(max_length=NOTE_LENGTH, allow_blank=True)
    reason = PlainTextField(max_length=500)
    reference = PlainTextField(max_length=100, allow_blank=True)


class DecisionForm(StrictForm, forms.Form):
    """What an operator adds to a decision."""

    rules = DecisionInput

    note = forms.CharField(required=False, max_length=NOTE_LENGTH)
    override_duplicate = forms.BooleanField(required=False)


class PaymentActionForm(ActionForm):  # type: ignore[misc]
    """The action bar under the selected payments, with room for a note and the override."""

    note = forms.CharField(
        required=False,
        label="",
        widget=forms.TextInput(
            {"class": "console-note", "placeholder": "Note (optional)", "aria-label": "Note", "maxlength": NOTE_LENGTH}
        ),
    )
    override_duplicate = forms.BooleanField(
        required=False, label="Approve although the reference repeats", widget=forms.CheckboxInput()
    )


class ApproveDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Approving one payment; the override is asked for where its reference repeats."""

    rules = DecisionInput

    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="Kept with the payment, for operators.",
    )
    override_duplicate = forms.BooleanField(
        label="Approve although the reference repeats", widget=UnfoldBooleanSwitchWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        payment = payment_with_id(str(self.object_id)).first()
        if payment and payment.is_flagged_duplicate:
            self.fields["note"].required = True
            self.fields["note"].help_text = "Say how you know that this is another transfer."
        else:
            del self.fields["override_duplicate"]


class RejectDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Rejecting one payment."""

    rules = DecisionInput

    note = forms.CharField(
        label="Reason",
        required=False,
        max_length=NOTE_LENGTH,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="The customer reads it, in the mail and on the invoice's page, where they can confirm again. "
        "Left empty, they read that we did not find the payment.",
    )


class OrderAgainDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Voiding a paid order of a change of plan and ordering it again."""

    rules = DecisionInput

    note = forms.CharField(
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="Kept with the event, for operators.",
    )


class ConfirmDialog(BaseDialogForm):  # type: ignore[misc]
    """Nothing to fill in: the button alone, sent as a POST."""


class RefundDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """Giving money of one payment back."""

    rules = DecisionInput

    amount = forms.CharField(
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Plain digits, for example 89.00. Left empty: all that is left.",
    )
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget(), help_text="The customer reads it on the credit note."
    )
    reference = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Of the transfer with which you have sent the money back by hand.",
    )

    def clean_amount(self) -> Decimal | None:
        """The amount in the payment's currency, None for all that is left. Raises ValidationError."""
        text: str = self.cleaned_data["amount"]
        payment = payment_with_id(str(self.object_id)).first()
        if not text or payment is None:
            return None
        try:
            return parse_amount(text, payment.currency)
        except InvalidAmount as error:
            raise forms.ValidationError(error.text) from error


@dataclass
class Report:
    """What became of the payments of one request."""

    decided: list[Payment] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)

    def tell(self, request: HttpRequest, verb: str) -> None:
        """Show one line on what was done, with sums per currency and what it brought.

        Another line follows for each payment that was refused, or whose account cannot use what was paid for.
        """
        if self.decided:
            noun = "payment" if len(self.decided) == 1 else "payments"
            messages.success(request, f"{verb} {len(self.decided)} {noun}: {self._sums()}.{self._brought()}")
        for line in [*self.cautions, *self.refused]:
            messages.warning(request, line)

    def note(self, payment: Payment, result: object) -> None:
        """Keep what a decision brought about."""
        self.decided.append(payment)
        if not isinstance(result, Settlement):
            return
        if result.caution:
            facts = f"{result.outcome} {result.caution}"
            self.cautions.append(f"Payment {payment.pk} ({payment.invoice.invoice_number}): {facts}")
        else:
            self.outcomes.append(result.outcome)

    def _brought(self) -> str:
        counted = Counter(self.outcomes)
        return "".join(f" {text}" if times == 1 else f" {times} × {text}" for text, times in counted.items())

    def _sums(self) -> str:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for payment in self.decided:
            sums[payment.currency] += payment.amount
        return ", ".join(amount_text(total, currency) for currency, total in sorted(sums.items()))


def payment_with_id(object_id: str) -> QuerySet[Payment]:
    """The payment that an address names, with its invoice; none for what is no number."""
    number = int(object_id) if object_id.isdecimal() and len(object_id) < 20 else 0
    return Payment.objects.select_related("invoice").filter(pk=number)


def operator_of(request: HttpRequest) -> User:
    """Who works with the console."""
    if not isinstance(request.user, User):
        raise TypeError("Only a logged-in operator decides payments.")
    return request.user


def back_to(request: HttpRequest, model: str, object_id: str) -> HttpResponse:
    """To the page of a row of `model` (app_model), after a dialog on it."""
    address = change_url(model, object_id)
    # The dialog is sent by a script, which would swap a redirect's page into itself.
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def decide_each(payments: Iterable[Payment], decide: Callable[[Payment], object]) -> Report:
    """Call `decide` with each payment (with its invoice); the service makes a transaction of each call.

    A refusal or database error of one payment is noted and the others go on.
    """
    report = Report()
    for payment in payments:
        try:
            result = decide(payment)
        except DomainError as refusal:
            report.refused.append(_refused(payment, refusal.text))
        except DatabaseError:
            logger.exception("payment not decided", extra={"payment": payment.pk})
            report.refused.append(_refused(payment, DATABASE_REFUSED))
        else:
            report.note(payment, result)
    return report


def _refused(payment: Payment, sentence: str) -> str:
    return f"Payment {payment.pk} ({payment.invoice.invoice_number}) was left as it is: {sentence}"
