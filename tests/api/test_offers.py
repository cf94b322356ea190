"""Offers as customers and operators meet them through the API."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from rest_framework.test import APIClient

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.api.payment_methods import rendered_lists
from igny8_core.business.billing.models import Invoice, PaymentMethodConfig
from igny8_core.business.billing.services.invoices.instructions import all_payment_instructions
from igny8_core.business.billing.services.invoices.pay_links import online_offers
from igny8_core.business.billing.services.notifications import mails
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]
API = "/api/v1"
METHODS = f"{API}/admin/payment-methods/"
SIGNUP = {
    "email": "paula@example.com",
    "password": "long and unusual 7",
    "password_confirm": "long and unusual 7",
    "first_name": "Paula",
    "last_name": "Payer",
    "plan_slug": "starter",
    "billing_country": "PK",
}


@pytest.fixture(autouse=True)
def fresh_lists() -> None:
    rendered_lists.__init__()  # type: ignore[misc]


def priced(account: Account, amount: str, currency: str = "USD") -> Invoice:
    lines = [{"description": "Rest", "quantity": 1, "amount": amount}]
    return make.invoice(account, line_items=lines, currency=currency)


def pay(client: APIClient, invoice: Invoice, **body: Any) -> Any:
    return client.post(f"{API}/billing/invoices/{invoice.pk}/pay/", body, format="json")


# --- What was offered can be confirmed ----------------------------------------------------------------------------


@pytest.mark.parametrize("later", ["country corrected", "paused", "removed"])
def test_a_customer_who_sent_the_money_can_say_so_whatever_is_corrected_later(
    api: APIClient, as_user: Login, olga: User, later: str
) -> None:
    make.plan()
    wallet = make.payment_method(
        country_code="PK", payment_method="local_wallet", display_name="JazzCash", wallet_id="03001234567"
    )
    signed_up = api.post(f"{API}/auth/register/", {**SIGNUP, "payment_method": "local_wallet"}, format="json")
    assert signed_up.status_code == 201, signed_up.json()
    customer = as_user(User.objects.get(email="paula@example.com"))
    invoice = Invoice.objects.get()
    if later == "country corrected":
        corrected = customer.patch(f"{API}/account/settings/", {"billing_country": "GB"}, format="json")
        assert corrected.status_code == 200
    elif later == "paused":
        as_user(olga).patch(f"{METHODS}{wallet.pk}/", {"is_enabled": False}, format="json")
    else:
        as_user(olga).delete(f"{METHODS}{wallet.pk}/")

    told = pay(customer, invoice)
    confirmation = {"invoice_id": invoice.pk, "payment_method": "local_wallet", "manual_reference": "JC-1"}
    confirmed = customer.post(
        f"{API}/billing/admin/payments/confirm/", {**confirmation, "amount": "89.00"}, format="json"
    )

    assert told.json()["data"]["payment_instructions"]["wallet_id"] == "03001234567"
    assert confirmed.status_code == 201, confirmed.json()


# --- Only what can take the amount --------------------------------------------------------------------------------


CANNOT_TAKE = [("stripe", "0.02", "USD"), ("paypal", "25000.00", "PKR"), ("stripe", "89.00", "IRR")]


@pytest.mark.parametrize(("method", "amount", "currency"), CANNOT_TAKE)
def test_what_cannot_take_the_amount_is_not_offered_and_refused_without_asking_the_gateway(
    alice: User,
    account_a: Account,
    as_user: Login,
    stripe: FakeStripe,
    paypal: FakePayPal,
    method: str,
    amount: str,
    currency: str,
) -> None:
    make.payment_method(payment_method=method, display_name="Gateway")
    invoice, client = priced(account_a, amount, currency), as_user(alice)
    before = fingerprint()

    response = pay(client, invoice, payment_method=method)

    assert (response.status_code, refusal(response)["code"]) == (400, "payment_method_not_available")
    assert f"cannot take {amount} {currency}" in refusal(response)["errors"]["payment_method"][0]
    assert online_offers(invoice) == []
    assert fingerprint() == before


def test_an_order_names_no_method_that_cannot_take_its_price(
    alice: User, account_a: Account, as_user: Login, paypal: FakePayPal
) -> None:
    make.payment_method(payment_method="paypal", display_name="PayPal", sort_order=1)
    make.payment_method(bank_name="ABC Bank", sort_order=2)
    make.plan("pakistan", price=Decimal(25000), currency="PKR")
    make.credit_package(price=Decimal(25000), currency="PKR")
    client = as_user(alice)
    before = fingerprint()

    for path, order in (
        ("subscriptions/create/", {"plan_slug": "pakistan"}),
        ("credits/purchase/", {"package": "pro"}),
    ):
        refused = client.post(f"{API}/billing/{path}", {**order, "payment_method": "paypal"}, format="json")
        assert (refused.status_code, refusal(refused)["code"]) == (400, "payment_method_not_available"), path
    assert fingerprint() == before
    ordered = client.post(f"{API}/billing/subscriptions/create/", {"plan_slug": "pakistan"}, format="json")

    assert ordered.status_code == 201
    assert ordered.json()["data"]["payment_instructions"]["payment_method"] == "bank_transfer"


def test_a_signup_that_names_no_method_gets_one_that_takes_the_price(api: APIClient, paypal: FakePayPal) -> None:
    make.payment_method(payment_method="paypal", display_name="PayPal", sort_order=1)
    make.payment_method(bank_name="ABC Bank", sort_order=2)
    make.plan("starter", price=Decimal(25000), currency="PKR")

    answer = api.post(f"{API}/auth/register/", SIGNUP, format="json").json()["data"]

    assert answer["payment_instructions"]["payment_method"] == "bank_transfer"


# --- A change of details ------------------------------------------------------------------------------------------


@pytest.fixture
def config(as_user: Login, olga: User) -> dict[str, Any]:
    """A bank account as an operator offered it, with a text that repeats its number."""
    given = {
        "country_code": "*",
        "payment_method": "bank_transfer",
        "display_name": "Bank Transfer",
        "bank_name": "ABC Bank",
        "account_number": "1234567890",
        "instructions": "Bank: ABC Bank\nAccount: 1234567890\nThank you.",
    }
    made: dict[str, Any] = as_user(olga).post(METHODS, given, format="json").json()["data"]
    return made


def test_instructions_are_made_of_the_fields(
    config: dict[str, Any], api: APIClient, alice: User, as_user: Login
) -> None:
    offered = api.get(f"{API}/billing/payment-methods/").json()[0]

    assert config["instructions"] == "Thank you."
    assert config["payer_reads"] == offered["instructions"] == "Bank: ABC Bank\nAccount: 1234567890\nThank you."


def test_an_old_invoice_keeps_its_account_and_a_new_one_has_the_new(
    config: dict[str, Any], alice: User, account_a: Account, olga: User, as_user: Login
) -> None:
    client, old = as_user(alice), make.invoice(account_a)

    changed = as_user(olga).patch(f"{METHODS}{config['id']}/", {"account_number": "6666666666"}, format="json")
    new = make.invoice(account_a)

    assert changed.status_code == 200
    for invoice, number, other in ((old, "1234567890", "6666666666"), (new, "6666666666", "1234567890")):
        told = pay(client, invoice, payment_method="bank_transfer").json()["data"]["payment_instructions"]
        assert told["account_number"] == number
        assert told["instructions"].count(number) == 1
        assert other not in told["instructions"]
        mails.send_invoice(Invoice.objects.get(pk=invoice.pk))
        text = str(mail.outbox[-1].body)
        assert (text.count(number), text.count(other)) == (1, 0)
        said = all_payment_instructions(Invoice.objects.get(pk=invoice.pk))
        assert [value for _, value in said[0].details if value in {number, other}] == [number]


def test_a_change_of_details_is_an_event_with_both_values_and_a_mail_to_all_operators(
    config: dict[str, Any], olga: User, as_user: Login
) -> None:
    make.user(email="aaron@example.com", is_staff=True)
    make.user(email="gone@example.com", is_staff=True, is_active=False)
    as_user(olga).patch(f"{METHODS}{config['id']}/", {"account_number": "6666666666"}, format="json")
    event = Event.objects.latest("pk")

    mails.handle(event)

    assert event.type == "payment_method_config.updated"
    assert event.data == {
        "name": "* Bank Transfer",
        "changed": {"account_number": "6666666666"},
        "before": {"account_number": "1234567890"},
    }
    sent = mail.outbox[-1]
    assert sorted(sent.recipients()) == ["aaron@example.com", "olga@example.com"]
    for said in ("1234567890", "6666666666", "olga@example.com", "* Bank Transfer"):
        assert said in str(sent.body)


@pytest.mark.parametrize("event_type", ["created", "deleted"])
def test_new_and_removed_details_are_told_too(
    config: dict[str, Any], olga: User, as_user: Login, event_type: str
) -> None:
    as_user(olga).delete(f"{METHODS}{config['id']}/")

    mails.handle(Event.objects.get(type=f"payment_method_config.{event_type}"))

    assert "1234567890" in str(mail.outbox[-1].body)


@pytest.mark.parametrize("change", [{"display_name": "Transfer"}, {"is_enabled": False}, {"sort_order": 9}])
def test_what_touches_no_detail_is_no_mail(
    config: dict[str, Any], olga: User, as_user: Login, change: dict[str, Any]
) -> None:
    mail.outbox.clear()
    as_user(olga).patch(f"{METHODS}{config['id']}/", change, format="json")

    mails.handle(Event.objects.latest("pk"))

    assert mail.outbox == []


def test_a_number_left_in_a_sentence_is_refused(config: dict[str, Any], olga: User, as_user: Login) -> None:
    operator = as_user(olga)
    before = fingerprint()

    response = operator.patch(
        f"{METHODS}{config['id']}/", {"instructions": "Send it to 1234567890 by Friday."}, format="json"
    )

    assert (response.status_code, list(refusal(response)["errors"])) == (400, ["instructions"])
    assert fingerprint() == before


# --- Samples ------------------------------------------------------------------------------------------------------

SAMPLE_NUMBERS = ("1234567890", "03001234567", "ABCPKKA", "Sample Bank", "DE00000000000000000000")


def test_samples_keep_their_text_where_nobody_pays(defaults: None, api: APIClient) -> None:
    bank = next(row for row in api.get(f"{API}/billing/payment-methods/").json() if row["bank_name"])

    assert bank["instructions"].startswith("Bank: ABC Bank\nAccount: 1234567890\nSWIFT: ABCPKKA\n")
    assert bank["is_available"] is True


def test_samples_are_not_shown_to_customers_in_production(defaults: None, api: APIClient, settings: Any) -> None:
    settings.OFFER_SAMPLE_PAYEES = False

    for country in ("", "?country=PK", "?country=US", "?country=DE"):
        answer = api.get(f"{API}/billing/payment-methods/{country}")
        manual = [row for row in answer.json() if row["payment_method"] not in {"stripe", "paypal"}]
        assert manual
        assert not any(row["is_available"] for row in manual)
        assert not any(number in answer.content.decode() for number in SAMPLE_NUMBERS)


def test_nobody_orders_confirms_or_is_mailed_by_a_sample_in_production(
    defaults: None, api: APIClient, account_a: Account, alice: User, as_user: Login, settings: Any
) -> None:
    issued_before = make.invoice(account_a)
    settings.OFFER_SAMPLE_PAYEES = False
    issued, client = make.invoice(account_a), as_user(alice)
    before = fingerprint()

    signup = api.post(f"{API}/auth/register/", {**SIGNUP, "payment_method": "bank_transfer"}, format="json")
    for invoice in (issued_before, issued):
        paid = pay(client, invoice, payment_method="bank_transfer")
        assert (paid.status_code, refusal(paid)["code"]) == (400, "payment_method_not_available")
        assert all_payment_instructions(invoice) == []

    assert (signup.status_code, refusal(signup)["code"]) == (400, "payment_method_not_available")
    assert fingerprint() == before
    mails.send_invoice(Invoice.objects.get(pk=issued_before.pk))
    assert not any(number in str(mail.outbox[-1].body) for number in SAMPLE_NUMBERS)


def test_a_sample_is_offered_once_an_operator_has_put_in_the_real_number(
    defaults: None, olga: User, api: APIClient, as_user: Login, settings: Any
) -> None:
    settings.OFFER_SAMPLE_PAYEES = False
    bank = PaymentMethodConfig.objects.get(country_code="*", payment_method="bank_transfer")
    path, operator = f"{METHODS}{bank.pk}/", as_user(olga)

    assert operator.patch(path, {"display_name": "Wire"}, format="json").json()["data"]["is_available"] is False
    refused = operator.patch(path, {"account_number": "6666666666"}, format="json")
    assert (refused.status_code, list(refusal(refused)["errors"])) == (400, ["swift_code"])
    real = {"bank_name": "Real Bank", "account_number": "6666666666", "swift_code": "DEUTDEFF"}
    data = operator.patch(path, real, format="json").json()["data"]

    assert (data["is_sample"], data["is_available"]) == (False, True)
    assert "Account: 6666666666" in api.get(f"{API}/billing/payment-methods/").content.decode()


@pytest.mark.parametrize(
    ("country", "first", "rest"),
    [
        ("US", {"account_number": "987654321"}, {"routing_number": "021000021", "bank_name": "Real Bank"}),
        ("US", {"iban": "GB29NWBK60161331926819"}, {"account_number": "", "routing_number": "", "bank_name": "Real"}),
        (
            "GB",
            {"account_number": "98765432", "routing_number": "000000"},
            {"routing_number": "20-00-01", "bank_name": ""},
        ),
        ("DE", {"iban": "DE89370400440532013000"}, {"swift_code": "DEUTDEFF", "bank_name": "Real Bank"}),
        ("PK", {"account_title": "Acme"}, {"wallet_id": "03111111111"}),
    ],
)
def test_a_sample_that_is_half_replaced_is_one_still(
    defaults: None, olga: User, as_user: Login, settings: Any, country: str, first: dict[str, str], rest: dict[str, str]
) -> None:
    settings.OFFER_SAMPLE_PAYEES = False
    sample = PaymentMethodConfig.objects.get(country_code=country)
    path, operator = f"{METHODS}{sample.pk}/", as_user(olga)

    half = operator.patch(path, first, format="json").json()["data"]
    whole = operator.patch(path, rest, format="json").json()["data"]

    assert (half["is_sample"], half["is_available"]) == (True, False)
    assert (whole["is_sample"], whole["is_available"]) == (False, True)


def test_defaults_are_made_once(defaults: None) -> None:
    PaymentMethodConfig.objects.exclude(payment_method="stripe").delete()

    call_command("seed_defaults", verbosity=0)

    assert [config.payment_method for config in PaymentMethodConfig.objects.all()] == ["stripe"]
