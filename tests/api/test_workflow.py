"""The documented journey over HTTP: trial, paid signup approved or rejected."""

import re
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, SiteUserAccess, User
from igny8_core.business.billing.models import AccountPaymentMethod, CreditTransaction, Invoice, Payment
from igny8_core.events.models import Event
from tests import make
from tests.api.world import World, refusal

pytestmark = pytest.mark.django_db

PASSWORD = make.PASSWORD
TRIAL = {
    "email": "freetrial@test.com",
    "password": PASSWORD,
    "password_confirm": PASSWORD,
    "first_name": "Free",
    "last_name": "Trial",
}
PAID = {
    "email": "paiduser@test.com",
    "password": PASSWORD,
    "password_confirm": PASSWORD,
    "first_name": "Paid",
    "last_name": "User",
    "plan_slug": "starter",
    "billing_email": "billing@test.com",
    "billing_country": "PK",
    "billing_city": "Karachi",
    "billing_address_line1": "123 Main Street",
    "payment_method": "bank_transfer",
}
REGISTERED_KEYS = {"token", "refresh", "user", "account", "subscription", "invoice", "payment_instructions"}
CONFIRM = "/api/v1/billing/admin/payments/confirm/"


def post(client: APIClient, path: str, data: dict[str, Any], status: int) -> Any:
    response = client.post(path, data, format="json")
    assert response.status_code == status, response.content
    answer = response.json()
    if status < 400:
        assert set(answer) == {"success", "message", "data"}
        assert answer["success"] is True
    return answer


def log_in(email: str, password: str = PASSWORD) -> APIClient:
    data = post(APIClient(), "/api/v1/auth/login/", {"email": email, "password": password}, 200)["data"]
    assert set(data) == {"token", "refresh", "user", "account"}
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['token']}")
    return client


def test_scenario_1_a_free_trial(api: APIClient, defaults: None) -> None:
    data = post(api, "/api/v1/auth/register/", TRIAL, 201)["data"]

    assert set(data) == REGISTERED_KEYS
    assert (data["account"]["status"], data["account"]["credits"]) == ("trial", 1000)
    assert data["account"]["plan"]["slug"] == "free"
    assert data["subscription"] is data["invoice"] is data["payment_instructions"] is None
    assert data["user"]["role"] == "owner"

    client = log_in(TRIAL["email"])
    balance = client.get("/api/v1/billing/credits/balance/").json()["data"]
    assert (balance["credits"], balance["plan_credits"]) == (1000, 1000)
    industry = client.get("/api/v1/auth/industries/").json()["data"][0]["id"]
    missing = post(client, "/api/v1/sites/", {"name": "My site", "domain": "example.com"}, 400)
    assert missing["message"] == "industry is required."
    site = post(client, "/api/v1/sites/", {"name": "My site", "domain": "example.com", "industry": industry}, 201)
    assert SiteUserAccess.objects.get(site_id=site["data"]["id"]).user.email == TRIAL["email"]
    second = post(client, "/api/v1/sites/", {"name": "Second", "industry": industry}, 409)
    assert second["code"] == "limit_reached"


