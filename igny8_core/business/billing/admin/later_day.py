"""The dialog of decisions to wait: a last day, and why."""

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from igny8_core.business.billing.serializers import LaterDayInput
from igny8_core.common.strict_forms import StrictForm


class LaterDayDialog(StrictForm, BaseDialogForm):  # type: ignore[misc]
    """A last day and a reason, validated by LaterDayInput."""

    rules = LaterDayInput
    until = forms.DateField(
        label="Last day",
        widget=UnfoldAdminDateWidget(),
        help_text="Where the customer is, for example 2027-01-31; at most a year ahead.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For operators, in the event log. The customer is not told.",
    )
