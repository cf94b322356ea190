"""Console forms that use the API's serializers: the same rules and the same sentences for both."""

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from rest_framework import serializers

from igny8_core.common.languages import translated

if TYPE_CHECKING:
    Form = forms.BaseForm
else:
    Form = object


class StrictForm(Form):
    """Validates the changed fields of a form with a serializer (`rules`).

    Name it before the form's other parent class. Serializer and form use the same field names; fields that the
    serializer lacks are validated by Django. Unchanged fields are not validated, so that sample rows can stay as they
    are.
    """

    rules: ClassVar[type[serializers.Serializer[Any]]]

    def clean(self) -> dict[str, Any] | None:
        """The input as the API would store it. The serializer's refusals replace Django's at their fields."""
        super().clean()
        judge = self.rules(getattr(self, "instance", None), data=self._sent(), partial=True)
        for name in judge.initial_data:
            self.errors.pop(name, None)
        if judge.is_valid():
            self.cleaned_data.update(judge.validated_data)
        for name, detail in judge.errors.items():
            self.add_error(name if name in self.fields else None, sentences(detail))
        return self.cleaned_data

    def _sent(self) -> dict[str, Any]:
        rules = self.rules().fields
        return {name: as_json(rules[name], self[name].data) for name in self.changed_data if name in rules}


class ListOfTextsField(forms.JSONField):
    """JSON in a text area. JSON that is nested too deeply is refused as invalid."""

    def to_python(self, value: Any) -> Any:
        """The JSON's value. Raises ValidationError."""
        try:
            return super().to_python(value)
        except RecursionError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid", params={"value": "…"}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """The value to show again after a refusal."""
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return initial


def as_json(rule: serializers.Field[Any, Any, Any, Any], typed: Any) -> Any:
    """The JSON value that a client of the API would send for the text typed into a form's field."""
    if isinstance(rule, serializers.BooleanField):
        return bool(typed)
    text = "" if typed is None else typed
    if text == "" and rule.allow_null:
        return None
    if isinstance(rule, serializers.IntegerField) and re.fullmatch(r"-?[0-9]{1,20}", text.strip(), re.ASCII):
        return int(text)
    return _parsed(text) if isinstance(rule, serializers.ListField) else text


def sentences(detail: Any) -> list[str]:
    """The texts of a serializer field's refusal, as one list."""
    if isinstance(detail, dict):
        return [text for inner in detail.values() for text in sentences(inner)]
    return [translated(str(text)) for text in detail]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text or "[]")
    except (ValueError, RecursionError):
        return text
