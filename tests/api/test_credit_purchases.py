"""Buying credit packages: what is for sale, what an order makes, and what payment grants (docs/domain.md section 4)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditPackage, CreditTransaction, Invoice
from igny8_core.business.billing.services.payment_methods.saved import add_method
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

PACKAGES, PURCHASE = "/api/v1/billing/credits/packages/", "/api/v1/billing/credits/purchase/"
Login = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def offers(db: None) -> None:
    make.payment_method(bank_name="ABC Bank")
    make.payment_method(payment_method="stripe", display_name="Card")
    make.credit_package(is_featured=True, sort_order=2)
    make.credit_package(slug="starter", credits=500, price=Decimal("9.00"), discount_percentage=0, sort_order=1)


def buy(client: APIClient, **body: Any) -> Any:
    return client.post(PURCHASE, {"package": "pro", **body}, format="json")


def test_what_is_for_sale_is_shown_with_what_is_charged(bob: User, as_user: Login) -> None:
    make.credit_package(slug="old", is_active=False)

    rows = as_user(bob).get(PACKAGES).json()["data"]

    assert [row["slug"] for row in rows] == ["starter", "pro"]
    assert rows[1] == {
        "slug": "pro",
        "name": "Pro",
        "credits": 2000,
        "price": "29.00",
        "discount_percentage": 10,
        "final_price": "26.10",
        "currency": "USD",
        "valid_days": None,
        "is_featured": True,
    }


def test_the_four_packages_of_a_new_installation_cost_what_is_documented(bob: User, as_user: Login) -> None:
    CreditPackage.objects.all().delete()
    call_command("seed_defaults", verbosity=0)

    rows = as_user(bob).get(PACKAGES).json()["data"]

    figures = {row["slug"]: (row["credits"], row["price"], row["final_price"]) for row in rows}
    assert figures == {
        "starter": (500, "9.00", "9.00"),
        "pro": (2000, "29.00", "26.10"),
        "business": (5000, "69.00", "58.65"),
        "enterprise": (20000, "249.00", "199.20"),
    }
    assert [row["slug"] for row in rows if row["is_featured"]] == ["pro"]


def test_an_order_makes_an_invoice_and_says_how_to_pay(alice: User, as_user: Login, account_a: Account) -> None:
    response = buy(as_user(alice), payment_method="bank_transfer")

    data = response.json()["data"]
    assert response.status_code == 201
    assert set(data) == {"invoice", "payment_instructions"}
    assert (data["invoice"]["status"], data["invoice"]["total"], data["invoice"]["currency"]) == (
        "pending", "26.10", "USD",
    )  # fmt: skip
    assert data["invoice"]["subscription_id"] is None
    assert data["payment_instructions"]["bank_name"] == "ABC Bank"
    [line] = Invoice.objects.get(account=account_a).line_items
    assert line == {
        "description": "Credit package Pro, 2000 credits",
        "quantity": 1,
        "amount": "26.10",
        "kind": "credit_package",
        "package": "pro",
        "credits": 2000,
        "valid_days": None,
    }
    event = Event.objects.get(type="invoice.created")
    assert event.actor_id == alice.pk
    account_a.refresh_from_db()
    assert account_a.credits == 0


@pytest.mark.parametrize("valid_days", [None, 30])
def test_the_payment_grants_the_credits_once_counted_from_when_it_was_taken(
    alice: User, as_user: Login, account_a: Account, olga: User, valid_days: int | None
) -> None:
    CreditPackage.objects.filter(slug="pro").update(valid_days=valid_days)
    buy(as_user(alice))
    # Later edits of the package do not reach what was ordered.
    CreditPackage.objects.filter(slug="pro").update(credits=1, price=1, valid_days=1, is_active=False)

    settlement = PaymentService.approve_manual_payment(make.submitted_payment(Invoice.objects.get()), olga)

    grant = CreditGrant.objects.get()
    paid_at = settlement.payment.processed_at
    assert paid_at
    assert settlement.credits_added == settlement.total_credits == grant.amount == 2000
    assert (grant.kind, grant.source) == ("purchase", f"invoice:{settlement.invoice.pk}")
    assert grant.expires_at == (paid_at + timedelta(days=valid_days) if valid_days else None)
    assert CreditTransaction.objects.get().transaction_type == "purchase"
    assert broken_invariants() == []


def test_a_package_is_invoiced_in_its_own_currency(alice: User, as_user: Login, olga: User) -> None:
    make.credit_package(slug="yen", price=Decimal(1500), currency="JPY", discount_percentage=15)

    invoice = buy(as_user(alice), package="yen").json()["data"]["invoice"]
    settlement = PaymentService.approve_manual_payment(make.submitted_payment(Invoice.objects.get()), olga)

    assert (invoice["total"], invoice["currency"], invoice["line_items"][0]["amount"]) == ("1275", "JPY", "1275")
    assert settlement.credits_added == 2000
    assert broken_invariants() == []


def test_without_a_method_the_account_s_default_counts_where_it_is_offered(
    alice: User, as_user: Login, account_a: Account
) -> None:
    make.payment_method(payment_method="local_wallet", display_name="Wallet")
    client = as_user(alice)

    def method() -> str:
        return str(buy(client).json()["data"]["payment_instructions"]["payment_method"])

    first = method()
    add_method(account_a, "local_wallet", "", alice)
    default = method()
    make.payment_method(country_code="PK", payment_method="local_wallet", display_name="Wallet", is_enabled=False)
    Account.objects.filter(pk=account_a.pk).update(billing_country="PK")

    assert (first, default, method()) == ("bank_transfer", "local_wallet", "bank_transfer")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"package": "gold"}, 400, "package_not_offered"),
        ({"package": "PRO"}, 400, "package_not_offered"),
        ({"package": "old"}, 400, "package_not_offered"),
        ({"package": ""}, 400, "invalid_input"),
        ({"package": 1}, 400, "invalid_input"),
        ({"package": "x" * 51}, 400, "invalid_input"),
        ({"payment_method": "paypal"}, 400, "payment_method_not_available"),
        ({"payment_method": "manual"}, 400, "payment_method_not_available"),
        ({"payment_method": "cash"}, 400, "invalid_input"),
        ({"payment_method": "stripe"}, 503, "gateway_not_configured"),
        ({"quantity": 2}, 400, "invalid_input"),
        ({"amount": "1.00"}, 400, "invalid_input"),
    ],
    ids=str,
)
def test_what_cannot_be_ordered_is_refused_and_makes_nothing(
    alice: User, as_user: Login, body: dict[str, Any], status: int, code: str
) -> None:
    make.credit_package(slug="old", is_active=False)
    client = as_user(alice)
    before = fingerprint()

    response = buy(client, **body)

    assert (response.status_code, refusal(response)["code"]) == (status, code)
    assert ("Retry-After" in response) == (status == 503)
    assert fingerprint() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_only_owner_and_admin_order(role: Role, as_user: Login, account_a: Account) -> None:
    client = as_user(make.user(account=account_a, role=role))
    before = fingerprint()

    assert buy(client).status_code == 403
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"status": "pending_payment"}, 402),
        ({"status": "suspended", "suspended_reason": "operator"}, 403),
        ({"status": "suspended", "suspended_reason": "non_payment"}, 402),
        ({"status": "canceled"}, 403),
        ({"status": "trial"}, 201),
        ({"status": "past_due"}, 201),
    ],
    ids=str,
)
def test_who_may_not_use_the_product_buys_no_credits(as_user: Login, state: dict[str, str], status: int) -> None:
    client = as_user(make.owner(state))
    before = fingerprint()

    # The state comes first: an unknown package tells nothing else.
    answers = [buy(client, package=package).status_code for package in ("pro", "gold")]

    assert answers == [status, 400 if status == 201 else status]
    assert (fingerprint() == before) == (status != 201)