def test_scenario_2_a_paid_signup_that_is_approved(api: APIClient, defaults: None, olga: User) -> None:
    data = post(api, "/api/v1/auth/register/", PAID, 201)["data"]

    assert (data["account"]["status"], data["account"]["credits"]) == ("pending_payment", 0)
    assert data["subscription"]["status"] == "pending_payment"
    invoice = data["invoice"]
    assert (invoice["status"], invoice["total"], invoice["currency"]) == ("pending", "89.00", "USD")
    assert re.fullmatch(rf"INV-{data['account']['id']}-\d{{6}}-0001", invoice["invoice_number"])
    assert invoice["billing_snapshot"]["city"] == "Karachi"
    assert data["payment_instructions"]["bank_name"] == "ABC Bank"
    method = AccountPaymentMethod.objects.get(account_id=data["account"]["id"])
    assert (method.type, method.is_default) == ("bank_transfer", True)

    client = log_in(PAID["email"])
    industry = client.get("/api/v1/auth/industries/").json()["data"][0]["id"]
    unpaid = post(client, "/api/v1/sites/", {"name": "Too soon", "industry": industry}, 402)
    assert unpaid["code"] == "payment_required"

    confirmed = post(client, CONFIRM, confirmation(invoice["id"]), 201)
    assert confirmed["message"] == ("Payment confirmation submitted for review. You will be notified once approved.")
    payment_id = confirmed["data"].pop("payment_id")
    assert confirmed["data"] == {
        "invoice_id": invoice["id"],
        "invoice_number": invoice["invoice_number"],
        "status": "pending_approval",
        "amount": "89.00",
        "currency": "USD",
        "manual_reference": "BT-20251208-12345",
    }
    assert post(client, CONFIRM, confirmation(invoice["id"]), 409)["code"] == "confirmation_already_open"

    approve = f"/api/v1/billing/admin/payments/{payment_id}/approve/"
    operator = log_in(olga.email)
    approved = post(operator, approve, {"admin_notes": "Verified payment in bank statement on Dec 8, 2025"}, 200)
    assert approved["message"] == "Payment approved successfully. Account activated."
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", approved["data"].pop("approved_at"))
    assert approved["data"] == {
        "payment_id": payment_id,
        "invoice_id": invoice["id"],
        "invoice_number": invoice["invoice_number"],
        "account_id": data["account"]["id"],
        "account_status": "active",
        "subscription_status": "active",
        "credits_added": 1000,
        "total_credits": 1000,
        "approved_by": olga.email,
    }
    again = post(operator, approve, {}, 409)
    assert (again["code"], again["message"]) == ("payment_not_pending", "Payment not pending approval")

    account = Account.objects.get(pk=data["account"]["id"])
    assert (account.status, account.credits, account.plan.slug) == ("active", 1000, "starter")
    assert Invoice.objects.get(pk=invoice["id"]).status == "paid"
    assert [entry.amount for entry in CreditTransaction.objects.filter(account=account)] == [1000]
    post(client, "/api/v1/sites/", {"name": "My site", "industry": industry}, 201)


def test_scenario_3_a_rejected_payment_can_be_confirmed_again(api: APIClient, defaults: None, olga: User) -> None:
    data = post(api, "/api/v1/auth/register/", PAID, 201)["data"]
    client, operator = log_in(PAID["email"]), log_in(olga.email)
    first = post(client, CONFIRM, confirmation(data["invoice"]["id"]), 201)["data"]["payment_id"]

    rejected = post(
        operator, f"/api/v1/billing/admin/payments/{first}/reject/", {"admin_notes": "Reference not found"}, 200
    )

    assert rejected["data"] == {
        "payment_id": first,
        "invoice_id": data["invoice"]["id"],
        "invoice_number": data["invoice"]["invoice_number"],
        "status": "failed",
        "invoice_status": "pending",
    }
    assert client.get("/api/v1/auth/me/").json()["data"]["account"]["status"] == "pending_payment"
    # The note is the operators': the customer reads a sentence that is meant for customers.
    seen = client.get("/api/v1/billing/payments/")
    assert seen.json()["data"][0]["failure_reason"].startswith("We did not find this payment")
    assert b"Reference not found" not in seen.content
    assert Payment.objects.get(pk=first).admin_notes == "Reference not found"
    post(operator, f"/api/v1/billing/admin/payments/{first}/approve/", {}, 409)
    second = post(client, CONFIRM, confirmation(data["invoice"]["id"], manual_reference="BT-RIGHT"), 201)["data"]
    post(operator, f"/api/v1/billing/admin/payments/{second['payment_id']}/approve/", {}, 200)
    assert client.get("/api/v1/auth/me/").json()["data"]["account"]["status"] == "active"
    assert {*Event.objects.filter(account_id=data["account"]["id"]).values_list("type", flat=True)} >= {
        "payment.submitted",
        "payment.rejected",
        "payment.approved",
        "invoice.paid",
        "subscription.activated",
        "account.activated",
        "credits.granted",
    }


