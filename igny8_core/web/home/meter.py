"""Trying out the usage meter: spending some credits on an operation that does nothing else."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import CanWorkOnSites, require_usable
from igny8_core.business.billing.selectors import credit_costs
from igny8_core.business.billing.services.credits.spending import Usage, use_credits
from igny8_core.common.errors import DomainError
from igny8_core.common.languages import translated
from igny8_core.web.frame.forms import PageForm

# Enough to see the meter run; a slip of the finger empties no account.
MAX_QUANTITY = 100


class MeterForm(PageForm):
    """Which operation, and how much of it. `key` makes a form that is sent twice count once."""

    operation = forms.ChoiceField(
        label=gettext_lazy("Operation"),
        error_messages={
            "required": gettext_lazy("Choose an operation."),
            "invalid_choice": gettext_lazy("Choose one of the operations in the list."),
        },
    )
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=1,
        max_value=MAX_QUANTITY,
        initial=1,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Say how many."),
            "invalid": gettext_lazy("A whole number is expected, such as 1."),
            "min_value": gettext_lazy("At least 1."),
            "max_value": gettext_lazy("At most 100 here."),
        },
    )
    key = forms.UUIDField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.costs = list(credit_costs().filter(is_active=True))
        self.fields["operation"].choices = [(cost.operation_type, translated(cost.display_name)) for cost in self.costs]  # type: ignore[attr-defined]
        self.fields["key"].initial = uuid.uuid4

    def spend(self, account: Account, person: User) -> Usage:
        """Spend what was chosen, as the API's credits/usage/ does. Raises what use_credits raises."""
        said = self.cleaned_data
        return use_credits(
            account,
            said["operation"],
            said["quantity"],
            user=person,
            key=f"meter {said['key']}",
            metadata={"tried_out": True},
        )


def why_not_try(person: User) -> str:
    """Why the person cannot try it now, for people; empty where they can."""
    if person.account is None or person.role not in CanWorkOnSites.roles:
        return _("Your role may look at the credits, not spend them. Ask an owner or admin of your account.")
    try:
        require_usable(person.account)
    except DomainError as refusal:
        return refusal.text
    return ""
