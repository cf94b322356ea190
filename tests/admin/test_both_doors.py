"""What the API refuses the console refuses, in the same words; what it takes is stored in the same form."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from rest_framework import serializers
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Industry, Plan, User
from igny8_core.business.billing.models import CreditCostConfig, CreditPackage, Invoice, PaymentMethodConfig
from igny8_core.business.billing.serializers import BicField, CountryOrAllField, IbanField
from igny8_core.common.api import fields
from igny8_core.common.api.priced import CurrencyCodeField, PriceField
from igny8_core.common.strict_forms import StrictForm, as_json, sentences
from tests import make
from tests.admin.samples import first_of_each
from tests.admin.test_every_page import address
from tests.api.world import fingerprint
from tests.cases import some_of

# A form says what is wrong before it is drawn.
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn")]

HIDDEN = ["a\u202eb", "a\u200bb", "a\x07b", "a\ue000b", "a\x00b"]
LONG = 5_000
# What is wrong for each kind of field; the first kind that a field is of counts.
WRONG: list[tuple[type[serializers.Field[Any, Any, Any, Any]], list[str]]] = [
    (IbanField, ["DE5112345678901", "GB29NWBK60161331926818", "XX", *HIDDEN]),
    (BicField, ["ABC", "ABCPKKA", "deutdeff", "1" * 40, *HIDDEN]),
    (CountryOrAllField, ["EU", "XX", "PAK", "**", "", *HIDDEN]),
    (fields.CountryCodeField, ["EU", "XX", "PAK", "ＰＫ", *HIDDEN]),
    (fields.TimeZoneField, ["Factory", "localtime", "Mars/Base", "utc", ""]),
    (CurrencyCodeField, ["ABC", "XAU", "XXX", "DEM", "US", "EURO", "", *HIDDEN]),
    (
        PriceField,
        ["-1", "1e2", "NaN", "Infinity", "1,50", "٩٩", "1_000", "0.004", "9" * 11, "9" * 40, "0x10", "", "abc"],
    ),
    (fields.WholeNumberField, ["-1", "1.5", "1e3", "٣", "2147483648", "9" * 40, "abc", "1 000"]),
    (fields.EmailAddressField, ["no address", "a@b", "ä@example.com", "a@" + "b" * 260 + ".com", *HIDDEN]),
    (serializers.ListField, ["Everything", '{"a": 1}', "1", '["\\u202e"]', "[1]", '["x", ""]', "[" * 100_000]),
    (serializers.ChoiceField, ["nonsense", "Stripe", "0"]),
    (fields.CodeField, ["a b", "ä", "a/b", "x" * LONG, *HIDDEN]),
    (fields.PlainTextField, ["x" * LONG, "e" + "\u0301" * 9, *HIDDEN]),
]
# What is chosen from rows, ticked, or held against the password rules.
FIELDS_BEYOND = {
    "auth.Group": {"permissions"},
    "igny8_auth.User": {
        *("groups", "is_active", "is_staff", "is_superuser", "password"),
    },
}


def kinds(rule: serializers.Field[Any, Any, Any, Any]) -> list[str]:
    return next((values for kind, values in WRONG if isinstance(rule, kind)), [])


def editable() -> Iterator[type[Model]]:
    """The models whose pages have a form."""
    request = RequestFactory().get("/")
    request.user = User(is_staff=True, is_superuser=True, is_active=True)
    for model, pages in admin.site._registry.items():
        if pages.has_add_permission(request) or pages.has_change_permission(request):
            yield model


EDITABLE = {model._meta.label: model for model in editable()}


@pytest.fixture
def rows(olga: User) -> dict[str, Model]:
    """A row of every model that can be edited."""
    account = first_of_each("x")
    invoice = make.invoice(account)
    latest = {label: model._default_manager.latest("pk") for label, model in EDITABLE.items()}
    return {**latest, "igny8_auth.Account": account, "billing.Invoice": invoice, "igny8_auth.User": account.owner}


def page_of(console: Client, row: Model) -> Any:
    return console.get(address(type(row), "change", row.pk)).context_data["adminform"].form


def as_sent(form: Any) -> dict[str, Any]:
    """The form's values as a browser sends them."""
    values = {name: form[name].value() for name in form.fields}
    return {
        name: "on" if value is True else value
        for name, value in values.items()
        if value is not None and value is not False and not isinstance(value, list)
    } | {"features": "[]"}