def confirmation(invoice_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
        "payment_method": "bank_transfer",
        "manual_reference": "BT-20251208-12345",
        "manual_notes": "Transferred via ABC Bank on Dec 8, 2025",
        "amount": "89.00",
        **changes,
    }


# --- The five cases of the troubleshooting page -------------------------------------------------------------------


def test_troubleshooting_messages_are_the_documented_ones(world: World, olga_client: APIClient) -> None:
    owner, a = world.client("owner"), world.a

    assert post(owner, CONFIRM, confirmation(a.invoice.pk + 99), 404)["message"] == "Invoice not found"
    assert post(owner, CONFIRM, confirmation(a.invoice.pk, amount="88.99"), 400)["message"] == "Amount mismatch"
    approve = f"/api/v1/billing/admin/payments/{a.payment.pk}/approve/"
    post(olga_client, approve, {}, 200)
    assert post(olga_client, approve, {}, 409)["message"] == "Payment not pending approval"
    assert post(owner, "/api/v1/sites/", {"name": "No industry"}, 400)["message"] == "industry is required."


@pytest.fixture
def olga_client(world: World) -> APIClient:
    return world.client("operator")


# --- Payment methods ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/billing/payment-methods/", "/api/v1/billing/admin/payment-methods/"])
@pytest.mark.parametrize(
    ("query", "methods"),
    [
        ("", ["stripe", "paypal", "bank_transfer"]),
        ("?country=PK", ["stripe", "paypal", "bank_transfer", "local_wallet"]),
        ("?country=pk", ["stripe", "paypal", "bank_transfer", "local_wallet"]),
        ("?country=US", ["stripe", "paypal", "bank_transfer"]),
        ("?country=FR", ["stripe", "paypal", "bank_transfer"]),
    ],
)
def test_payment_methods_are_a_bare_array_by_sort_order(
    api: APIClient, defaults: None, path: str, query: str, methods: list[str]
) -> None:
    answer = api.get(path + query).json()

    assert [method["payment_method"] for method in answer] == methods
    assert [method["is_available"] for method in answer] == [False, False, *[True] * (len(methods) - 2)]
    assert set(answer[0]) >= {
        "id", "country_code", "payment_method", "payment_method_display", "is_enabled", "display_name", "instructions",
        "bank_name", "account_number", "swift_code", "wallet_type", "wallet_id", "sort_order", "is_available",
    }  # fmt: skip


@pytest.mark.parametrize("country", ["XX", "P", "PAK", "**", "%00", "12", "pk'--", "🇵🇰", "EU"])
def test_what_is_no_country_is_400(api: APIClient, defaults: None, country: str) -> None:
    response = api.get(f"/api/v1/billing/payment-methods/?country={country}")

    assert response.status_code == 400
    refusal(response)


# --- Lists ---------------------------------------------------------------------------------------------------------


def test_a_payment_is_listed_with_its_invoice(world: World) -> None:
    payment = Payment.objects.get(pk=world.a.payment.pk)

    listed = world.client("viewer").get("/api/v1/billing/payments/").json()

    row = next(row for row in listed["data"] if row["id"] == payment.pk)
    assert listed["count"] == Payment.objects.filter(account=world.a.account).count()
    assert (row["amount"], row["invoice_number"]) == ("89.00", payment.invoice.invoice_number)


def test_an_invoice_without_a_snapshot_does_not_break_the_list(world: World) -> None:
    # As an operator may make one in the shell.
    Invoice.objects.filter(pk=world.a.invoice.pk).update(metadata={})

    response = world.client("owner").get("/api/v1/billing/invoices/")

    assert response.status_code == 200
    assert response.json()["count"] == Invoice.objects.filter(account=world.a.account).count() > 1
