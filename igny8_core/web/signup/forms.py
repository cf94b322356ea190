from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from igny8_core.auth.models import BILLING_DETAILS, Account, PaymentMethodType, Plan
from igny8_core.business.billing.errors import PaymentMethodNotAvailable, PlanNotOffered
from igny8_core.common.api.fields import (
    CompanyNameField,
    CountryCodeField,
    EmailAddressField,
    NameField,
    PlainTextField,
)
from igny8_core.common.written import countries_to_choose
from igny8_core.web.frame.forms import CheckedField, PageForm, email_field, name_field, password_field
from igny8_core.web.signup.choices import PlanChoice, Way, chosen_of, paid_choices, plan_choices, plan_of, ways_to_pay

# What a paid plan asks for besides; a free one is not held up by what stands in these fields.
OF_A_PAID_PLAN = [*BILLING_DETAILS, "payment_method"]
NEVER_SHOWN_AGAIN = {"password", "csrfmiddlewaretoken"}


class PlanForm(PageForm):
    """A plan, and what it takes to order it where it costs something: its invoice needs an address."""

    plan_slug = CheckedField(PlainTextField(max_length=50), required=False)
    # Of which plan the page said the price: nobody orders another one than they were shown.
    shown_plan = CheckedField(PlainTextField(max_length=50), required=False, widget=forms.HiddenInput())
    billing_country = CheckedField(
        CountryCodeField(),
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("It decides which ways to pay there are."),
        widget=forms.Select(attrs={"autocomplete": "billing country"}),
    )
    billing_address_line1 = name_field(
        gettext_lazy("Street and number"), "billing address-line1", limit=255, required=False
    )
    billing_address_line2 = name_field(
        gettext_lazy("Floor, building, care of"), "billing address-line2", limit=255, required=False
    )
    billing_city = name_field(gettext_lazy("City"), "billing address-level2", limit=100, required=False)
    billing_postal_code = name_field(gettext_lazy("Postal code"), "billing postal-code", limit=20, required=False)
    billing_state = name_field(
        gettext_lazy("State, province or region"), "billing address-level1", limit=100, required=False
    )
    billing_email = CheckedField(
        EmailAddressField(),
        label=gettext_lazy("E-mail for invoices"),
        required=False,
        help_text=gettext_lazy("Left empty: to your own address."),
        widget=forms.EmailInput(attrs={"autocomplete": "billing email", "maxlength": 254, "inputmode": "email"}),
    )
    tax_id = name_field(
        gettext_lazy("Tax number"),
        "off",
        limit=100,
        required=False,
        help_text=gettext_lazy("Such as a VAT number or GSTIN."),
    )
    payment_method = forms.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the ways of paying below.")},
    )

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        countries = countries_to_choose()
        self.fields["billing_country"].widget.choices = [("", _("Choose your country")), *countries]
        # Without them a paid plan is refused: the page says "optional" of the others only.
        for name in ("billing_country", "billing_address_line1", "billing_city"):
            self.fields[name].widget.attrs["aria-required"] = "true"
        self.plan: Plan | None = None

    def clean(self) -> dict[str, Any]:
        """Refuses what the chosen plan lacks, and a price that was not shown."""
        data: dict[str, Any] = super().clean() or {}
        self.plan = plan_of(data.get("plan_slug", ""))
        if self.plan is None:
            self.add_error("plan_slug", str(_(PlanNotOffered.text)))
        elif self.plan.is_free:
            self._leave_out_billing(data)
        else:
            self._require_billing(data)
            if data.get("shown_plan") != self.plan.slug:
                self.add_error(None, _("You chose another plan. See what it costs now, then send the form once more."))
        return data

    def _leave_out_billing(self, data: dict[str, Any]) -> None:
        for name in OF_A_PAID_PLAN:
            self.errors.pop(name, None)
            data.pop(name, None)

    def _require_billing(self, data: dict[str, Any]) -> None:
        needed = {
            "billing_country": _("Choose the country that your invoices go to."),
            "billing_address_line1": _("Enter the street that stands on your invoices."),
            "billing_city": _("Enter the city that stands on your invoices."),
            "payment_method": _("Choose how you want to pay."),
        }
        for name, text in needed.items():
            if name in data and not data[name]:
                self.add_error(name, text)
        offered = ways_to_pay(self.plan, data.get("billing_country", ""), "")
        if data.get("payment_method") and data.get("billing_country") and not self._is_among(offered, data):
            self.add_error("payment_method", str(_(PaymentMethodNotAvailable.text)))

    @staticmethod
    def _is_among(offered: list[Way], data: dict[str, Any]) -> bool:
        return any(way.payment_method == data["payment_method"] for way in offered)

    @cached_property
    def plan_choices(self) -> list[PlanChoice]:
        """The plans, one of them chosen."""
        return plan_choices(self["plan_slug"].value() or "")

    @property
    def chosen(self) -> PlanChoice | None:
        """The plan that the page is about."""
        return chosen_of(self.plan_choices)

    @cached_property
    def ways(self) -> list[Way]:
        """By what the chosen plan can be paid in the country that was chosen."""
        country, wanted = self["billing_country"].value() or "", self["payment_method"].value() or ""
        return ways_to_pay(self.chosen.plan if self.chosen else None, country, wanted)


class SignupForm(PlanForm):
    """As the API's RegisterInput, on one page."""

    first_name = name_field(
        gettext_lazy("First name"),
        "given-name",
        judge=NameField,
        error_messages={"required": gettext_lazy("Enter your first name.")},
    )
    last_name = name_field(
        gettext_lazy("Last name"),
        "family-name",
        judge=NameField,
        error_messages={"required": gettext_lazy("Enter your last name.")},
    )
    email = email_field()
    password = password_field(is_new=True, label=gettext_lazy("Password"))
    account_name = name_field(
        gettext_lazy("Company"),
        "organization",
        judge=CompanyNameField,
        limit=200,
        required=False,
        help_text=gettext_lazy("Stands on invoices. Left empty: your own name."),
    )
    terms_version = forms.CharField(required=False, widget=forms.HiddenInput(), max_length=50)
    terms_accepted = forms.BooleanField(
        error_messages={"required": gettext_lazy("Agree to the terms to go on. Read them first, they are linked here.")}
    )

    def clean(self) -> dict[str, Any]:
        """Refuses terms that are not those of this moment."""
        data = super().clean()
        if data.get("terms_accepted") and data.get("terms_version") != settings.TERMS_VERSION:
            self.add_error("terms_accepted", _("Our terms were changed at this moment. Please look at them again."))
        return data


class OrderForm(PlanForm):
    """As the API's OrderInput, for somebody who has an account: only plans that cost something are ordered."""

    def __init__(self, account: Account, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        known = {name: getattr(account, name) for name in BILLING_DETAILS}
        self.initial = {**known, **self.initial}

    @cached_property
    def plan_choices(self) -> list[PlanChoice]:
        """The plans that cost something, one of them chosen."""
        return paid_choices(self["plan_slug"].value() or "")

    def clean(self) -> dict[str, Any]:
        """Refuses a free plan, which is nothing to order."""
        data = super().clean()
        if self.plan and self.plan.is_free:
            self.add_error("plan_slug", str(_(PlanNotOffered.text)))
        return data


def typed_into(form: type[PlanForm], data: Any) -> dict[str, Any]:
    """What was typed, to be shown again without being judged."""
    return {name: data.get(name) for name in form.base_fields if name in data and name not in NEVER_SHOWN_AGAIN}
