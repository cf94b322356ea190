"""What templates of pages say of numbers and money."""

from decimal import Decimal

from django import template

from igny8_core.common.money import format_amount

register = template.Library()


@register.filter
def whole(number: int) -> str:
    """A count, readable at a glance: 12,000."""
    return f"{number:,}"


@register.filter
def amount(value: Decimal, currency: str) -> str:
    """An amount in the currency's own decimals, without the currency."""
    return format_amount(value, currency)


@register.filter
def signed(number: int) -> str:
    """A change of a count, with its sign: +1,000 or −5."""
    return f"+{number:,}" if number > 0 else f"{number:,}".replace("-", "−")
