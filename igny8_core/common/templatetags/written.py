"""What templates of pages, mails and documents write of days, numbers and money: loaded in every template."""

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils.translation import get_language_bidi

from igny8_core.common import languages, written
from igny8_core.common.money import plain_amount_text
from igny8_core.common.written import (
    count_text,
    day_text,
    moment_text,
    month_text,
    short_day_text,
    short_moment_text,
)

register = template.Library()


@register.filter(expects_localtime=True)
def day(value: date | None) -> str:
    """A day: 5 March 2026."""
    return day_text(value) if value else ""


@register.filter
def in_sentence(label: str) -> str:
    """A label within a sentence."""
    return written.in_sentence(str(label))


@register.filter(expects_localtime=True)
def moment(value: datetime | None) -> str:
    """Day and time: 5 March 2026, 14:05."""
    return moment_text(value) if value else ""


@register.filter(expects_localtime=True)
def zoned_moment(value: datetime | None) -> str:
    """Day, time and time zone: 5 March 2026, 14:05 UTC."""
    return f"{moment_text(value)} {value.tzname()}" if value else ""


@register.filter(expects_localtime=True)
def short_moment(value: datetime | None) -> str:
    """Day and time without the year: 5 Mar, 14:05."""
    return short_moment_text(value) if value else ""


@register.filter(expects_localtime=True)
def short_day(value: date) -> str:
    """A day without the year: 5 Mar."""
    return short_day_text(value)


@register.filter(expects_localtime=True)
def month(value: date) -> str:
    """A month: March 2026."""
    return month_text(value)


@register.filter
def translated(sentence: str) -> str:
    """A sentence of ours that was stored in English."""
    return languages.translated(sentence)


@register.filter
def whole(number: int) -> str:
    """A count, readable at a glance: 12,000."""
    return count_text(number)


@register.filter
def amount(value: Decimal, currency: str) -> str:
    """An amount in the currency's own decimals, without the currency."""
    return plain_amount_text(value, currency)


@register.filter
def signed(number: int) -> str:
    """A change of a count, with its sign: +1,000 or −5."""
    text = f"+{count_text(number)}" if number > 0 else count_text(number).replace("-", "−")
    # Without it the sign of a number goes to its other end where the text runs from right to left.
    return written.isolated(text) if get_language_bidi() else text
