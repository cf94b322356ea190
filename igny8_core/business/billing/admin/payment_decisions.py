"""Deciding payments in the console: the dialogs, and deciding several payments with a report."""

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
from django.http import HttpRequest
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from igny8_core.business.billing.models import Payment, RejectionCode
from igny8_core.business.billing.serializers import MAX_REASON
from igny8_core.business.billing.services.payments.approving_many import DATABASE_REFUSED
from igny8_core.business.billing.services.payments.offline import rejection_code
from igny8_core.business.billing.services.refunds.booking import left_of
from igny8_core.business.billing.services.settlement import Settlement
from igny8_core.common.api.fields import MultilineTextField, PlainTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.errors import DomainError, InvalidInput
from igny8_core.common.money import InvalidAmount, amount_text, parse_amount
from igny8_core.common.strict_forms import StrictForm
from igny8_core.console.dialogs import row_id

logger = logging.getLogger(__name__)

NOTE_LENGTH = 2000
# So many payments get a line of their own above the report; each has a row in it.
TOLD = 10


class DecisionInput(StrictSerializer):
    """The texts that operators write into the dialogs, by their field names."""

    note = MultilineTextField(max_length=NOTE_LENGTH, allow_blank=True)
    reason = PlainTextField(max_length=500)
    reference = PlainTextField(max_length=100, allow_blank=True)


class RejectionInput(StrictSerializer):
    """The texts of a rejection, by their field names."""

    reason = MultilineTextField(max_length=MAX_REASON, allow_blank=True)
    note = MultilineTextField(max_length=NOTE_LENGTH, allow_blank=True)


class ApprovalForm(StrictForm, forms.Form):
    """What an approval takes beside the payments: a note, and the override for repeated transfers."""

    rules = DecisionInput

    note = forms.CharField(required=False, max_length=NOTE_LENGTH)
    override_duplicate = forms.BooleanField(required=False)


class RejectionForm(StrictForm, forms.Form):
    """What a rejection takes: the reason for the customer, and a note for operators."""

    rules = RejectionInput

    reason_code = forms.ChoiceField(
        label="What the customer reads",
        choices=[("", "Choose a reason"), *RejectionCode.choices],
        widget=UnfoldAdminSelectWidget(),
        help_text="In the mail and on the invoice's page, where they can confirm again.",
        error_messages={"required": "Choose the reason that the customer reads."},
    )
    reason = forms.CharField(
        label="In your own words",
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="The customer reads this too, after the sentence above. Needed where you choose another reason.",
    )
    note = forms.CharField(
        label="Internal note",
        required=False,
        max_length=NOTE_LENGTH,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="Only operators read it.",
    )

    def clean(self) -> dict[str, Any] | None:
        """Refuses what the service would refuse, at the field."""
        cleaned = super().clean()
        if not self.errors:
            self._require_a_reason(self.cleaned_data["reason_code"], self.cleaned_data["reason"])
        return cleaned

    def _require_a_reason(self, reason_code: str, reason: str) -> None:
        try:
            rejection_code(reason_code, reason)
        except InvalidInput as refusal:
            for name, texts in (refusal.errors or {}).items():
                self.add_error(name, texts)


class OrderAgainDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """The dialog to void a change of plan and order it again."""

    rules = DecisionInput

    note = forms.CharField(
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="For operators, in the event log.",
    )


class RefundDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """The dialog to refund a payment."""

    rules = DecisionInput

    amount = forms.CharField(
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For example 89.00. Leave it empty to refund all that is left.",
    )
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget(), help_text="The customer reads it on the credit note."
    )
    reference = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Reference of your transfer, if you sent the money back yourself.",
    )
    # What was left when the dialog was opened: sent twice, it gives its part back once.
    left = forms.DecimalField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        payment = payment_with_id(str(self.object_id)).first()
        if payment:
            self.fields["left"].initial = left_of(payment)

    def clean_amount(self) -> Decimal | None:
        """The amount in the payment's currency; None means all that is left. Raises ValidationError."""
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
    """The results of deciding several payments, in their order."""

    # Each with what was brought about, and why its account cannot use it yet.
    decided: list[tuple[Payment, str, str]] = field(default_factory=list)
    refused: list[tuple[Payment, str]] = field(default_factory=list)

    def tell(self, request: HttpRequest, verb: str) -> None:
        """Show a line that sums up the decided payments, with totals per currency and their outcomes.

        A line follows for each payment that was refused, or whose account cannot use what was paid for.
        """
        if self.decided:
            sums = ", ".join(sums_of(payment for payment, *_ in self.decided))
            noun = "payment" if len(self.decided) == 1 else "payments"
            messages.success(request, f"{verb} {len(self.decided)} {noun}: {sums}.{self._brought()}")
        cautions = [(payment, outcome, caution) for payment, outcome, caution in self.decided if caution]
        for payment, outcome, caution in cautions[:TOLD]:
            messages.warning(request, f"{_named(payment)}: {outcome} {caution}")
        self.warn(request)

    def warn(self, request: HttpRequest) -> None:
        """Show a line for each payment that was refused."""
        for payment, sentence in self.refused[:TOLD]:
            messages.warning(request, f"{_named(payment)} was not changed. {sentence}")

    def _brought(self) -> str:
        usable = Counter(outcome for _, outcome, caution in self.decided if outcome and not caution)
        told = [f" {text}" if times == 1 else f" {times} × {text}" for text, times in usable.items()]
        return "".join(told) if len(usable) <= TOLD else ""


def sums_of(payments: Iterable[Payment]) -> list[str]:
    """The amounts together, one for each currency, such as 267.00 USD."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for payment in payments:
        sums[payment.currency] += payment.amount
    return [amount_text(total, currency) for currency, total in sorted(sums.items())]


def payment_with_id(object_id: str) -> QuerySet[Payment]:
    """The payment with the id in an address, and its invoice; empty if there is none."""
    return Payment.objects.select_related("invoice").filter(pk=row_id(object_id))


def decide_each(payments: Iterable[Payment], decide: Callable[[Payment], object]) -> Report:
    """Call `decide` with each payment (with its invoice). The service runs each call in its own transaction.

    A refusal or database error of one payment goes into the report and does not stop the others.
    """
    report = Report()
    for payment in payments:
        try:
            result = decide(payment)
        except DomainError as refusal:
            report.refused.append((payment, refusal.text))
        except DatabaseError:
            logger.exception("payment not decided", extra={"payment": payment.pk})
            report.refused.append((payment, DATABASE_REFUSED))
        else:
            told = (result.outcome, result.caution) if isinstance(result, Settlement) else ("", "")
            report.decided.append((payment, *told))
    return report


def _named(payment: Payment) -> str:
    return f"Payment {payment.pk} ({payment.invoice.invoice_number})"