def test_every_form_of_the_console_is_judged_by_the_api_s_rules(console: Client, rows: dict[str, Model]) -> None:
    assert set(EDITABLE) == {
        *("auth.Group", "igny8_auth.Account", "igny8_auth.Industry", "igny8_auth.Plan", "igny8_auth.User"),
        *("billing.CreditCostConfig", "billing.CreditPackage", "billing.Invoice", "billing.PaymentMethodConfig"),
        "billing.BusinessDay",
    }
    for label, row in rows.items():
        form = page_of(console, row)

        assert isinstance(form, StrictForm), label
        assert set(form.fields) - set(form.rules().fields) == FIELDS_BEYOND.get(label, set()) & set(form.fields), label


def wrong_values(form: Any, row: Model, name: str, rule: serializers.Field[Any, Any, Any, Any]) -> list[str]:
    """What the API refuses of the values that are tried for this kind of field."""
    return [
        wrong
        for wrong in kinds(rule)
        if not form.rules(row, data={name: as_json(rule, wrong)}, partial=True).is_valid()
    ]


def refuses(rule: serializers.Field[Any, Any, Any, Any], wrong: str) -> bool:
    """Whether the field itself refuses the value, whatever the others hold."""
    try:
        rule.run_validation(as_json(rule, wrong))
    except serializers.ValidationError:
        return True
    return False


def rounds_of(values: dict[str, list[str]]) -> Iterator[dict[str, str]]:
    """The first value of each field, then the second of each that has one, and so on."""
    for number in range(max(map(len, values.values()))):
        yield {name: wrongs[number] for name, wrongs in values.items() if number < len(wrongs)}


@pytest.mark.parametrize("label", some_of(sorted(EDITABLE), each=3))
def test_every_field_refuses_what_the_api_refuses_in_its_words(
    console: Client, rows: dict[str, Model], label: str
) -> None:
    row = rows[label]
    form, tried = page_of(console, row), 0
    before = fingerprint()
    rules = {name: rule for name, rule in form.rules().fields.items() if name in form.fields}
    wrongs = {name: wrong_values(form, row, name, rule) for name, rule in rules.items()}
    # Each answer takes its time, so one is asked about one wrong value of every field at once.
    together = {name: [one for one in values if refuses(rules[name], one)] for name, values in wrongs.items()}
    # What is only wrong beside another field, such as a price for its currency, is tried by itself.
    alone = [{name: one} for name, values in wrongs.items() for one in values if one not in together[name]]
    for typed in [*rounds_of(together), *alone]:
        judge = form.rules(row, data={name: as_json(rules[name], wrong) for name, wrong in typed.items()}, partial=True)
        assert not judge.is_valid()
        answer = console.post(address(type(row), "change", row.pk), as_sent(form) | typed)

        assert answer.status_code == 200, typed
        shown = answer.context_data["adminform"].form.errors
        for name, wrong in typed.items():
            assert shown.get(name) == sentences(judge.errors[name]), (name, wrong[:20])
            tried += 1
    assert tried >= 5
    assert fingerprint() == before


Ask = Callable[[str, Any], Any]


@pytest.mark.parametrize("label", ["billing.PaymentMethodConfig", "billing.CreditCostConfig", "igny8_auth.Account"])
def test_the_api_s_own_answer_is_the_sentence_of_the_console(
    console: Client, rows: dict[str, Model], as_user: Any, olga: User, label: str
) -> None:
    row = rows[label]
    owner = rows["igny8_auth.User"]
    assert isinstance(owner, User)
    client, path = api_of(row, as_user(olga), as_user(owner))
    form, tried = page_of(console, row), 0
    before = fingerprint()
    rules = {name: rule for name, rule in form.rules().fields.items() if name in form.fields}
    rules.pop("payment_method", None)
    for typed in rounds_of({name: kinds(rule)[:3] for name, rule in rules.items()}):
        sent = {name: as_json(rules[name], wrong) for name, wrong in typed.items()}
        refused = client.patch(path, sent, format="json")
        answer = console.post(address(type(row), "change", row.pk), as_sent(form) | typed)

        assert refused.status_code == 400, typed
        for name, wrong in typed.items():
            assert answer.context_data["adminform"].form.errors[name] == refused.json()["errors"][name], (name, wrong)
            tried += 1
    assert tried >= 5
    assert fingerprint() == before


