"""Operators configure what customers are offered: payment methods per country, and what operations cost."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.business.billing.models import PaymentMethodConfig
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

METHODS, COSTS = "/api/v1/admin/payment-methods/", "/api/v1/admin/credit-costs/"
WALLET = {"country_code": "PK", "payment_method": "local_wallet", "display_name": "JazzCash"}
COST = {"operation_type": "translation", "display_name": "Translation", "credits_per_unit": 3, "unit": "100 words"}
Login = Callable[[User], APIClient]


@pytest.fixture
def operator(olga: User, as_user: Login) -> APIClient:
    return as_user(olga)


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["display_name"] for row in response.json()["data"]]


# --- Payment methods ----------------------------------------------------------------------------------------------


def test_the_list_shows_every_row_also_those_switched_off(operator: APIClient) -> None:
    make.payment_method(sort_order=3)
    make.payment_method(country_code="DE", display_name="SEPA", sort_order=1, is_enabled=False)
    make.payment_method(country_code="PK", payment_method="local_wallet", display_name="JazzCash", sort_order=2)

    assert names(operator.get(METHODS)) == ["SEPA", "JazzCash", "Bank Transfer"]
    assert names(operator.get(METHODS, {"country": "PK"})) == ["JazzCash"]
    assert names(operator.get(METHODS, {"country": "*"})) == ["Bank Transfer"]
    assert names(operator.get(METHODS, {"payment_method": "bank_transfer"})) == ["SEPA", "Bank Transfer"]
    assert names(operator.get(METHODS, {"is_enabled": "false"})) == ["SEPA"]
    assert names(operator.get(METHODS, {"is_enabled": "true"})) == ["JazzCash", "Bank Transfer"]
    for wrong in ("country=pk", "country=PAK", "country=", "is_enabled=yes", "payment_method=cash"):
        assert operator.get(f"{METHODS}?{wrong}").status_code == 400, wrong


def test_a_method_is_offered_changed_and_removed(operator: APIClient, olga: User, api: APIClient) -> None:
    details = {"wallet_type": "JazzCash", "wallet_id": "03001234567", "instructions": "Send it,\nthen tell us."}

    made = operator.post(METHODS, {**WALLET, **details, "sort_order": 4}, format="json")
    assert made.status_code == 201
    data = made.json()["data"]
    assert {name: data[name] for name in {**WALLET, **details}} == {**WALLET, **details}
    assert (data["is_enabled"], data["is_available"], data["sort_order"]) == (True, True, 4)
    path = f"{METHODS}{data['id']}/"
    assert operator.get(path).json()["data"] == data

    changed = operator.patch(path, {"display_name": "Easypaisa", "is_enabled": False}, format="json")
    assert changed.json()["data"] == {**data, "display_name": "Easypaisa", "is_enabled": False}

    assert operator.delete(path).status_code == 200
    assert operator.get(path).status_code == operator.delete(path).status_code == 404
    assert operator.patch(path, {"sort_order": 1}, format="json").status_code == 404
    events = Event.objects.filter(object_type="billing.paymentmethodconfig").order_by("pk")
    assert [event.type for event in events] == [
        "payment_method_config.created", "payment_method_config.updated", "payment_method_config.deleted",
    ]  # fmt: skip
    assert {(event.actor_id, event.object_id) for event in events} == {(olga.pk, str(data["id"]))}
    assert events[1].data == {"name": "PK Easypaisa", "changed": {"display_name": "Easypaisa", "is_enabled": False}}


def test_customers_are_offered_what_operators_configured(operator: APIClient, api: APIClient) -> None:
    operator.post(METHODS, {**WALLET, "country_code": "*"}, format="json")
    operator.post(METHODS, {**WALLET, "is_enabled": False}, format="json")

    assert api.get("/api/v1/billing/payment-methods/?country=PK").json() == []
    assert [row["display_name"] for row in api.get("/api/v1/billing/payment-methods/?country=DE").json()] == [
        "JazzCash"
    ]


def test_a_change_of_nothing_changes_nothing(operator: APIClient) -> None:
    config = make.payment_method()
    before = fingerprint()

    assert operator.patch(f"{METHODS}{config.pk}/", {}, format="json").status_code == 200
    assert fingerprint() == before


def test_a_country_has_a_method_once(operator: APIClient) -> None:
    taken, other = make.payment_method(country_code="PK"), make.payment_method(country_code="DE")
    before = fingerprint()

    again = operator.post(METHODS, {**WALLET, "payment_method": "bank_transfer"}, format="json")
    moved = operator.patch(f"{METHODS}{other.pk}/", {"country_code": "PK"}, format="json")

    assert taken.country_code == "PK"
    for response in (again, moved):
        assert (response.status_code, refusal(response)["code"]) == (409, "payment_method_configured")
    assert fingerprint() == before


WRONG_METHODS: list[tuple[str, Any]] = [
    *(("country_code", value) for value in ("", "PAK", "XX", "**", "EU", "*PK", 1, None, True, [], "%")),
    *(("payment_method", value) for value in ("", "cash", "Stripe", 1, None, [])),
    *(("display_name", value) for value in ("", " ", "x" * 101, 1, None, "\u202e", "a\nb")),
    *(("is_enabled", value) for value in ("true", 1, 0, None, "", [])),
    *(("instructions", value) for value in (None, 1, "x" * 4001, "\u200b")),
    *(("sort_order", value) for value in (-1, 32768, 1.0, "1", True, None)),
    *(("swift_code", value) for value in ("abc", "ABC", "ABC KKA", "ABCPKKA", "DEUTDEFF50", "deutdeff", "DEUT DEFF")),
    *(("swift_code", value) for value in ("A" * 12, 1, "ABCDPKKÄ", "DEUTZZFF", "12345678", "DEUTDE")),
    *(("account_number", value) for value in ("1" * 51, 1234, None)),
    *(("iban", value) for value in ("GB29NWBK60161331926818", "GB", "29", "GB29 NWBK 6016 1331 9268 19 00", 1, None)),
    *(("iban", value) for value in ("ZZ1812345678901234", "DE5112345678901", "PK0700000000000", "DE00" + "0" * 18)),
    *(("iban", value) for value in ("PK24SCBL00000011234567٠٢", "GB29-NWBK-6016-1331-9268-19", "XX")),
]


def test_what_is_wrong_with_a_method_is_refused_by_name(operator: APIClient) -> None:
    config = make.payment_method()
    before = fingerprint()

    for field, value in WRONG_METHODS:
        made = operator.post(METHODS, {**WALLET, field: value}, format="json")
        changed = operator.patch(f"{METHODS}{config.pk}/", {field: value}, format="json")

        for response in (made, changed):
            assert response.status_code == 400, (field, value)
            assert list(refusal(response)["errors"]) == [field], value
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("iban", "stored"),
    [
        ("GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819"),
        ("de89370400440532013000", "DE89370400440532013000"),
        ("GB29\u00a0NWBK\u00a06016 1331\u202f9268\u200919", "GB29NWBK60161331926819"),
        ("PK36SCBL0000001123456702", "PK36SCBL0000001123456702"),
        ("MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001S"),
        ("", ""),
    ],
)
def test_an_iban_is_stored_in_one_form(operator: APIClient, iban: str, stored: str) -> None:
    data = operator.post(METHODS, {**WALLET, "iban": iban, "swift_code": "ABCDPKKA"}, format="json").json()["data"]

    assert (data["iban"], data["swift_code"]) == (stored, "ABCDPKKA")


@pytest.mark.parametrize("missing", ["country_code", "payment_method", "display_name"])
def test_a_method_needs_country_method_and_name(operator: APIClient, missing: str) -> None:
    response = operator.post(METHODS, {name: WALLET[name] for name in WALLET if name != missing}, format="json")

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == [missing]
    assert not PaymentMethodConfig.objects.exists()


# --- Costs --------------------------------------------------------------------------------------------------------


def test_costs_are_made_changed_and_taken_out_of_use(operator: APIClient, olga: User) -> None:
    make.credit_cost()

    made = operator.post(COSTS, COST, format="json")
    assert made.status_code == 201
    data = made.json()["data"]
    assert data == {**COST, "id": data["id"], "is_active": True}
    changed = operator.patch(f"{COSTS}{data['id']}/", {"credits_per_unit": 4, "is_active": False}, format="json")
    assert changed.json()["data"] == {**data, "credits_per_unit": 4, "is_active": False}

    assert names(operator.get(COSTS)) == ["Article", "Translation"]
    assert names(operator.get(COSTS, {"is_active": "true"})) == ["Article"]
    assert names(operator.get(COSTS, {"ordering": "-operation_type"})) == ["Translation", "Article"]
    events = Event.objects.filter(object_type="billing.creditcostconfig").order_by("pk")
    assert [(event.type, event.actor_id) for event in events] == [
        ("credit_cost.created", olga.pk), ("credit_cost.updated", olga.pk),
    ]  # fmt: skip
    assert events[1].data["changed"] == {"credits_per_unit": 4, "is_active": False}


def test_an_operation_has_its_costs_once_and_keeps_its_name(operator: APIClient) -> None:
    cost = make.credit_cost()
    before = fingerprint()

    again = operator.post(COSTS, {**COST, "operation_type": "article"}, format="json")
    renamed = operator.patch(f"{COSTS}{cost.pk}/", {"operation_type": "essay"}, format="json")
    deleted = operator.delete(f"{COSTS}{cost.pk}/")

    assert (again.status_code, refusal(again)["code"]) == (409, "credit_cost_exists")
    assert (renamed.status_code, list(refusal(renamed)["errors"])) == (400, ["operation_type"])
    assert deleted.status_code == 405
    assert fingerprint() == before


WRONG_COSTS: list[tuple[str, Any]] = [
    *(("credits_per_unit", value) for value in (0, -1, 1.0, 1.5, "1", True, None, 2**31, 10**26, [])),
    *(("display_name", value) for value in ("", " ", "x" * 101, 1, None)),
    *(("unit", value) for value in ("", "x" * 51, 1, None)),
    *(("is_active", value) for value in ("true", 1, None)),
]


def test_what_is_wrong_with_costs_is_refused_by_name(operator: APIClient) -> None:
    cost = make.credit_cost()
    before = fingerprint()

    for field, value in WRONG_COSTS:
        made = operator.post(COSTS, {**COST, field: value}, format="json")
        changed = operator.patch(f"{COSTS}{cost.pk}/", {field: value}, format="json")

        for response in (made, changed):
            assert response.status_code == 400, (field, value)
            assert list(refusal(response)["errors"]) == [field], value
    assert fingerprint() == before


@pytest.mark.parametrize("name", ["", "Translation", "a b", "-a", "ä", "x" * 51, 1, None, "a\nb"])
def test_an_operation_is_named_in_small_letters(operator: APIClient, name: Any) -> None:
    response = operator.post(COSTS, {**COST, "operation_type": name}, format="json")

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == ["operation_type"]


def test_costs_that_are_not_there_are_404(operator: APIClient) -> None:
    assert operator.patch(f"{COSTS}987654321/", {"credits_per_unit": 4}, format="json").status_code == 404
