from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from igny8_core.auth.models import Plan
from igny8_core.auth.selectors import public_plans
from igny8_core.common.api.fields import CompanyNameField, CountryCodeField, PlainTextField
from igny8_core.common.written import countries_to_choose
from igny8_core.web.frame.forms import CheckedField, PageForm, name_field


class OwnAccountForm(PageForm):
    """As the API's BeginAccountInput, without what can be said later."""

    account_name = name_field(
        _("Name of the account"), "organization", judge=CompanyNameField, limit=200, required=False
    )
    plan_slug = CheckedField(PlainTextField(max_length=50), label=_("Plan"), required=False)
    billing_country = CheckedField(
        CountryCodeField(),
        label=_("Country"),
        required=False,
        help_text=_("It decides which ways to pay there are."),
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fields["account_name"].help_text = _("Left empty: your own name.")
        countries = countries_to_choose()
        self.fields["billing_country"].widget.choices = [("", _("Not said")), *countries]

    @property
    def plans(self) -> list[tuple[Plan, bool]]:
        """What can be chosen, and whether it is; at first what a trial begins with."""
        plans = list(public_plans())
        chosen = self["plan_slug"].value() or next((plan.slug for plan in plans if plan.is_trial), "")
        return [(plan, plan.slug == chosen) for plan in plans]
