"""Card and PayPal through the API: paying, going on, saving cards, refunds (docs/workflow.md, Paying an invoice)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import AccountPaymentMethod, CreditNote, Invoice, Payment, Refund
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.models import IdempotentAnswer
from tests import make
from tests.api.world import fingerprint, refusal
from tests.rows import now

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]
BILLING = "/api/v1/billing"


@pytest.fixture
def client(alice: User, as_user: Login) -> APIClient:
    make.payment_method()
    make.payment_method(payment_method="stripe", display_name="Card")
    make.payment_method(payment_method="paypal", display_name="PayPal")
    return as_user(alice)


def post(client: APIClient, path: str, key: str = "", **body: Any) -> Any:
    extra = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.post(f"{BILLING}/{path}", body, format="json", **extra)


# --- The list of methods --------------------------------------------------------------------------------------------


def test_without_keys_the_list_shows_cards_and_paypal_as_not_available(client: APIClient) -> None:
    methods = json.loads(client.get(f"{BILLING}/payment-methods/").content)

    assert {method["payment_method"]: method["is_available"] for method in methods} == {
        "bank_transfer": True,
        "stripe": False,
        "paypal": False,
    }


def test_with_keys_they_are_available(client: APIClient, stripe: FakeStripe, paypal: FakePayPal) -> None:
    methods = json.loads(client.get(f"{BILLING}/payment-methods/").content)

    assert {method["is_available"] for method in methods} == {True}


@pytest.mark.parametrize("method", ["stripe", "paypal"])
def test_without_keys_paying_with_them_is_503_and_changes_nothing(
    client: APIClient, invoice: Invoice, method: str
) -> None:
    before = fingerprint()

    answer = post(client, f"invoices/{invoice.pk}/pay/", payment_method=method)

    assert (answer.status_code, refusal(answer)["code"]) == (503, "gateway_not_configured")
    assert answer["Retry-After"] == "3600"
    assert fingerprint() == before


# --- Cards ----------------------------------------------------------------------------------------------------------


def test_a_saved_card_pays_at_once(client: APIClient, stripe: FakeStripe, invoice: Invoice, account_a: Account) -> None:
    saved = make.saved_card(stripe, account_a)

    answer = post(client, f"invoices/{invoice.pk}/pay/", saved_method=saved.pk)

    attempt = answer.json()["data"]["attempt"]
    assert (answer.status_code, answer.json()["message"]) == (200, "The invoice is paid.")
    assert (attempt["status"], attempt["next_step"], now(invoice).status) == ("succeeded", "none", "paid")
    assert broken_invariants() == []


def test_the_default_card_pays_where_nothing_is_named(
    client: APIClient, stripe: FakeStripe, invoice: Invoice, account_a: Account
) -> None:
    make.saved_card(stripe, account_a, is_default=True)

    answer = post(client, f"invoices/{invoice.pk}/pay/")

    assert answer.json()["data"]["attempt"]["status"] == "succeeded"


def test_another_card_is_entered_with_stripe_s_form_and_the_payment_completed(
    client: APIClient, stripe: FakeStripe, invoice: Invoice
) -> None:
    attempt = post(client, f"invoices/{invoice.pk}/pay/", payment_method="stripe").json()["data"]["attempt"]
    assert (attempt["status"], attempt["next_step"]) == ("pending", "enter_card")
    assert attempt["public_key"] == "pk_test_key"

    stripe.pay_in_browser(attempt["client_secret"])
    done = post(client, f"payments/{attempt['payment_id']}/complete/")

    assert (done.status_code, done.json()["data"]["status"], now(invoice).status) == (200, "succeeded", "paid")


@pytest.mark.parametrize(
    ("card", "status", "code"),
    [("insufficient_funds", 402, "payment_declined"), ("authentication_required", 200, None)],
)
def test_a_refused_card_is_402_with_a_sentence_and_the_bank_s_question_is_a_next_step(
    client: APIClient,
    stripe: FakeStripe,
    invoice: Invoice,
    account_a: Account,
    card: str,
    status: int,
    code: str | None,
) -> None:
    asking = card == "authentication_required"
    saved = make.saved_card(stripe, account_a, "pm_card_authenticationRequired" if asking else "pm_card_visa")
    if not asking:
        stripe.set_card_declines(saved.gateway_method_id, card)

    answer = post(client, f"invoices/{invoice.pk}/pay/", saved_method=saved.pk)

    assert answer.status_code == status
    if code:
        assert refusal(answer)["code"] == code
        assert now(invoice).status == "pending"
    else:
        assert answer.json()["data"]["attempt"]["next_step"] == "authenticate"


def test_a_card_of_another_account_is_404_like_none(
    client: APIClient, stripe: FakeStripe, invoice: Invoice, charlie: User
) -> None:
    foreign = make.saved_card(stripe, charlie.account)

    for unknown in (foreign.pk, 987654321):
        answer = post(client, f"invoices/{invoice.pk}/pay/", saved_method=unknown)
        assert (answer.status_code, refusal(answer)["code"]) == (404, "saved_method_not_found")

    assert not Payment.objects.exists()


def test_nobody_is_sent_back_to_a_stranger_s_site(client: APIClient, stripe: FakeStripe, invoice: Invoice) -> None:
    for address in ("https://evil.example.com/", "//evil.example.com", "http://localhost:8011.evil.example.com/"):
        answer = post(client, f"invoices/{invoice.pk}/pay/", payment_method="stripe", return_url=address)
        assert (answer.status_code, list(refusal(answer)["errors"])) == (400, ["return_url"])
        assert "Expected an address that begins with" in refusal(answer)["errors"]["return_url"][0]


@pytest.mark.parametrize("address", ["http://testserver/account/invoices/1", "https://testserver/"])
def test_at_another_address_of_this_site_people_read_where_they_can_pay_and_operators_which_setting_it_is(
    client: APIClient,
    paypal: FakePayPal,
    invoice: Invoice,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    address: str,
) -> None:
    settings.BASE_URL = "https://app.example"

    answer = post(client, f"invoices/{invoice.pk}/pay/", payment_method="paypal", return_url=address)

    assert (answer.status_code, refusal(answer)["errors"]) == (
        400,
        {"return_url": ["You cannot pay at this address of the site. Open https://app.example/ and pay there."]},
    )
    [line] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert line.getMessage() == "customers cannot pay at this address"
    assert (line.base_url, line.host) == ("https://app.example", "testserver")  # type: ignore[attr-defined]
    assert not Payment.objects.exists()


def test_a_charge_without_an_answer_is_being_checked(
    client: APIClient, stripe: FakeStripe, invoice: Invoice, account_a: Account
) -> None:
    saved = make.saved_card(stripe, account_a)
    stripe.lose_next_answers(3, method="POST", path="/v1/payment_intents")

    answer = post(client, f"invoices/{invoice.pk}/pay/", saved_method=saved.pk)
    again = post(client, f"invoices/{invoice.pk}/pay/", saved_method=saved.pk)

    assert (answer.json()["data"]["attempt"]["status"], answer.json()["data"]["attempt"]["next_step"]) == (
        "unknown",
        "wait",
    )
    assert (again.status_code, refusal(again)["code"]) == (409, "payment_being_checked")
    done = post(client, f"payments/{answer.json()['data']['attempt']['payment_id']}/complete/")
    assert (done.json()["data"]["status"], stripe.charges_count()) == ("succeeded", 1)


# --- PayPal ---------------------------------------------------------------------------------------------------------


def test_paypal_is_approved_there_and_taken_by_complete(
    client: APIClient, paypal: FakePayPal, invoice: Invoice
) -> None:
    attempt = post(client, f"invoices/{invoice.pk}/pay/", payment_method="paypal").json()["data"]["attempt"]
    assert (attempt["next_step"], attempt["client_secret"], attempt["public_key"]) == ("approve", "", "")
    assert attempt["approve_url"].startswith(paypal.address)

    paypal.approve(now_payment(attempt).gateway_object_id)
    done = post(client, f"payments/{attempt['payment_id']}/complete/")

    assert (done.json()["data"]["status"], now(invoice).status) == ("succeeded", "paid")


def now_payment(attempt: dict[str, Any]) -> Payment:
    return Payment.objects.get(pk=attempt["payment_id"])


def test_a_payment_that_an_operator_checks_is_not_completed_here(client: APIClient, invoice: Invoice) -> None:
    payment = make.submitted_payment(invoice)

    answer = post(client, f"payments/{payment.pk}/complete/")

    assert (answer.status_code, refusal(answer)["code"]) == (409, "payment_not_at_gateway")


# --- Credits end to end ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["stripe", "paypal"])
def test_credits_are_bought_by_card_and_paypal(
    client: APIClient, stripe: FakeStripe, paypal: FakePayPal, account_a: Account, method: str
) -> None:
    make.credit_package()
    ordered = post(client, "credits/purchase/", package="pro", payment_method=method).json()["data"]
    attempt = post(client, f"invoices/{ordered['invoice']['id']}/pay/", payment_method=method).json()["data"]["attempt"]
    if method == "stripe":
        stripe.pay_in_browser(attempt["client_secret"])
    else:
        paypal.approve(now_payment(attempt).gateway_object_id)

    done = post(client, f"payments/{attempt['payment_id']}/complete/")

    balance = client.get(f"{BILLING}/credits/balance/").json()["data"]["credits"]
    assert (done.json()["data"]["status"], balance) == ("succeeded", 2000)
    assert broken_invariants() == []


# --- Saved cards ----------------------------------------------------------------------------------------------------


def test_a_card_is_saved_with_stripe_s_form_listed_made_default_and_removed(
    client: APIClient, stripe: FakeStripe, account_a: Account
) -> None:
    begun = post(client, "payment-methods/setup/")
    setup = begun.json()["data"]
    early = post(client, "payment-methods/add/", type="stripe", setup=setup["setup"])
    stripe.complete_setup(setup["setup"])

    saved = post(client, "payment-methods/add/", type="stripe", setup=setup["setup"])

    card = saved.json()["data"]
    assert (begun.status_code, setup["public_key"]) == (201, "pk_test_key")
    assert (early.status_code, refusal(early)["code"]) == (409, "card_setup_incomplete")
    assert saved.status_code == 201
    assert (card["card_brand"], card["card_last4"], card["is_default"]) == ("visa", "4242", True)
    assert client.get(f"{BILLING}/payment-methods/mine/").json()["count"] == 1
    assert client.delete(f"{BILLING}/payment-methods/{card['id']}/").status_code == 200
    assert not AccountPaymentMethod.objects.filter(account=account_a).exists()


def test_another_account_s_setup_saves_nothing(
    client: APIClient, stripe: FakeStripe, as_user: Login, charlie: User
) -> None:
    setup = post(as_user(charlie), "payment-methods/setup/").json()["data"]["setup"]
    stripe.complete_setup(setup)

    answer = post(client, "payment-methods/add/", type="stripe", setup=setup)

    assert (answer.status_code, refusal(answer)["code"]) == (404, "saved_method_not_found")
    assert not AccountPaymentMethod.objects.exists()


# --- One key, one charge --------------------------------------------------------------------------------------------


def test_a_repeat_with_the_same_key_gets_the_first_answer_and_charges_once(
    client: APIClient, stripe: FakeStripe, invoice: Invoice, account_a: Account
) -> None:
    saved = make.saved_card(stripe, account_a)

    answers = [post(client, f"invoices/{invoice.pk}/pay/", "key-1", saved_method=saved.pk) for _ in range(3)]

    assert len({answer.content for answer in answers}) == 1
    assert [answer.get("Idempotent-Replayed") for answer in answers] == [None, "true", "true"]
    assert stripe.charges_count() == 1


def test_a_crash_between_the_charge_and_its_answer_charges_once(
    client: APIClient, stripe: FakeStripe, invoice: Invoice, account_a: Account
) -> None:
    saved = make.saved_card(stripe, account_a)
    first = post(client, f"invoices/{invoice.pk}/pay/", "key-1", saved_method=saved.pk)
    # As if the process had died before the answer was kept.
    IdempotentAnswer.objects.all().delete()

    repeat = post(client, f"invoices/{invoice.pk}/pay/", "key-1", saved_method=saved.pk)

    assert repeat.json()["data"]["attempt"]["payment_id"] == first.json()["data"]["attempt"]["payment_id"]
    assert (repeat.json()["data"]["attempt"]["status"], stripe.charges_count()) == ("succeeded", 1)


def test_a_key_of_another_request_is_422(
    client: APIClient, stripe: FakeStripe, invoice: Invoice, account_a: Account
) -> None:
    saved = make.saved_card(stripe, account_a)
    post(client, f"invoices/{invoice.pk}/pay/", "key-1", saved_method=saved.pk)

    other = post(client, f"invoices/{make.invoice(account_a).pk}/pay/", "key-1", saved_method=saved.pk)

    assert (other.status_code, refusal(other)["code"]) == (422, "idempotency_key_reused")


# --- Refunds by operators -------------------------------------------------------------------------------------------


def test_an_operator_refunds_a_card_payment_once_per_key(
    stripe: FakeStripe, as_user: Login, olga: User, invoice: Invoice, account_a: Account
) -> None:
    saved = make.saved_card(stripe, account_a).gateway_method_id
    payment = PaymentService.create_stripe_payment(invoice, saved).payment
    client, path = as_user(olga), f"/api/v1/admin/payments/{payment.pk}/refund/"
    body = {"amount": "30.00", "reason": "Goodwill"}

    answers = [client.post(path, body, format="json", HTTP_IDEMPOTENCY_KEY="key-1") for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert (CreditNote.objects.count(), Refund.objects.get().status) == (1, "succeeded")
    assert len(stripe.all("refund")) == 1


def test_a_refund_without_an_answer_says_that_it_is_being_checked(
    stripe: FakeStripe, as_user: Login, olga: User, invoice: Invoice, account_a: Account
) -> None:
    saved = make.saved_card(stripe, account_a).gateway_method_id
    payment = PaymentService.create_stripe_payment(invoice, saved).payment
    stripe.lose_next_answers(3, method="POST", path="/v1/refunds")
    path = f"/api/v1/admin/payments/{payment.pk}/refund/"

    first = as_user(olga).post(path, {"reason": "Goodwill"}, format="json")
    second = as_user(olga).post(path, {"reason": "Goodwill"}, format="json")

    assert (first.status_code, refusal(first)["code"]) == (503, "refund_being_checked")
    assert (second.status_code, refusal(second)["code"]) == (409, "refund_under_way")
