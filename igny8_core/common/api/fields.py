"""Serializer fields. Input fields are strict, and each refusal says in a sentence what was expected."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import build_choice_field
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import get_attribute

from igny8_core.common import text as people_text
from igny8_core.common.addresses import EXPECTED, MAX_LENGTH, is_address
from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.languages import is_language
from igny8_core.common.links import why_not_public_https
from igny8_core.common.money import format_amount
from igny8_core.common.names import why_no_name

MAX_EMAIL_LENGTH = MAX_LENGTH
MAX_URL_LENGTH = 2000
MAX_ID = 2**63 - 1
MONEY_PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,4})?$"


def canonical_email(text: str) -> str:
    """The one form in which an e-mail address is stored, looked up and counted."""
    return text.strip().lower()


class StrictTextField(serializers.CharField):
    """Text from a JSON string; numbers and booleans are refused, not turned into text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(_("A text is expected: write it in quotes."), code="invalid")
        return self.clean_text(data)

    def clean_text(self, text: str) -> str:
        """The value to store. Raises ValidationError."""
        raise NotImplementedError


class PlainTextField(StrictTextField):
    """One line of text, normalized to NFC: any script and emoji, no control, bidi or zero-width characters.

    Joiners are taken where a script needs them (common/text.py).

    `max_length` counts characters after NFC. Without `allow_blank` an empty text is refused.
    """

    allowed_characters = ""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        self.length_limit = max_length
        super().__init__(max_length=max_length, **kwargs)

    def clean_text(self, text: str) -> str:
        # NFC takes quadratic time on long runs of marks, so text that is too long in any case is not normalized.
        is_hopeless = len(text) > self.length_limit * people_text.NFC_MAX_SHRINK + 1000
        value = text if is_hopeless else people_text.normalized(text)
        if len(value) > self.length_limit:
            raise serializers.ValidationError(
                _("At most %(length_limit)s characters.") % {"length_limit": self.length_limit}, code="max_length"
            )
        if refusal := people_text.first_refused(value, self.allowed_characters):
            raise serializers.ValidationError(refusal, code="refused_character")
        return value


class NameField(PlainTextField):
    """The name of a person, which mails to others show: no link, no e-mail address, no telephone number (OUT-09)."""

    may_be_host = False

    def clean_text(self, text: str) -> str:
        name = super().clean_text(text)
        if refusal := why_no_name(name, may_be_host=self.may_be_host):
            raise serializers.ValidationError(refusal, code="no_name")
        return name


class CompanyNameField(NameField):
    """The name of an account, as for a person; but Booking.com is the name of a company."""

    may_be_host = True


class MultilineTextField(PlainTextField):
    """Like PlainTextField, with line breaks and tabs."""

    allowed_characters = "\n\t"


@extend_schema_field({"type": "string", "pattern": MONEY_PATTERN, "example": "89.00"})
class MoneyField(serializers.Field[Decimal, str, str, Any]):
    """An amount of money, as a JSON string because JSON numbers are binary floats.

    Input: more than zero, ASCII digits with at most 4 decimals; becomes a Decimal. The service checks that the
    currency has that many decimals. Output: written with the decimals of the currency; `currency_source` is the dotted
    path from the object to its currency.
    """

    def __init__(self, *, currency_source: str = "currency", **kwargs: Any) -> None:
        self.currency_source = currency_source.split(".")
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not re.fullmatch(MONEY_PATTERN, data) or data.endswith("\n"):
            text = _('An amount is a string of plain digits with at most 4 decimals, for example "89.00".')
            raise serializers.ValidationError(text, code="invalid_amount")
        amount = Decimal(data)
        if amount <= 0:
            raise serializers.ValidationError(_("The amount must be more than zero."), code="invalid_amount")
        return amount

    def get_attribute(self, instance: Any) -> str | None:  # type: ignore[override]
        amount = super().get_attribute(instance)
        if amount is None:
            return None
        return format_amount(amount, get_attribute(instance, self.currency_source))

    def to_representation(self, value: Any) -> str:
        return str(value)


class ShownAmountField(MoneyField):
    """An amount that the caller was shown before they agreed to it. As MoneyField, and nothing to pay is "0.00"."""

    def to_internal_value(self, data: Any) -> Decimal:
        is_nothing = isinstance(data, str) and re.fullmatch(r"0(\.0{1,4})?", data) and not data.endswith("\n")
        return Decimal(0) if is_nothing else super().to_internal_value(data)


@extend_schema_field({"type": "string", "pattern": f"^-?{MONEY_PATTERN[1:]}", "example": "89.00"})
class SignedMoneyField(MoneyField):
    """An amount in answers that can be negative."""


