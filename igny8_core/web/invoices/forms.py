"""What the list of invoices is narrowed by."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from igny8_core.business.billing.invoice_search import Order, Wanted
from igny8_core.business.billing.models import InvoiceStatus
from igny8_core.common.api.fields import PlainTextField
from igny8_core.web.frame.forms import CheckedField, PageForm

MAX_NUMBER = 40
# Rows behind these are found by search, status or days.
LAST_PAGE = 400


def status_names() -> dict[str, Any]:
    """What customers call the status of an invoice."""
    return {
        InvoiceStatus.PENDING: _("Open"),
        InvoiceStatus.PAID: _("Paid"),
        InvoiceStatus.VOID: _("Void"),
        InvoiceStatus.UNCOLLECTIBLE: _("Not collected"),
        InvoiceStatus.DRAFT: _("Draft"),
    }


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class InvoiceListForm(PageForm):
    """A part of the number, status, days, order, and which page of them."""

    search = CheckedField(
        PlainTextField(max_length=MAX_NUMBER),
        label=gettext_lazy("Invoice number"),
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "maxlength": MAX_NUMBER, "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)
    first = _day(pgettext_lazy("days", "From"))
    last = _day(pgettext_lazy("days", "To"))
    order = forms.ChoiceField(label=pgettext_lazy("of a list", "Order"), required=False, choices=Order.choices)
    page = forms.IntegerField(required=False, min_value=1, max_value=LAST_PAGE, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{"auto_id": "list_%s", **named})
        self.fields["status"].choices = [("", _("Any")), *status_names().items()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuses days of which the last is before the first."""
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            self.add_error("last", _("This day is before the first one. Choose a later one."))
        return data

    @property
    def wanted(self) -> Wanted:
        """What was asked for; all of it where it was refused."""
        if not self.is_valid():
            return Wanted()
        said = self.cleaned_data
        order = Order(said["order"] or Order.NEWEST)
        return Wanted(said["search"], said["status"], said["first"], said["last"], order)

    @property
    def number(self) -> int:
        """Which page."""
        return (self.cleaned_data["page"] or 1) if self.is_valid() else 1

    @property
    def is_narrowed(self) -> bool:
        """Whether something may be left out."""
        return any((self.wanted.text, self.wanted.status, self.wanted.first, self.wanted.last))
