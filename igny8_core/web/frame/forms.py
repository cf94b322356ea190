"""Forms of people's pages: judged by the API's fields, so that both doors refuse alike and in the same words."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from igny8_core.common.api.fields import MAX_PASSWORD_INPUT, EmailAddressField, PlainTextField, SecretField
from igny8_core.common.errors import DomainError
from igny8_core.common.strict_forms import sentences

MAX_NAME = 150


class CheckedField(forms.CharField):
    """Text that a field of the API judges. What was typed is shown again as it was typed."""

    def __init__(self, rule: serializers.Field[Any, Any, Any, Any], **named: Any) -> None:
        super().__init__(strip=False, **named)
        self.rule = rule

    def clean(self, value: Any) -> Any:
        """What the API would store. Raises ValidationError with the API's sentences."""
        text = value if isinstance(value, str) else ""
        if not text.strip():
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return ""
        try:
            return self.rule.run_validation(text)
        except serializers.ValidationError as refusal:
            raise forms.ValidationError(sentences(refusal.detail)) from None


class PageForm(forms.Form):
    """A form of a page; its template shows each field with web/field.html and the rest with web/problems.html."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **named})

    def refuse(self, refusal: DomainError) -> None:
        """Show what a service refused at the fields that it names, and above the form where it names none of them."""
        named = {name: texts for name, texts in (refusal.errors or {}).items() if name in self.fields}
        for name, texts in named.items():
            self.add_error(name, texts)
        if not named:
            others = [text for texts in (refusal.errors or {}).values() for text in texts]
            self.add_error(None, others or refusal.text)


class NewPasswordForm(PageForm):
    """A form with a new password, typed twice, in the fields that `password_fields` names."""

    password_fields = ("password", "password_confirm")

    def clean(self) -> dict[str, Any]:
        """Refuses two passwords that differ."""
        data: dict[str, Any] = super().clean() or {}
        first, second = self.password_fields
        if first in data and second in data and data[first] != data[second]:
            self.add_error(second, _("The two passwords differ. Type the same one in both fields."))
        return data


def status_of(form: forms.Form, refusal: DomainError | None = None) -> int:
    """With which status a page shows its form: as it is, or with what was wrong."""
    if refusal:
        return refusal.http_status
    return 400 if form.is_bound and form.errors else 200


def with_retry(response: HttpResponse, refusal: DomainError | None) -> HttpResponse:
    """The answer, telling programs too when to come back."""
    if refusal and refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    return response


def email_field(**named: Any) -> CheckedField:
    """An e-mail address."""
    widget = forms.EmailInput(attrs={"autocomplete": "email", "maxlength": 254, "inputmode": "email"})
    return CheckedField(
        EmailAddressField(),
        **{
            "label": _("E-mail address"),
            "widget": widget,
            "error_messages": {"required": _("Enter your e-mail address, for example name@example.com.")},
            **named,
        },
    )


def password_field(*, is_new: bool = False, **named: Any) -> CheckedField:
    """A password, which is never shown again: the present one, or with `is_new` one to be set."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if is_new else "current-password"})
    hint = {"help_text": _("At least 12 characters. A sentence that only you think of works well.")} if is_new else {}
    return CheckedField(
        SecretField(max_length=MAX_PASSWORD_INPUT),
        **{
            "label": _("New password") if is_new else _("Password"),
            "widget": widget,
            "error_messages": {"required": _("Enter a password.") if is_new else _("Enter your password.")},
            **hint,
            **named,
        },
    )


def name_field(label: Any, autocomplete: str, **named: Any) -> CheckedField:
    """A line of text, such as a first name; `autocomplete` is what browsers may fill in, `judge` the API's field."""
    limit, judge = named.pop("limit", MAX_NAME), named.pop("judge", PlainTextField)
    return CheckedField(
        judge(max_length=limit),
        **{
            "label": label,
            "widget": forms.TextInput(attrs={"autocomplete": autocomplete, "maxlength": limit}),
            "error_messages": {"required": _("Fill this in.")},
            **named,
        },
    )
