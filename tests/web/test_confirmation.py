"""Who paid by bank or wallet says so on the page of the mailed link: no login, no script needed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Invoice, Payment, PaymentProof
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from tests import make
from tests.web.conftest import Customer, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bank")]


def tells(customer: Customer, **fields: Any) -> HttpResponse:
    """Send the form as a browser does, with what the test is about in place of sensible values."""
    said = {
        "payment_method": "bank_transfer",
        "reference": "BT-20261129",
        "transferred_on": clock.today().isoformat(),
        "payer_name": "Ada Köhler",
        "notes": "From our second account.",
        **fields,
    }
    sent = {name: value for name, value in said.items() if value is not None}
    return customer.browser.post(f"{customer.page}confirm/", sent)  # type: ignore[return-value]


def picture(content: bytes | None = None, name: str = "IMG_0001.PNG") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make.png() if content is None else content, "image/png")


def refused(answer: HttpResponse, status: int, *sentences: str) -> str:
    """The page of a refusal, of which nothing was kept."""
    page = text_of(answer)
    assert answer.status_code == status
    for sentence in sentences:
        assert sentence in page
    assert not Payment.objects.exists()
    return page


# --- What is kept, and what the page says then ---------------------------------------------------------------------


def test_what_a_payer_says_is_kept_and_the_page_says_since_when_it_is_checked(customer: Customer) -> None:
    answer = tells(customer, proof=picture())

    payment = Payment.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, customer.page)
    assert (payment.status, payment.payment_method, payment.amount) == ("pending_approval", "bank_transfer", 89)
    assert (payment.manual_reference, payment.payer_name) == ("BT-20261129", "Ada Köhler")
    assert (payment.transferred_on, payment.manual_notes) == (clock.today(), "From our second account.")
    assert payment.proof
    assert (payment.proof.uploaded_by, payment.proof.content_type) == (None, "image/png")
    page = text_of(customer.opens())
    for said in ("being checked", f"{payment.created_at:%-d %B %Y, %H:%M} UTC", "BT-20261129", "received"):
        assert said in page
    assert "<form" not in page


def test_a_file_is_not_needed(customer: Customer) -> None:
    assert tells(customer, payer_name="", notes="").status_code == 303
    assert Payment.objects.get().proof is None


def test_a_rejection_shows_its_reason_and_the_form_again(customer: Customer, olga: User) -> None:
    tells(customer)
    PaymentService.reject_manual_payment(Payment.objects.get(), "The amount was 8.90.", olga)

    page = text_of(customer.opens())
    again = tells(customer, reference="BT-NEW")

    assert "We could not confirm your payment with the reference BT-20261129." in page
    assert "The amount was 8.90." in page
    assert '<details id="tell" class="tell first" open>' in page
    assert again.status_code == 303
    assert "being checked" in text_of(customer.opens())


def test_a_rejection_without_a_reason_says_what_we_looked_for(customer: Customer, olga: User) -> None:
    tells(customer)
    PaymentService.reject_manual_payment(Payment.objects.get(), "", olga)

    assert "We did not find this payment on our bank or wallet statement." in text_of(customer.opens())


def test_a_rejection_shows_the_sentence_of_its_code_and_not_the_internal_note(customer: Customer, olga: User) -> None:
    tells(customer)
    PaymentService.reject_manual_payment(
        Payment.objects.get(), "", olga, reason_code="proof_unreadable", internal_note="Looks like fraud"
    )

    page = text_of(customer.opens())

    assert "We could not read the proof that you sent." in page
    assert "fraud" not in page


def test_the_receipt_says_what_was_paid_and_what_went_back(customer: Customer, olga: User) -> None:
    tells(customer)
    payment = Payment.objects.get()
    PaymentService.approve_manual_payment(payment, olga)
    payment.refresh_from_db()
    PaymentService.process_refund(payment, "10.00", refunded_by=olga)

    page = text_of(customer.opens())

    for said in ("Paid, thank you", "Bank Transfer", "BT-20261129", "Returned to you", "10.00 USD", "receipt (PDF)"):
        assert said in page


# --- What is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("reference", "", "Give the reference that your bank or wallet shows"),
        ("reference", "---", "Give the reference of your transfer"),
        ("reference", "x" * 101, "At most 100 characters."),
        ("reference", "BT\u202e1", "is not allowed. Remove it."),
        ("transferred_on", "", "Give the day on which you sent the money."),
        ("transferred_on", "29.11.2026", "A date is expected, written YYYY-MM-DD."),
        ("transferred_on", "2026-02-30", "This date does not exist."),
        ("transferred_on", "1999-01-01", "A day of the last twelve months is expected."),
        ("transferred_on", "2999-01-01", "A day of the last twelve months is expected."),
        ("payer_name", "x" * 151, "At most 150 characters."),
        ("notes", "x" * 2001, "At most 2000 characters."),
        ("payment_method", "", "Choose how you sent the money."),
        ("payment_method", "stripe", "This invoice cannot be paid so."),
        ("payment_method", "local_wallet", "This invoice cannot be paid so."),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_the_rest_is_kept(
    customer: Customer, field: str, typed: str, sentence: str
) -> None:
    page = refused(tells(customer, **{field: typed}), 400, sentence, "Nothing was changed.", "open>")

    kept = {"reference": "BT-20261129", "payer_name": "Ada Köhler", "notes": "From our second account."}
    for name, text in kept.items():
        assert (text in page) == (name != field)


def test_tomorrow_is_a_day_somewhere(customer: Customer) -> None:
    assert tells(customer, transferred_on=(clock.today() + timedelta(days=1)).isoformat()).status_code == 303


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"", 400, "This file is empty."),
        (b"GIF89a...", 415, "This is no picture or PDF of a kind that is taken"),
        (b"\x89PNG\r\n\x1a\nbroken", 400, "The file is broken or cut off."),
        (b"\x89PNG\r\n\x1a\n" + bytes(5 * 1024 * 1024), 400, "This file has more than 5 MB."),
    ],
)
def test_a_file_that_cannot_be_taken_is_said_at_its_field(
    customer: Customer, content: bytes, status: int, sentence: str
) -> None:
    refused(tells(customer, proof=picture(content)), status, sentence, "BT-20261129")

    assert not PaymentProof.objects.exists()


def test_a_customer_whose_files_are_too_many_can_confirm_without_one(customer: Customer) -> None:
    for _ in range(20):
        make.proof(customer.invoice.account)

    refused(tells(customer, proof=picture()), 409, "Send the form without one")
    assert tells(customer).status_code == 303


def test_a_form_that_is_far_too_large_or_cut_off_is_answered(customer: Customer) -> None:
    address = f"{customer.page}confirm/"
    large = customer.browser.post(
        address, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="40000000"
    )
    cut = customer.browser.post(address, b"--x\r\nbroken", content_type="multipart/form-data; boundary=")

    refused(large, 413, "far too large")  # type: ignore[arg-type]
    refused(cut, 400, "did not arrive whole")  # type: ignore[arg-type]


def test_a_form_of_another_site_or_without_cookies_keeps_what_was_typed(customer: Customer) -> None:
    customer.browser = Client(enforce_csrf_checks=True)

    refused(tells(customer), 403, "Allow cookies for this page", "BT-20261129")


# --- Twice, late, and meanwhile ------------------------------------------------------------------------------------


def test_sent_twice_it_is_kept_once_and_answered_the_same(customer: Customer) -> None:
    first, second = tells(customer, proof=picture()), tells(customer, reference="bt 20261129", proof=picture())

    assert (first.status_code, second.status_code) == (303, 303)
    assert Payment.objects.count() == PaymentProof.objects.count() == 1


def test_another_confirmation_while_one_is_checked_is_not_kept(customer: Customer) -> None:
    tells(customer)

    answer = tells(customer, reference="BT-OTHER", proof=picture())

    page = text_of(answer)
    assert answer.status_code == 409
    assert "We are checking a payment with the reference BT-20261129 already." in page
    assert "What you sent just now was not kept." in page
    assert Payment.objects.get().manual_reference == "BT-20261129"
    assert not PaymentProof.objects.exists()


def test_an_invoice_that_was_voided_meanwhile_takes_nothing(customer: Customer) -> None:
    InvoiceService.mark_void(customer.invoice, "ordered twice")

    refused(tells(customer, proof=picture()), 409, "This invoice is void.", "What you sent just now was not kept.")
    assert not PaymentProof.objects.exists()


def test_an_invoice_that_was_paid_meanwhile_takes_nothing(customer: Customer, olga: User) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(customer.invoice), olga)

    answer = tells(customer, reference="BT-LATE")

    assert answer.status_code == 409
    assert "Paid, thank you" in text_of(answer)
    assert "What you sent just now was not kept." in text_of(answer)
    assert Payment.objects.count() == 1


def test_an_invoice_that_no_bank_is_offered_for_takes_no_confirmation(customer: Customer) -> None:
    Invoice.objects.update(stripe_invoice_id="in_1")

    refused(tells(customer), 409, "collected by itself")


def test_who_tells_us_too_often_waits_and_keeps_what_was_typed(
    customer: Customer, throttling: None, settings: Any, olga: User
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "pay_confirm": ["1/minute"]}
    tells(customer)
    PaymentService.reject_manual_payment(Payment.objects.get(), "Not found.", olga)

    answer = tells(customer, reference="BT-AGAIN")

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "Too many tries in a short time." in text_of(answer)
    assert "BT-AGAIN" in text_of(answer)
    assert Payment.objects.count() == 1


def test_opening_the_form_s_address_leads_to_the_page(customer: Customer) -> None:
    answer = customer.browser.get(f"{customer.page}confirm/")

    assert (answer.status_code, answer["Location"]) == (303, customer.page)
    assert customer.browser.put(f"{customer.page}confirm/").status_code == 405
