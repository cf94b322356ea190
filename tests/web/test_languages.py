"""Which language a person is answered in, one test for each kind of text (docs/languages.md)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from django.core import mail
from django.test import Client
from django.utils import translation

from igny8_core.auth.models import Account, User
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.credits.spending import use_credits
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.signup.service import register
from igny8_core.common.languages import in_language
from igny8_core.common.money import amount_text
from igny8_core.common.written import count_text, day_text, moment_text, short_moment_text
from tests import make
from tests.web.people import browser_of

GERMAN, URDU = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}, {"HTTP_ACCEPT_LANGUAGE": "ur"}


def page_of(browser: Client, address: str = "/login", **headers: str) -> str:
    answer = browser.get(address, **headers)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert "Accept-Language" in answer["Vary"]
    return answer.content.decode()


def speaking(person: User, own: str = "", of_account: str = "") -> User:
    User.objects.filter(pk=person.pk).update(language=own)
    Account.objects.filter(pk=person.account_id).update(language=of_account)
    return User.objects.select_related("account").get(pk=person.pk)


@pytest.mark.django_db
def test_a_browser_reads_the_language_that_it_asks_for() -> None:
    assert '<html lang="de" dir="ltr">' in page_of(Client(), **GERMAN)
    assert '<html lang="ur" dir="rtl">' in page_of(Client(), **URDU)
    assert '<html lang="en" dir="ltr">' in page_of(Client(), HTTP_ACCEPT_LANGUAGE="fr,*;q=0.1")
    assert translation.get_language() == "en"


@pytest.mark.django_db
def test_a_choice_at_the_foot_of_a_page_is_kept_in_the_browser() -> None:
    browser = Client()
    answer = browser.post("/language", {"language": "ur", "next": "/login"})
    assert (answer.status_code, answer["Location"]) == (303, "/login")
    assert answer.cookies["language"]["httponly"]
    assert 'lang="ur"' in page_of(browser, **GERMAN)


@pytest.mark.django_db
def test_a_choice_leads_to_no_other_site_and_to_no_other_language() -> None:
    browser = Client()
    answer = browser.post("/language", {"language": "xx", "next": "//evil.example/"})
    assert answer["Location"].startswith("/home")
    assert "language" not in answer.cookies


@pytest.mark.django_db
def test_a_person_reads_their_own_language_before_their_accounts_and_the_browsers() -> None:
    owner = make.owner()
    assert 'lang="ur"' in page_of(browser_of(speaking(owner, of_account="ur")), "/home", **GERMAN)
    assert 'lang="de"' in page_of(browser_of(speaking(owner, own="de", of_account="ur")), "/home", **URDU)
    browser = browser_of(owner)
    browser.post("/language", {"language": "en", "next": "/home"})
    assert 'lang="en"' in page_of(browser, "/home", **URDU)
    owner.refresh_from_db()
    assert owner.language == "en"


@pytest.mark.django_db
def test_a_refusal_of_the_api_is_said_in_the_callers_language_and_its_code_stays() -> None:
    owner = speaking(make.owner(), of_account="de")
    token = open_session(owner).access

    def asks(path: str, **headers: str) -> tuple[str, str, str]:
        answer = Client(headers={"Authorization": f"Bearer {token}"}).get(path, **headers)  # type: ignore[arg-type]
        return answer.json()["message"], answer.json()["code"], answer["Content-Language"]

    assert asks("/api/v1/billing/invoices/999/") == ("Rechnung nicht gefunden", "invoice_not_found", "de")
    # An operation that reads no person knows the language, too.
    assert asks("/api/v1/billing/credits/balance/?page=1", **URDU)[0].startswith("page: Unbekannter Abfrageparameter")
    answer = Client().post(
        "/api/v1/auth/login/", {"email": "a@example.com", "password": "x"}, "application/json", **URDU
    )  # type: ignore[arg-type]
    assert "ای میل ایڈریس یا پاس ورڈ غلط ہے" in answer.json()["message"]
    assert answer.json()["code"] == "invalid_credentials"


@pytest.mark.django_db
def test_the_kept_lists_of_ways_to_pay_are_kept_by_language() -> None:
    make.payment_method(payment_method="bank_transfer", display_name="Bank Transfer")

    def names(**headers: str) -> set[str]:
        [way] = Client().get("/api/v1/billing/payment-methods/", **headers).json()  # type: ignore[arg-type]
        return {way["display_name"], way["payment_method_display"]}

    assert [names(**GERMAN), names(), names(**URDU)] == [{"Überweisung"}, {"Bank Transfer"}, {"بینک ٹرانسفر"}]


@pytest.mark.django_db
def test_the_language_is_told_and_changed_with_the_profile_and_the_settings() -> None:
    owner = make.owner()
    api = Client(headers={"Authorization": f"Bearer {open_session(owner).access}"})
    me = api.patch("/api/v1/auth/me/", {"language": "ur"}, content_type="application/json")
    assert me.json()["data"]["user"]["language"] == "ur"
    settings = api.patch("/api/v1/account/settings/", {"language": "de"}, content_type="application/json")
    assert settings.json()["data"]["language"] == "de"
    refused = api.patch("/api/v1/auth/me/", {"language": "fr"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")
    owner.refresh_from_db()
    assert owner.language == "ur"


@pytest.mark.django_db
def test_who_signs_up_on_a_german_page_gets_a_german_account() -> None:
    make.plan("free", price=0)
    with in_language("de"):
        signup = register(
            email="ada@example.com", password="a wholly different phrase", first_name="Ada", last_name="L"
        )
    assert (signup.account.language, signup.user.language) == ("de", "")


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_written_in_the_language_of_who_reads_it(settings: Any) -> None:
    owner = speaking(make.owner(), own="de", of_account="ur")
    invoice = make.invoice(owner.account)
    mail.outbox.clear()
    InvoiceService.send_invoice_email(invoice)
    message = mail.outbox[-1]
    assert message.subject == f"Rechnung {invoice.invoice_number} von {settings.COMPANY_NAME}"
    assert "Vielen Dank für Ihre Bestellung." in message.body
    assert message.extra_headers["Content-Language"] == "de"
    assert 'lang="de" dir="ltr"' in str(message.alternatives[0][0])  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_a_mail_in_urdu_runs_from_right_to_left() -> None:
    owner = speaking(make.owner(), of_account="ur")
    invoice = make.invoice(owner.account)
    mail.outbox.clear()
    InvoiceService.send_invoice_email(invoice)
    assert f"انوائس \u2068{invoice.invoice_number}\u2069" in mail.outbox[-1].subject
    assert 'lang="ur" dir="rtl"' in str(mail.outbox[-1].alternatives[0][0])  # type: ignore[attr-defined]


def text_of_pdf(content: bytes) -> str:
    document = pypdfium2.PdfDocument(BytesIO(content))
    return " ".join(page.get_textpage().get_text_range() for page in document)


@pytest.mark.django_db
def test_a_document_keeps_the_language_that_it_was_issued_in() -> None:
    owner = speaking(make.owner(), own="ur", of_account="de")
    invoice = make.invoice(owner.account)
    assert invoice.metadata["language"] == "de"
    speaking(owner, of_account="ur")
    invoice.refresh_from_db()
    text = text_of_pdf(pdf.render_invoice(invoice))
    assert "Rechnungsdatum" in text
    assert "89,00" in text
    assert "Invoice date" not in text


@pytest.mark.parametrize(
    ("language", "amount", "count", "day"),
    [
        ("en", "1234.50 EUR", "12,000", "5 March 2026"),
        ("de", "1.234,50\N{NO-BREAK SPACE}€", "12.000", "5. März 2026"),
        ("ur", "\u20681,234.50\N{NO-BREAK SPACE}EUR\u2069", "12,000", "5 مارچ، 2026"),
    ],
)
def test_money_counts_and_days_are_written_by_the_language(language: str, amount: str, count: str, day: str) -> None:
    with in_language(language):
        assert amount_text(Decimal("1234.5"), "EUR") == amount
        assert count_text(12000) == count
        assert day_text(date(2026, 3, 5)) == day


@pytest.mark.django_db
def test_the_console_is_in_english() -> None:
    answer = Client().get("/admin/login/", **GERMAN)  # type: ignore[arg-type]
    assert b'lang="en' in answer.content
    assert "Content-Language" not in answer.headers


@pytest.mark.django_db
def test_the_charts_of_usage_name_operations_in_the_reader_s_language() -> None:
    owner = speaking(make.owner(), own="ur")
    assert owner.account
    make.credits(owner.account, 100)
    make.credit_cost(operation_type="image_generation", display_name="Image generation")
    use_credits(owner.account, "image_generation", 1, user=owner, key="x")

    page = page_of(browser_of(owner), "/account/usage")

    assert "Image generation" not in page
    assert '<strong dir="ltr">100.0 %</strong>' in page


@pytest.mark.django_db
def test_a_saved_way_to_pay_is_called_as_its_reader_calls_it(alice: User) -> None:
    for kind, name in (("bank_transfer", "Bank Transfer"), ("stripe", "Visa •••• 4242")):
        AccountPaymentMethod.objects.create(account=alice.account, type=kind, display_name=name)
    of = '<section class="card" id="methods"'

    shown = page_of(browser_of(alice), "/account/billing", **GERMAN).split(of)[1].split("</section>")[0]

    assert "Bank Transfer" not in shown
    assert shown.count("<bdi>Überweisung</bdi>") == 1
    assert "<small>Überweisung" not in shown
    assert "<bdi>Visa •••• 4242</bdi>" in shown
    assert 'aria-label="Überweisung entfernen"' in shown


@pytest.mark.parametrize(
    ("language", "long", "short"),
    [
        ("en", "5 March 2026, 14:05", "5 Mar, 14:05"),
        ("de", "5. März 2026, 14:05", "5. März, 14:05"),
        ("ur", "5 مارچ، 2026، 14:05", "5 مارچ، 14:05"),
    ],
)
def test_day_and_time_are_parted_by_the_comma_of_the_language(language: str, long: str, short: str) -> None:
    moment = datetime(2026, 3, 5, 14, 5, tzinfo=UTC)

    with in_language(language):
        assert (moment_text(moment), short_moment_text(moment)) == (long, short)
