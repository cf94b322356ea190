"""The form in which a payer says that they have sent the money."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from igny8_core.business.billing.services.proofs.files import MAX_BYTES
from igny8_core.common.api.fields import DayField, MultilineTextField, PlainTextField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.strict_forms import StrictForm
from igny8_core.web.pay.bounded_upload import BoundedUploadHandler

# What phones and scanners make. Named one by one: with image/* phones would offer kinds that nobody here can read.
PROOF_TYPES = "image/jpeg,image/png,image/heic,image/heif,image/webp,application/pdf"


class TransferInput(StrictSerializer):
    """What is said of a transfer, under the names that the form has."""

    reference = PlainTextField(max_length=100)
    transferred_on = DayField()
    payer_name = PlainTextField(max_length=150, allow_blank=True)
    notes = MultilineTextField(max_length=2000, allow_blank=True)


class ConfirmationForm(StrictForm, forms.Form):
    """What a payer says of their transfer. `ways` are the payment methods to choose from, with their names."""

    rules = TransferInput

    payment_method = forms.ChoiceField(
        label=gettext_lazy("How did you send it?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose how you sent the money."),
            "invalid_choice": gettext_lazy("This invoice cannot be paid so. Choose one of the ways that are listed."),
        },
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference of the transfer"),
        help_text=gettext_lazy("The number or text that your bank or wallet shows for it."),
        max_length=100,
        error_messages={
            "required": gettext_lazy("Give the reference that your bank or wallet shows for the transfer.")
        },
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    transferred_on = forms.DateField(
        label=gettext_lazy("Day of the transfer"),
        error_messages={"required": gettext_lazy("Give the day on which you sent the money.")},
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    payer_name = forms.CharField(
        label=gettext_lazy("Sender's name"),
        help_text=gettext_lazy("Who holds the account or wallet that the money came from."),
        required=False,
        max_length=150,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    notes = forms.CharField(
        label=gettext_lazy("Note for us"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
    )
    proof = forms.FileField(
        label=gettext_lazy("Receipt or screenshot"),
        help_text=gettext_lazy("A photo or PDF that shows the transfer, up to 5 MB. It makes the check faster."),
        required=False,
        error_messages={"empty": gettext_lazy("This file is empty. Choose another one.")},
        widget=forms.FileInput({"accept": PROOF_TYPES}),
    )

    def __init__(self, *args: Any, ways: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["payment_method"].choices = ways  # type: ignore[attr-defined]
        self.fields["payment_method"].initial = ways[0][0]
        if len(ways) == 1:
            self.fields["payment_method"].widget = forms.HiddenInput()

    def clean_proof(self) -> bytes | None:
        """The file's content, None without one. Raises ValidationError."""
        file = self.cleaned_data.get("proof")
        if file is None:
            return None
        if BoundedUploadHandler.was_cut(file):
            size = MAX_BYTES // 1024 // 1024
            text = _("This file has more than %(size)d MB. Choose a smaller one, or a photo of it.")
            raise forms.ValidationError(text % {"size": size})
        content: bytes = file.read()
        return content