class EmailAddressField(StrictTextField):
    """An ASCII e-mail address in its canonical form: lower case, at most 254 characters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_EMAIL_LENGTH, **kwargs)

    def clean_text(self, text: str) -> str:
        value = canonical_email(text)
        if not is_address(value):
            raise serializers.ValidationError(EXPECTED, code="invalid_email")
        return value


class CodeField(PlainTextField):
    """Text of a fixed form: `pattern` is a regular expression for the whole text, `expected` is the refusal."""

    def __init__(self, *, pattern: str, expected: str, **kwargs: Any) -> None:
        self.pattern, self.expected = pattern, expected
        super().__init__(**kwargs)

    def clean_text(self, text: str) -> str:
        code = super().clean_text(text)
        if code and not re.fullmatch(self.pattern, code):
            raise serializers.ValidationError(self.expected, code="invalid_code")
        return code


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{2}$", "example": "PK"})
class CountryCodeField(StrictTextField):
    """An ISO 3166-1 alpha-2 country code. Lower case is accepted and turned into capitals."""

    def clean_text(self, text: str) -> str:
        code = text.upper() if text.isascii() else ""
        if code not in COUNTRY_NAMES:
            expected = _("A country code of two letters (ISO 3166-1) is expected, for example PK.")
            raise serializers.ValidationError(expected, code="invalid_country")
        return code


@extend_schema_field({"type": "string", "example": "Asia/Karachi"})
class TimeZoneField(StrictTextField):
    """A name from the IANA time zone database, spelled as there."""

    def clean_text(self, text: str) -> str:
        if text not in time_zones():
            expected = _("The IANA name of a time zone is expected, for example Asia/Karachi or UTC.")
            raise serializers.ValidationError(expected, code="invalid_timezone")
        return text


class LanguageField(StrictTextField):
    """The code of a language that there are texts in, such as de; empty for none where that is allowed."""

    def clean_text(self, text: str) -> str:
        if text and not is_language(text):
            known = ", ".join(code for code, _name in settings.LANGUAGES)
            raise serializers.ValidationError(
                _("Expected one of: %(known)s.") % {"known": known}, code="invalid_language"
            )
        return text


@lru_cache
def time_zones() -> frozenset[str]:
    """The names of the IANA time zone database."""
    # Some systems add names whose meaning depends on the machine.
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": MAX_ID})
class IdField(serializers.Field[int, Any, int, Any]):
    """The id of an object: a JSON integer. A string, float or boolean is refused."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int or not 1 <= data <= MAX_ID:
            raise serializers.ValidationError(_("An id is expected: a whole number, 1 or greater."), code="invalid_id")
        return data

    def to_representation(self, value: int) -> int:
        return value


class WholeNumberField(serializers.IntegerField):
    """A JSON integer between two bounds. A string, float or boolean is refused."""

    def __init__(self, *, min_value: int, max_value: int, **kwargs: Any) -> None:
        self.bounds = (min_value, max_value)
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        low, high = self.bounds
        if type(data) is not int or not low <= data <= high:
            raise serializers.ValidationError(
                _("A whole number from %(low)s to %(high)s is expected.") % {"low": low, "high": high}, code="invalid"
            )
        return data


class TrueOrFalseField(serializers.BooleanField):
    """JSON's true or false. Numbers and strings are refused."""

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            raise serializers.ValidationError(_("Expected true or false, without quotes."), code="invalid")
        return data


@extend_schema_field({"type": "string", "format": "date"})
class DayField(serializers.DateField):
    """A date as text: YYYY-MM-DD in ASCII digits."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise serializers.ValidationError(_("A date is expected, written YYYY-MM-DD."), code="invalid")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise serializers.ValidationError(_("This date does not exist."), code="invalid") from None


@extend_schema_field({"type": "string", "format": "uri", "pattern": "^https://", "maxLength": MAX_URL_LENGTH})
class HttpsUrlField(StrictTextField):
    """A link that people click and we never fetch: https, a public host name, no user name or password (PAY-13)."""

    def clean_text(self, text: str) -> str:
        value = text.strip()
        if len(value) > MAX_URL_LENGTH:
            raise serializers.ValidationError(
                _("At most %(max_url_length)s characters.") % {"max_url_length": MAX_URL_LENGTH}, code="max_length"
            )
        if refusal := why_not_public_https(value):
            raise serializers.ValidationError(refusal, code="invalid_url")
        return value


class EnumField(serializers.Field[str, Any, str, Any]):
    """One of a fixed set of words in answers; with `allow_blank` it can be empty.

    The OpenAPI document lists the words. It is faster than DRF's ChoiceField, because it looks nothing up.
    """

    def __init__(self, words: Iterable[str], *, allow_blank: bool = False, **kwargs: Any) -> None:
        self.words, self.allow_blank = words, allow_blank
        super().__init__(**kwargs)

    @property
    def choices(self) -> dict[str, str]:
        """The label of each word."""
        return {str(word): str(getattr(word, "label", None) or getattr(word, "name", word)) for word in self.words}

    def to_representation(self, value: str) -> str:
        return str(value)


class EnumFieldDescription(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular the words of an EnumField; drf-spectacular finds this class by itself."""

    target_class = EnumField

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return build_choice_field(self.target)


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$", "example": "USD"})
class CurrencyField(serializers.CharField):
    """An ISO 4217 code in answers."""


MAX_PASSWORD_INPUT = 1024
MAX_TOKEN_INPUT = 4096


class SecretField(StrictTextField):
    """A password or token: used exactly as it was sent, and never shown in an answer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "write_only": True, **kwargs})

    def clean_text(self, text: str) -> str:
        return text


class SlugField(CodeField):
    """The name of a row in addresses and requests."""

    def __init__(self, *, max_length: int) -> None:
        expected = _("Use small letters, digits, _ and -; begin with a letter or digit.")
        super().__init__(max_length=max_length, pattern=r"[a-z0-9][a-z0-9_-]*", expected=expected)


class ForeignIdField(CodeField):
    """An id that a payment gateway gave; can be empty."""

    def __init__(self) -> None:
        expected = _("An id of the payment gateway is expected: letters, digits, _ and -.")
        super().__init__(max_length=100, pattern=r"[A-Za-z0-9_-]+", expected=expected, allow_blank=True)
