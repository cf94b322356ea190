"""Ordering a plan on a page: a trial that goes on, an account that comes back."""

from typing import Any

import pytest
from django.test import Client

from igny8_core.auth.models import Account, AccountStatus, Subscription, User
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link
from igny8_core.business.signup.service import register
from tests import make
from tests.web.people import browser_of, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("defaults")]
DETAILS = {
    "plan_slug": "growth",
    "shown_plan": "growth",
    "billing_country": "PK",
    "billing_address_line1": "1 Mall Road",
    "billing_city": "Lahore",
    "payment_method": "bank_transfer",
}


@pytest.fixture
def ada(db: None, defaults: None) -> User:
    """The owner of a trial."""
    return register(email="ada@example.com", password="a lonely engine hums", first_name="Ada", last_name="L").user


def orders(browser: Client, **said: Any) -> Any:
    return browser.post("/plan", {**DETAILS, **said})


def test_a_trial_orders_a_plan_and_goes_on_until_it_is_paid(ada: User) -> None:
    browser = browser_of(ada)
    assert 'href="/plan"' in browser.get("/home").content.decode()

    answer = orders(browser, tax_id="123")

    invoice = Invoice.objects.get()
    assert invoice_of_pay_link(answer["Location"].split("/")[2]) == invoice
    account = Account.objects.get()
    assert (account.status, account.credits) == (AccountStatus.TRIAL, 1000)
    assert (account.billing_city, account.tax_id, invoice.total) == ("Lahore", "123", 139)
    assert invoice.metadata["billing_snapshot"]["city"] == "Lahore"


def test_what_is_known_of_the_account_is_filled_in(ada: User) -> None:
    Account.objects.update(billing_country="PK", billing_city="Karachi")

    html = browser_of(ada).get("/plan?plan=scale").content.decode()

    assert 'value="Karachi"' in html
    assert '<option value="PK" selected' in html
    assert 'value="scale" checked' in html
    assert 'value="free"' not in html


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"plan_slug": "free", "shown_plan": "free"}, "This plan is not offered"),
        ({"plan_slug": "scale"}, "You chose another plan."),
        ({"billing_city": ""}, "Enter the city that stands on your invoices."),
        ({"billing_country": "DE", "tax_id": "DE123456780"}, "This is not a valid VAT number of Germany"),
        ({"payment_method": "local_wallet", "billing_country": "FR"}, "This payment method is not offered"),
    ],
)
def test_a_refused_order_changes_nothing(ada: User, said: dict[str, str], text: str) -> None:
    answer = orders(browser_of(ada), **said)

    assert answer.status_code == 400
    assert says(answer, text)
    assert not Subscription.objects.exists()
    assert Account.objects.get().billing_city == ""


def test_the_country_shows_its_ways_without_scripts(ada: User) -> None:
    answer = orders(browser_of(ada), show_ways="1", billing_country="KE", payment_method="")

    assert answer.status_code == 200
    assert says(answer, "M-Pesa")
    assert not Subscription.objects.exists()


def test_a_second_order_leads_home_and_makes_nothing(ada: User) -> None:
    browser = browser_of(ada)
    orders(browser)

    assert orders(browser)["Location"] == "/home"
    assert says(browser.get("/home"), "The plan Growth is ordered already.")  # type: ignore[arg-type]
    assert Invoice.objects.count() == 1


def test_who_may_not_order_is_told_so(ada: User) -> None:
    viewer = make.user(account=ada.account)
    browser = browser_of(viewer)

    assert 'href="/plan"' not in browser.get("/home").content.decode()
    assert orders(browser)["Location"] == "/home"
    assert not Invoice.objects.exists()
    assert browser_of(make.user()).get("/plan")["Location"] == "/own-account"
    assert Client().get("/plan")["Location"] == "/login?next=%2Fplan"


def test_an_account_that_an_operator_suspended_orders_nothing(ada: User) -> None:
    Account.objects.update(status=AccountStatus.SUSPENDED, suspended_reason="operator")
    browser = browser_of(ada)

    assert 'href="/plan"' not in browser.get("/home").content.decode()
    assert orders(browser)["Location"] == "/home"
    assert not Invoice.objects.exists()


def test_a_canceled_account_comes_back_with_an_order(ada: User) -> None:
    Account.objects.update(status=AccountStatus.CANCELED)
    browser = browser_of(ada)
    assert says(browser.get("/home"), "Order a plan to come back")  # type: ignore[arg-type]

    assert orders(browser).status_code == 303

    assert Account.objects.get().status == AccountStatus.PENDING_PAYMENT
    assert says(browser.get("/home"), "Waiting for your payment")  # type: ignore[arg-type]
