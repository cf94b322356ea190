"""Columns of the console: coloured labels, amounts, times, JSON."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.admin import display
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from igny8_core.common import clock
from igny8_core.common.money import amount_text

EMPTY = "–"
Shown = Callable[[Any, Any], str]


def badge(field: str, tones: Mapping[Any, str], description: str = "") -> Shown:
    """A column that shows a field with choices as a coloured label.

    `tones` maps values to success, info, warning or danger; a value without one is grey.
    """

    @display(description=description or field.replace("_", " "), ordering=field)
    def shown(admin: Any, row: Any) -> str:
        value = getattr(row, field)
        return label(getattr(row, f"get_{field}_display")(), tones.get(value, "")) if value else EMPTY

    return shown


def choice(field: str, description: str = "") -> Shown:
    """A column that shows a field with choices as text."""

    @display(description=description or field.replace("_", " "), ordering=field)
    def shown(admin: Any, row: Any) -> str:
        text: str = getattr(row, f"get_{field}_display")()
        return text or EMPTY

    return shown


def money(field: str, description: str = "") -> Shown:
    """A column that shows a field with an amount in the row's currency, such as 89.00 USD."""

    @display(description=description or field.replace("_", " "), ordering=field)
    def shown(admin: Any, row: Any) -> str:
        amount = getattr(row, field)
        return EMPTY if amount is None else amount_text(amount, row.currency)

    return shown


def moment(field: str, description: str = "") -> Shown:
    """A column that shows a field with a time, to the minute, such as 21 Nov 2026 14:05."""

    @display(description=description or field.removesuffix("_at").replace("_", " "), ordering=field)
    def shown(admin: Any, row: Any) -> str:
        return time_text(getattr(row, field))

    return shown


def waiting(field: str, is_waiting: Callable[[Any], bool], description: str, late_days: int) -> Shown:
    """A column that shows how long a row waits since the time in a field; red from `late_days` on."""

    @display(description=description, ordering=field)
    def shown(admin: Any, row: Any) -> str:
        if not is_waiting(row):
            return EMPTY
        age = clock.now() - getattr(row, field)
        number, unit = (age.days, "day") if age.days else (int(age.total_seconds() // 3600), "hour")
        text = f"{number}\N{NO-BREAK SPACE}{unit}{'' if number == 1 else 's'}"
        return label(text, "danger" if age.days >= late_days else "")

    return shown


def json_block(field: str) -> Shown:
    """A field of the change page that shows JSON, indented, one key per line."""

    @display(description=field.replace("_", " "))
    def shown(admin: Any, row: Any) -> str:
        text = json.dumps(getattr(row, field), indent=2, ensure_ascii=False, default=str)
        return format_html('<pre class="console-json">{}</pre>', text)

    return shown


def label(text: str, tone: str = "", href: str = "") -> SafeString:
    """A small coloured label, with `href` a link. `tone` is success, info, warning, danger or empty (grey)."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "type": tone, "href": href})


def time_text(at: datetime | None) -> str:
    """The time in the console's time zone, to the minute. A line break can come between date and time."""
    return EMPTY if at is None else timezone.localtime(at).strftime("%d\N{NO-BREAK SPACE}%b\N{NO-BREAK SPACE}%Y %H:%M")


def change_url(model: str, pk: object) -> str:
    """The address of an object's page; `model` is app_model, for example "billing_payment"."""
    return reverse(f"admin:{model}_change", args=[pk])
