"""Money comes in as plain digits and exactly as much as is due, or not at all (docs/threats.md, AMT-01 to AMT-06)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igny8_core.auth.models import Plan, User
from igny8_core.business.billing.models import CreditTransaction, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.api.world import World, body, fingerprint, refusal, send

pytestmark = pytest.mark.django_db

CONFIRM = "api/v1/billing/admin/payments/confirm/"

NOT_MONEY: list[Any] = [
    # signs and zero (AMT-01)
    "-89.00", "-0", "-0.00", "0", "0.00", "+89.00", "--89.00", "(89.00)", "−89.00", "﹣89.00",
    # not numbers (AMT-02)
    "NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "∞", "1e400", "", " ", "null", "None", "abc",
    # other notations (AMT-03)
    "8.9E+1", "8900e-2", "89e0", "8_9.00", "89_.00", "0x59", "0b1011001", "0o131", "8 9.00", "89,00", "8,9.00", "89.",
    ".89", "89..00", "8.9.00", "89/1", "89%", "٨٩.00", "८९.00", "８９.00", "89．00", "89٫00", "⑧⑨", "8⁹", "㉈9",
    # padding and marks
    " 89.00", "89.00 ", "89.00\n", "\t89.00", "89.00\u00a0", "\u200b89.00", "89.00\u202e", "$89.00", "89.00 USD",
    "USD89",
    "'89.00'", "89.00;", "=89.00", "89.00--",
    # size (AMT-04)
    "1" + "0" * 20, "9" * 400, "1" * 26, "8" * 16 + ".00", "89." + "0" * 30,
    # decimals beyond the currency's (AMT-05)
    "89.000", "89.0000", "89.00000", "88.999", "89.001", "89.0001", "0.001",
    # not a string (AMT-06)
    89.0, 89.00, 88.999999999, 1e2, 89, 8900, 0, -89, 10**20, 10**26, True, False, None, [], ["89.00"], [89], {},
    {"amount": "89.00"}, {"$gt": 0},
]  # fmt: skip

# Money, but not what is due: ±1 minor unit, ×10, ×100, and the ends of the scale (AMT-09).
NOT_WHAT_IS_DUE = [
    "88.99", "89.01", "890.00", "8900.00", "8900", "890000", "8.90", "0.89", "0.01", "88", "90", "89.10", "98.00",
    "9999999999.99", "999999999999999.99",
]  # fmt: skip
WHAT_IS_DUE = ["89.00", "89", "89.0"]


def confirm(world: World, amount: Any) -> Any:
    return send(world, "POST", CONFIRM, "owner", {**(body(world, "POST", CONFIRM) or {}), "amount": amount})


def test_what_is_no_plain_amount_is_400_and_changes_nothing(world: World) -> None:
    before = fingerprint()

    for amount in NOT_MONEY:
        response = confirm(world, amount)

        assert response.status_code == 400, repr(amount)
        assert list(refusal(response)["errors"]) == ["amount"], repr(amount)
    assert fingerprint() == before


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000, "089.00", "0x59"])
def test_what_is_no_json_number_is_400(world: World, constant: str) -> None:
    before = fingerprint()
    text = f'{{"invoice_id": {world.a.invoice.pk}, "payment_method": "bank_transfer", "amount": {constant}}}'

    response = world.client("owner").generic("POST", f"/{CONFIRM}", text, content_type="application/json")

    assert response.status_code == 400
    refusal(response)
    assert fingerprint() == before


def test_any_other_amount_is_a_mismatch_and_changes_nothing(world: World) -> None:
    before = fingerprint()

    for amount in NOT_WHAT_IS_DUE:
        response = confirm(world, amount)

        assert response.status_code == 400, amount
        answer = refusal(response)
        assert (answer["code"], answer["message"]) == ("amount_mismatch", "Amount mismatch")
        assert answer["errors"] == {"amount": ["Expected exactly 89.00 USD."]}
    assert fingerprint() == before


@pytest.mark.parametrize("amount", WHAT_IS_DUE)
def test_what_is_due_is_taken_and_stored_as_what_is_due(world: World, amount: str) -> None:
    response = confirm(world, amount)

    assert response.status_code == 201
    assert response.json()["data"]["amount"] == "89.00"
    assert Payment.objects.get(pk=response.json()["data"]["payment_id"]).amount == Decimal("89")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.one_of(st.text(max_size=30), st.decimals().map(str), st.floats().map(repr), st.integers().map(str)))
def test_no_other_string_gets_through(world: World, amount: str) -> None:
    before = Payment.objects.count()

    response = confirm(world, amount)

    assert response.status_code == 400 or amount in WHAT_IS_DUE
    assert Payment.objects.count() == before


@pytest.mark.parametrize(
    ("currency", "price", "due", "refused"),
    [
        ("JPY", "8900", "8900", ["8900.0", "8900.00", "89.00", "89"]),
        ("KWD", "26.125", "26.125", ["26.12", "26.13", "26.1250", "26.126", "26125"]),
        ("PKR", "24900.50", "24900.50", ["24900.5000", "24900", "24900.05"]),
    ],
)
def test_the_decimals_are_those_of_the_currency(
    world: World, currency: str, price: str, due: str, refused: list[str]
) -> None:
    Plan.objects.filter(pk=world.a.account.plan_id).update(currency=currency)
    lines = [{"description": "Consulting", "quantity": 1, "amount": price}]
    world.a.invoice = make.invoice(world.a.account, line_items=lines)
    before = fingerprint()

    for amount in refused:
        assert confirm(world, amount).status_code == 400, amount
    assert fingerprint() == before
    assert confirm(world, due).json()["data"]["amount"] == due


CHANGES: list[dict[str, Any]] = [
    {"price": Decimal("1.00")},
    {"price": Decimal("9999.00")},
    {"included_credits": 1_000_000},
    {"included_credits": 0},
    {"currency": "EUR"},
    {"credits_rollover": True},
    {"slug": "renamed", "name": "Renamed"},
    {"is_active": False},
    {"is_public": False},
    {"price": Decimal("1.00"), "included_credits": 5, "credits_rollover": True, "is_active": False},
]


@pytest.mark.parametrize("moment", ["before the confirmation", "before the approval"])
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_plan_edited_after_the_invoice_changes_nothing_of_the_sale(
    olga: User, change: dict[str, Any], moment: str
) -> None:
    invoice = make.subscription().invoices.get()
    if moment == "before the confirmation":
        Plan.objects.filter(slug="starter").update(**change)
    payment = make.submitted_payment(invoice)
    Plan.objects.filter(slug="starter").update(**change)

    settlement = PaymentService.approve_manual_payment(payment, olga)

    assert (settlement.credits_added, settlement.total_credits) == (1000, 1000)
    assert (settlement.invoice.total, settlement.invoice.currency) == (Decimal("89"), "USD")
    assert CreditTransaction.objects.get().amount == 1000
    grant = settlement.account.credit_grants.get()
    assert grant.expires_at == settlement.invoice.subscription.current_period_end
