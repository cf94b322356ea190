"""Paying an open invoice: what the customer is told, and what is refused (docs/workflow.md, Paying an invoice)."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_methods.saved import add_method
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.api.world import UNUSED_ID, fingerprint, refusal

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def offers(db: None) -> None:
    make.payment_method(bank_name="ABC Bank", account_number="1234567890", swift_code="ABCPKKA")
    make.payment_method(payment_method="local_wallet", display_name="Wallet", wallet_id="0300")
    make.payment_method(payment_method="stripe", display_name="Card")


def pay(client: APIClient, invoice_id: int, **body: Any) -> Any:
    return client.post(f"/api/v1/billing/invoices/{invoice_id}/pay/", body, format="json")


def test_a_manual_method_answers_what_to_send_where_and_changes_nothing(
    alice: User, as_user: Login, invoice: Invoice
) -> None:
    client = as_user(alice)
    before = fingerprint()

    response = pay(client, invoice.pk, payment_method="bank_transfer")

    data = response.json()["data"]
    instructions = data.pop("payment_instructions")
    assert response.status_code == 200
    assert data == {
        "invoice_id": invoice.pk,
        "invoice_number": invoice.invoice_number,
        "payment_method": "bank_transfer",
        "amount": "89.00",
        "currency": "USD",
        "reference": invoice.invoice_number,
        "attempt": None,
    }
    assert (instructions["bank_name"], instructions["account_number"]) == ("ABC Bank", "1234567890")
    assert instructions["is_available"] is True
    assert fingerprint() == before


def test_without_a_method_it_is_the_default_then_the_first_that_is_available(
    alice: User, as_user: Login, invoice: Invoice, account_a: Account
) -> None:
    client = as_user(alice)

    first = pay(client, invoice.pk).json()["data"]["payment_method"]
    add_method(account_a, "local_wallet", "", alice)
    default = pay(client, invoice.pk).json()["data"]["payment_method"]

    assert (first, default) == ("bank_transfer", "local_wallet")


def test_a_saved_method_is_named_by_its_id(alice: User, as_user: Login, invoice: Invoice, account_a: Account) -> None:
    saved = add_method(account_a, "local_wallet", "My wallet", alice)

    data = pay(as_user(alice), invoice.pk, saved_method=saved.pk).json()["data"]

    assert (data["payment_method"], data["payment_instructions"]["wallet_id"]) == ("local_wallet", "0300")


def test_another_accounts_saved_method_is_as_none(alice: User, as_user: Login, invoice: Invoice, charlie: User) -> None:
    assert charlie.account
    foreign = add_method(charlie.account, "local_wallet", "", charlie)
    client = as_user(alice)
    before = fingerprint()

    answers = [
        client.post(
            f"/api/v1/billing/invoices/{invoice.pk}/pay/",
            {"saved_method": method},
            format="json",
            HTTP_X_REQUEST_ID="same-request-id",
        )
        for method in (foreign.pk, UNUSED_ID)
    ]

    assert {response.status_code for response in answers} == {404}
    assert answers[0].content == answers[1].content
    assert refusal(answers[0])["code"] == "saved_method_not_found"
    assert fingerprint() == before


def test_a_saved_method_that_is_disabled_is_409(
    alice: User, as_user: Login, invoice: Invoice, account_a: Account
) -> None:
    saved = add_method(account_a, "local_wallet", "", alice)
    AccountPaymentMethod.objects.update(is_enabled=False)

    response = pay(as_user(alice), invoice.pk, saved_method=saved.pk)

    assert (response.status_code, refusal(response)["code"]) == (409, "saved_method_disabled")


def test_a_gateway_that_is_not_set_up_is_503_with_retry_after(alice: User, as_user: Login, invoice: Invoice) -> None:
    client = as_user(alice)
    before = fingerprint()

    response = pay(client, invoice.pk, payment_method="stripe")

    assert (response.status_code, refusal(response)["code"]) == (503, "gateway_not_configured")
    assert int(response["Retry-After"]) > 0
    assert fingerprint() == before


@pytest.mark.parametrize("method", ["manual", "paypal"])
def test_a_method_that_is_not_offered_in_the_country_is_400(
    alice: User, as_user: Login, invoice: Invoice, method: str
) -> None:
    response = pay(as_user(alice), invoice.pk, payment_method=method)

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == ["payment_method"]


@pytest.mark.parametrize(
    "body",
    [{"payment_method": "bank_transfer", "saved_method": 1}, {"saved_method": "1"}, {"saved_method": None},
     {"payment_method": ""}, {"payment_method": "cash"}, {"payment_method": None}, {"amount": "1.00"}],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_400(alice: User, as_user: Login, invoice: Invoice, body: dict[str, Any]) -> None:
    response = pay(as_user(alice), invoice.pk, **body)

    assert response.status_code == 400
    assert len(refusal(response)["errors"]) == 1


def test_only_an_open_invoice_without_a_confirmation_is_paid(
    alice: User, as_user: Login, invoice: Invoice, account_a: Account, olga: User
) -> None:
    client, void = as_user(alice), make.invoice(account_a)
    InvoiceService.mark_void(void, "Mistake")
    payment = make.submitted_payment(invoice)

    waiting = pay(client, invoice.pk)
    PaymentService.approve_manual_payment(payment, olga)
    paid = pay(client, invoice.pk)

    assert (waiting.status_code, refusal(waiting)["code"]) == (409, "confirmation_already_open")
    for response in (paid, pay(client, void.pk)):
        assert (response.status_code, refusal(response)["code"]) == (409, "invoice_not_payable")


def test_an_account_that_has_not_paid_can_pay(as_user: Login) -> None:
    owner = make.owner({"status": "pending_payment"})
    invoice = make.subscription(owner.account).invoices.get()

    assert pay(as_user(owner), invoice.pk).status_code == 200
