"""The dialogs that take an invoice back or correct whom it is addressed to."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from igny8_core.auth.confirming import require_confirmed_operator
from igny8_core.auth.permissions import operator_of, require_other_account
from igny8_core.business.billing.errors import InvoiceNotCreditable, InvoiceNotFound
from igny8_core.business.billing.invoice_inputs import BuyerInput, CreditInput
from igny8_core.business.billing.models import CreditNote, Invoice, InvoiceStatus
from igny8_core.business.billing.services.invoices.corrections import (
    correct_buyer,
    credit_unpaid,
    left_to_credit,
    payment_behind,
)
from igny8_core.business.billing.services.invoices.lifecycle import billing_snapshot
from igny8_core.business.billing.services.refunds.booking import left_of
from igny8_core.business.billing.services.refunds.refunding import process_refund
from igny8_core.common.money import InvalidAmount, amount_text, parse_amount
from igny8_core.common.strict_forms import StrictForm
from igny8_core.common.written import countries_to_choose
from igny8_core.console.dialogs import row_id

PAID_MEANWHILE = (
    "This invoice was paid after you opened the dialog. Nothing was credited, and no money went back. Look at it, "
    "then decide again."
)
CORRECTED = frozenset({InvoiceStatus.PENDING, InvoiceStatus.PAID, InvoiceStatus.UNCOLLECTIBLE})


def _text(label: str, *, required: bool = False, length: int = 255, help_text: str = "") -> forms.CharField:
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(label=label, required=required, max_length=length, widget=widget, help_text=help_text)


class CreditDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """The dialog of a credit note. An unpaid invoice is credited as a whole; of a paid one, money goes back."""

    rules = CreditInput

    amount = _text("Amount", length=20)
    reason = _text("Reason", required=True, length=500, help_text="Printed on the credit note.")
    reference = _text(
        "Reference of your transfer", length=100, help_text="Where you sent the money back yourself; else empty."
    )

    # What of the payment was left when the dialog was opened: sent twice, it gives its part back once.
    left = forms.DecimalField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice = invoice_with_id(self.object_id)
        if self.invoice is None or self.invoice.status != InvoiceStatus.PAID:
            del self.fields["amount"], self.fields["reference"], self.fields["left"]
            return
        payment = payment_behind(self.invoice)
        self.fields["left"].initial = left_of(payment) if payment else None
        left = amount_text(left_to_credit(self.invoice), self.invoice.currency)
        self.fields["amount"].help_text = f"Up to {left}, which is left of it. Empty: all of that."

    def clean_amount(self) -> Decimal | None:
        """The amount in the invoice's currency; None means all that is left. Raises ValidationError."""
        text: str = self.cleaned_data["amount"]
        if not text or self.invoice is None:
            return None
        left = left_to_credit(self.invoice)
        try:
            amount = parse_amount(text, self.invoice.currency)
        except InvalidAmount as error:
            raise forms.ValidationError(error.text) from error
        if amount > left:
            only = amount_text(left, self.invoice.currency)
            raise forms.ValidationError(f"Only {only} is left of this invoice. Credit that much or less.")
        return amount


class BuyerDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """The dialog that corrects the buyer. It begins with what the account says today."""

    rules = BuyerInput

    name = _text("Name", required=True, length=200)
    email = _text("E-mail on the document", required=True, length=254)
    address_line1 = _text("Address line 1")
    address_line2 = _text("Address line 2")
    postal_code = _text("Postal code", length=20)
    city = _text("City", length=100)
    state = _text("State", length=100)
    country = forms.ChoiceField(
        choices=lambda: [("", "Choose a country"), *countries_to_choose()], widget=UnfoldAdminSelectWidget()
    )
    tax_id = _text("Tax ID", length=100)
    reason = _text("What was wrong", required=True, length=200, help_text="Printed on the document that it takes back.")
    send = forms.BooleanField(
        label="Send the new invoice to the customer", required=False, initial=True, widget=UnfoldBooleanSwitchWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invoice = invoice_with_id(self.object_id)
        if invoice:
            self.initial = billing_snapshot(invoice.account)

    @property
    def changed_data(self) -> list[str]:
        """All of it: what stays as the account says it goes onto the invoice too."""
        return list(self.fields)


def invoice_with_id(object_id: Any) -> Invoice | None:
    """The invoice with the id in an address, with its account; None if there is none."""
    return Invoice.objects.select_related("account__owner", "replaces").filter(pk=row_id(str(object_id))).first()


def existing(object_id: str) -> Invoice:
    """The same. Raises InvoiceNotFound."""
    invoice = invoice_with_id(object_id)
    if invoice is None:
        raise InvoiceNotFound()
    return invoice


def credited(request: Any, invoice: Invoice, said: dict[str, Any]) -> CreditNote:
    """Write the credit note that the dialog asked for. Raises PermissionDenied and what the services raise."""
    operator = operator_of(request)
    require_other_account(operator, invoice.account_id)
    if invoice.status != InvoiceStatus.PAID:
        return credit_unpaid(invoice, said["reason"], operator)
    if not operator.has_perm("billing.refund_payment"):
        raise PermissionDenied
    payment = payment_behind(invoice)
    if payment is None or invoice.replaced_by:
        raise InvoiceNotCreditable()
    # The dialog of an unpaid invoice spoke of no money that goes back, and asked for no amount.
    if said.get("left") is None:
        raise InvoiceNotCreditable(PAID_MEANWHILE)
    require_confirmed_operator(request)
    return process_refund(
        payment,
        said["amount"],
        reason=said["reason"],
        reference=said["reference"],
        refunded_by=operator,
        left=said["left"],
    )


def with_right_buyer(request: Any, invoice: Invoice, said: dict[str, Any]) -> Invoice:
    """Put the invoice that the dialog describes in this one's place. Raises what the service raises."""
    operator = operator_of(request)
    require_other_account(operator, invoice.account_id)
    buyer = {name: said[name] for name in BuyerInput().fields if name != "reason"}
    return correct_buyer(invoice, buyer, said["reason"], operator, send=said["send"])


def refused_buttons(invoice: Invoice, *, may_refund: bool) -> tuple[str, ...]:
    """The buttons that would be refused for an invoice like this. Of a paid one, a credit note gives money back."""
    if invoice.stripe_invoice_id or invoice.replaced_by or invoice.status not in CORRECTED:
        hidden: tuple[str, ...] = ("credit", "correct")
    else:
        hidden = ("credit",) if invoice.status == InvoiceStatus.PAID and not may_refund else ()
    if invoice.status == InvoiceStatus.PENDING:
        return hidden
    is_final = invoice.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOID)
    return (*hidden, "charge", "extend_deadline", *(("send",) if is_final else ()))
