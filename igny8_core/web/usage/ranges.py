"""From which day to which the usage is shown: one of a few usual times, or two days of the reader's choice."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from igny8_core.business.billing.usage import MAX_DAYS, USUAL_DAYS, YEARS
from igny8_core.web.frame.forms import PageForm

# Up to here a day has a place of its own in the chart; of a longer time, a week has.
MOST_DAYS = 92


@dataclass(frozen=True)
class Usual:
    """A time that one click chooses."""

    name: str
    first: date
    last: date
    is_chosen: bool


class RangeForm(PageForm):
    """The first and the last day, in the account's time zone."""

    first = forms.DateField(
        label=pgettext_lazy("days", "From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=pgettext_lazy("days", "To"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, query: QueryDict, today: date) -> None:
        self.today = today
        usual = {"first": today - timedelta(days=USUAL_DAYS - 1), "last": today}
        said = {name: query.get(name) or usual[name].isoformat() for name in usual}
        super().__init__(said, auto_id="range_%s")

    def clean(self) -> dict[str, Any]:
        """Refuses a time that ends before it begins, and one that is longer than a year."""
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last:
            if last < first:
                self.add_error("last", _("This day is before the first one. Choose a later one."))
            elif (last - first).days >= MAX_DAYS:
                self.add_error("first", _("At most a year at once. Choose a later day, or an earlier one as the last."))
            elif first.year not in YEARS or last.year not in YEARS:
                self.add_error("first", _("Choose days of this century."))
        return data

    @property
    def chosen(self) -> tuple[date, date]:
        """The first and the last day; the usual ones where what was said was refused."""
        if self.is_valid():
            return self.cleaned_data["first"], self.cleaned_data["last"]
        return self.today - timedelta(days=USUAL_DAYS - 1), self.today

    @property
    def usual(self) -> list[Usual]:
        """The times that one click chooses."""
        month, year = self.today.replace(day=1), self.today.replace(month=1, day=1)
        begins = [
            (_("7 days"), self.today - timedelta(days=6)),
            (_("30 days"), self.today - timedelta(days=29)),
            (_("This month"), month),
            (_("90 days"), self.today - timedelta(days=89)),
            (_("This year"), year),
        ]
        # On some days two of them are the same time; one is marked.
        marked = next((name for name, first in begins if (first, self.today) == self.chosen), "")
        return [Usual(name, first, self.today, name == marked) for name, first in begins]


def granularity_of(first: date, last: date) -> str:
    """How fine the line is."""
    return "day" if (last - first).days < MOST_DAYS else "week"
