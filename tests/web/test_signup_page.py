"""Signing up in the browser, without scripts: what is made, what is refused, what becomes of what was typed."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, AccountStatus, LoginSession, User
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link
from igny8_core.events.models import Event
from tests import make
from tests.web.people import browser_of, is_signed_in, says
from tests.web.signup import PASSWORD, signs_up, typed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("defaults")]


def refused(response: HttpResponse, *texts: str, status: int = 400) -> None:
    """The form again with these sentences, and nobody was made."""
    assert response.status_code == status
    for text in texts:
        assert says(response, text), text
    assert PASSWORD not in response.content.decode()
    assert not Account.objects.exists()
    assert not Event.objects.exists()


def test_a_trial_begins_with_its_credits_and_leads_to_the_first_site() -> None:
    browser = Client()

    answer = signs_up(browser)

    assert (answer.status_code, answer["Location"]) == (303, "/sites")
    account = Account.objects.get()
    assert (account.name, account.status, account.credits) == ("Analytical Engines", AccountStatus.TRIAL, 1000)
    assert not Invoice.objects.exists()
    assert says(browser.get("/sites"), "Welcome, Ada! Your trial has begun.")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "direction", "title", "refusal"),
    [
        ("en", "ltr", "Sign up", "An e-mail address in plain ASCII is expected"),
        ("de", "ltr", "Registrieren", "Erwartet wird eine E-Mail-Adresse"),
        ("ur", "rtl", "سائن اپ", "سادہ ASCII میں ای میل ایڈریس درکار ہے"),
    ],
)
def test_the_page_speaks_the_browsers_language_and_so_does_the_account(
    language: str, direction: str, title: str, refusal: str
) -> None:
    browser = Client(headers={"accept-language": language})

    page = browser.get("/signup")
    wrong = signs_up(browser, email="ada")
    signs_up(browser)

    html = page.content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert title in html
    assert (wrong.status_code, refusal in wrong.content.decode()) == (400, True)
    # Of the whole page no sentence is left in English.
    said = re.sub(r"<[^>]*>", " ", html)
    english = re.search(r"\b(Password|Country|First name|Choose a plan|Company|Billing)\b", said)
    assert (english is None) == (language != "en")
    assert Account.objects.get().language == language


def test_a_paid_plan_is_ordered_and_leads_to_its_payment() -> None:
    browser = Client()

    answer = signs_up(browser, "growth", billing_email="books@example.com", billing_postal_code="54000", tax_id="7")

    invoice = Invoice.objects.get()
    assert answer.status_code == 303
    assert invoice_of_pay_link(answer["Location"].split("/")[2]) == invoice
    account = Account.objects.get()
    assert (account.status, account.credits, account.payment_method) == ("pending_payment", 0, "bank_transfer")
    snapshot = invoice.metadata["billing_snapshot"]
    assert (snapshot["country"], snapshot["email"], snapshot["tax_id"]) == ("PK", "books@example.com", "7")
    assert is_signed_in(browser)


def test_a_paid_plan_by_card_leads_to_the_card_form(stripe: FakeStripe) -> None:
    browser = Client()

    answer = signs_up(browser, "starter", payment_method="stripe")

    assert answer["Location"] == "/signup/card"
    page = browser.get("/signup/card")
    assert "charged for each renewal of your plan, until you cancel" in page.content.decode()
    [action] = re.findall(r'id="to-card" method="post" action="([^"]+)"', page.content.decode())
    assert stripe.all("payment_intent") == []  # opening it begins nothing
    assert browser.post(action).status_code == 200
    assert len(stripe.all("payment_intent")) == 1


def test_the_page_of_the_card_leads_home_when_nothing_is_to_be_paid() -> None:
    browser = Client()
    signs_up(browser)

    assert browser.get("/signup/card")["Location"] == "/home"


def test_the_terms_are_kept_with_version_and_time() -> None:
    before = timezone.now()

    signs_up(Client())

    person = User.objects.get()
    assert person.terms_version == "1"
    assert person.terms_accepted_at
    assert before <= person.terms_accepted_at <= timezone.now()


def test_the_api_keeps_the_terms_where_they_are_said_and_asks_for_nothing(api: APIClient) -> None:
    person = {"password": PASSWORD, "password_confirm": PASSWORD, "first_name": "A", "last_name": "B"}

    for email, more in (("yes@example.com", {"terms_accepted": True}), ("no@example.com", {"terms_accepted": False})):
        assert api.post("/api/v1/auth/register/", {"email": email, **person, **more}, "json").status_code == 201
    assert api.post("/api/v1/auth/register/", {"email": "old@example.com", **person}, "json").status_code == 201

    kept = dict(User.objects.values_list("email", "terms_version"))
    assert kept == {"yes@example.com": "1", "no@example.com": "", "old@example.com": ""}
    assert User.objects.filter(terms_accepted_at=None).count() == 2


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"first_name": ""}, "Enter your first name."),
        ({"last_name": " "}, "Enter your last name."),
        ({"first_name": "A\u202eb"}, "U+202E"),
        ({"email": ""}, "Enter your e-mail address, for example name@example.com."),
        ({"email": "ada"}, "An e-mail address in plain ASCII is expected"),
        ({"password": ""}, "Enter a password."),
        ({"password": "short"}, "This password is too short."),
        ({"account_name": "x" * 201}, "At most 200 characters."),
        ({"terms_accepted": ""}, "Agree to the terms to go on."),
        ({"terms_version": "0"}, "Our terms were changed at this moment."),
        ({"plan_slug": "internal"}, "This plan is not offered"),
        ({"plan_slug": ""}, "This plan is not offered"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_the_rest_stays(said: dict[str, str], text: str) -> None:
    answer = signs_up(Client(), **{"account_name": "Engines & Sons", **said})

    refused(answer, text)
    if "account_name" not in said:
        assert says(answer, "Engines & Sons")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"billing_country": ""}, "Choose the country that your invoices go to."),
        ({"billing_country": "XX"}, "A country code of two letters"),
        ({"billing_address_line1": ""}, "Enter the street that stands on your invoices."),
        ({"billing_city": ""}, "Enter the city that stands on your invoices."),
        ({"billing_email": "books"}, "An e-mail address in plain ASCII is expected"),
        ({"billing_country": "DE", "tax_id": "DE123456780"}, "This is not a valid VAT number of Germany"),
        ({"billing_postal_code": "9" * 21}, "At most 20 characters."),
        ({"payment_method": ""}, "Choose how you want to pay."),
        ({"payment_method": "cowries"}, "Choose one of the ways of paying below."),
        (
            {"payment_method": "local_wallet", "billing_country": "FR"},
            "This payment method is not offered in your country.",
        ),
        ({"payment_method": "stripe"}, "This payment method is not offered in your country."),  # without keys
        ({"shown_plan": "free"}, "You chose another plan. See what it costs now"),
    ],
)
def test_what_a_paid_plan_lacks_stands_at_its_field(said: dict[str, str], text: str) -> None:
    refused(signs_up(Client(), "starter", **said), text)


def test_a_free_plan_is_not_held_up_by_billing_that_was_begun() -> None:
    begun = {"billing_country": "XX", "billing_email": "books", "payment_method": "cowries", "billing_city": "Lahore"}

    assert signs_up(Client(), **begun).status_code == 303
    assert Account.objects.get().billing_city == ""


def test_the_ways_to_pay_follow_the_country_without_scripts_and_nothing_typed_is_lost() -> None:
    browser = Client()
    said = typed(
        "starter", billing_country="KE", payment_method="", first_name="<Ada>", show_ways="1", terms_accepted="on"
    )

    answer: Any = browser.post("/signup", said)

    html = answer.content.decode()
    assert answer.status_code == 200
    assert re.findall(r'name="payment_method" value="(\w+)"', html) == ["bank_transfer", "local_wallet"]
    assert says(answer, "M-Pesa")
    assert 'value="&lt;Ada&gt;"' in html
    assert re.search(r'<option value="KE" selected', html)
    assert re.search(r'id="id_terms_accepted" required checked', html)
    assert says(answer, "Type your password again")
    assert 'aria-invalid="true"' not in html
    assert PASSWORD not in html
    assert not Account.objects.exists()


def test_ways_that_cannot_take_the_price_or_have_no_keys_are_not_shown(stripe: FakeStripe) -> None:
    make.plan("tiny", price="0.20", is_trial=False)

    for plan, methods in (("tiny", {"bank_transfer"}), ("starter", {"stripe", "bank_transfer"})):
        answer: Any = Client().post("/signup", typed(plan, billing_country="FR", payment_method="", show_ways="1"))
        assert set(re.findall(r'name="payment_method" value="(\w+)"', answer.content.decode())) == methods


def test_an_address_in_use_is_refused_in_the_api_s_words_with_the_ways_on() -> None:
    make.user(email="ada@example.com")

    answer = signs_up(Client())

    assert answer.status_code == 400
    assert says(answer, "This e-mail address cannot be used for a new account. If it is yours, log in instead.")
    assert 'href="/forgotten-password"' in answer.content.decode()
    assert User.objects.count() == 1


def test_a_form_that_is_sent_twice_makes_one_account_and_signs_in() -> None:
    first, second = Client(), Client()

    answers = [signs_up(first), signs_up(second)]

    assert [answer["Location"] for answer in answers] == ["/sites", "/home"]
    assert Account.objects.count() == 1
    assert says(second.get("/home"), "You had signed up already, so you are signed in now.")  # type: ignore[arg-type]


def test_the_second_try_is_counted_as_a_login(throttling: None) -> None:
    make.user(email="ada@example.com")
    answers = [signs_up(Client(), password=f"guess number {number}") for number in range(5)]
    assert {answer.status_code for answer in answers} == {400}
    for number in range(12):
        Client().post("/login", {"email": "ada@example.com", "password": f"guess {number} again"})

    assert signs_up(Client(), password=make.PASSWORD).status_code == 429
    assert not LoginSession.objects.exists()


def test_signing_up_is_limited_as_the_api_s_is(throttling: None, api: APIClient) -> None:
    for number in range(10):
        api.post("/api/v1/auth/register/", {"email": f"x{number}"}, "json")

    answer = signs_up(Client())

    refused(answer, "Too many tries in a short time.", status=429)
    assert int(answer["Retry-After"]) > 0


def test_who_is_signed_in_is_led_home_with_a_sentence_and_makes_no_second_account() -> None:
    owner = make.owner()
    browser = browser_of(owner)

    assert browser.get("/signup")["Location"] == "/home"
    assert says(browser.get("/home"), f"You are signed in as {owner.email}.")  # type: ignore[arg-type]
    assert signs_up(browser)["Location"] == "/home"
    assert Account.objects.count() == 1


def test_a_plan_is_chosen_by_the_address_and_an_unknown_one_is_said() -> None:
    known, unknown = Client().get("/signup?plan=scale"), Client().get("/signup?plan=internal")

    assert re.search(r'value="scale" checked', known.content.decode())
    assert re.search(r'value="free" checked', unknown.content.decode())
    assert says(unknown, "The plan that you came for is not offered any more.")  # type: ignore[arg-type]


def test_the_summary_says_what_is_due_now_and_later() -> None:
    html = Client().get("/signup?plan=growth").content.decode()

    [shown] = re.findall(r'<div class="summary" data-plan="(\w+)">(.*?)<p class="small-print">', html, re.DOTALL)
    assert shown[0] == "growth"
    assert re.findall(r"[\d.]+ USD", shown[1]) == ["139.00 USD", "139.00 USD"]


def test_the_terms_are_ours_until_there_are_others(settings: Any) -> None:
    assert says(Client().get("/terms"), "Version 1.")  # type: ignore[arg-type]
    assert Client().get("/privacy").status_code == 200

    settings.TERMS_URL, settings.PRIVACY_URL = "https://example.com/terms", "https://example.com/privacy"

    assert Client().get("/terms")["Location"] == "https://example.com/terms"
    assert Client().get("/privacy")["Location"] == "https://example.com/privacy"
    assert 'href="https://example.com/terms"' in Client().get("/signup").content.decode()