def api_of(row: Model, operator: APIClient, owner: APIClient) -> tuple[APIClient, str]:
    if isinstance(row, PaymentMethodConfig):
        return operator, f"/api/v1/admin/payment-methods/{row.pk}/"
    if isinstance(row, CreditCostConfig):
        return operator, f"/api/v1/admin/credit-costs/{row.pk}/"
    return owner, "/api/v1/account/settings/"


# --- A price and its currency ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "change", "field", "sentence"),
    [
        (Plan, {"price": "0.004"}, "price", 'USD has 2 decimals. Write the amount like "89.00".'),
        (Plan, {"price": "139.50", "currency": "JPY"}, "price", 'JPY has 0 decimals. Write the amount like "89".'),
        (CreditPackage, {"currency": "JPY", "price": "9.50"}, "price", "JPY has 0 decimals"),
        (CreditPackage, {"price": "0.01", "discount_percentage": "99"}, "price", "Nothing is left to pay in USD"),
        (CreditPackage, {"price": "0"}, "price", "more than zero"),
    ],
)
def test_a_price_fits_its_currency(
    console: Client, rows: dict[str, Model], model: type[Model], change: dict[str, str], field: str, sentence: str
) -> None:
    row, before = rows[model._meta.label], fingerprint()

    answer = console.post(address(model, "change", row.pk), {**as_sent(page_of(console, row)), **change})

    assert sentence in answer.context_data["adminform"].form.errors[field][0]
    assert fingerprint() == before


def test_a_currency_alone_is_held_against_the_price_that_is_stored(console: Client) -> None:
    plan = make.plan("odd", price="89.50")
    before = fingerprint()

    answer = console.post(address(Plan, "change", plan.pk), {**as_sent(page_of(console, plan)), "currency": "JPY"})

    assert "JPY has 0 decimals" in answer.context_data["adminform"].form.errors["price"][0]
    assert fingerprint() == before


# --- What is right ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", sorted(EDITABLE))
def test_a_form_that_nobody_changed_is_saved_as_it_is(console: Client, rows: dict[str, Model], label: str) -> None:
    row = rows[label]
    form = page_of(console, row)

    answer = console.post(address(type(row), "change", row.pk), as_sent(form))

    assert answer.status_code == 302, answer.context_data["adminform"].form.errors
    stored = type(row)._default_manager.get(pk=row.pk)
    kept = [name for name in form.fields if name not in {"features", "password", "permissions", "groups"}]
    assert [getattr(stored, name) for name in kept] == [getattr(row, name) for name in kept]


def test_what_is_typed_is_stored_in_the_api_s_form(console: Client, rows: dict[str, Model]) -> None:
    plan, account = rows["igny8_auth.Plan"], rows["igny8_auth.Account"]
    sent = {"name": " Cafe\u0301 ", "currency": "eur", "price": "0", "features": '["One", " Two "]'}

    console.post(address(Plan, "change", plan.pk), {**as_sent(page_of(console, plan)), **sent})
    console.post(
        address(Account, "change", account.pk),
        {**as_sent(page_of(console, account)), "billing_country": "GB", "billing_email": "New@Example.COM"},
    )

    plan, account = Plan.objects.get(pk=plan.pk), Account.objects.get(pk=account.pk)
    assert (plan.name, plan.currency, plan.price, plan.features) == ("Café", "EUR", 0, ["One", "Two"])
    assert (account.billing_country, account.billing_email) == ("GB", "new@example.com")


def test_a_new_row_is_judged_too(console: Client, rows: dict[str, Model]) -> None:
    before = fingerprint()
    wrong = {"name": "a\u202eb", "slug": "a b", "price": "1e2", "currency": "ABC", "billing_cycle": "daily"}

    answer = console.post(address(Plan, "add"), {**as_sent(page_of(console, rows["igny8_auth.Plan"])), **wrong})

    assert set(answer.context_data["adminform"].form.errors) == set(wrong)
    assert fingerprint() == before


def test_an_operation_keeps_its_name_in_the_console_too(console: Client) -> None:
    cost = make.credit_cost()

    console.post(
        address(CreditCostConfig, "change", cost.pk), {**as_sent(page_of(console, cost)), "operation_type": "essay"}
    )

    assert CreditCostConfig.objects.get(pk=cost.pk).operation_type == "article"


def test_a_paid_invoice_has_no_form(console: Client) -> None:
    invoice = Invoice.objects.get(pk=make.refund(make.account()).invoice_id)

    assert page_of(console, invoice).fields == {}
    assert Industry.objects.count() == 0
