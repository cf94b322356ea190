"""The page where an invoice is paid with a mailed link: what it shows in each state, and what its buttons do."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.signing import TimestampSigner
from django.test import Client

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.models import Invoice, Payment, PaymentStatus
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices import pay_links
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states.transitions import flag_for_review
from igny8_core.common.db import service_transaction
from tests import make
from tests.web.conftest import Customer, customer_of, text_of

pytestmark = pytest.mark.django_db

LEFT = "You came back without paying."
UNPAID = "Nothing was paid and no money was taken. The invoice waits: pay below, in the same way or in another."


def secret_in(html: str) -> str:
    """The client secret on the page with Stripe's form."""
    return html.split('data-client-secret="')[1].split('"')[0]


# --- What it shows ------------------------------------------------------------------------------------------------


def test_an_open_invoice_shows_what_it_says_and_how_it_can_be_paid(
    bank: None, customer: Customer, both: tuple[FakeStripe, FakePayPal]
) -> None:
    page = text_of(customer.opens())

    for said in (
        "igny8",
        customer.invoice.invoice_number,
        "Consulting",
        "89.00 USD",
        f"{customer.invoice.due_date:%Y}",
    ):
        assert said in page
    assert "Pay by card" in page
    assert "Pay with PayPal" in page
    assert "1234567890" in page
    assert "I have sent the money" in page or "I have paid by bank or wallet" in page


def test_the_page_names_the_customer_and_shows_nothing_else_of_the_account(
    customer: Customer, both: tuple[FakeStripe, FakePayPal]
) -> None:
    other = make.invoice(customer.invoice.account)

    page = text_of(customer.opens())

    assert "Acme Secrets Ltd" in page
    for secret in ("accounts@acme.example", other.invoice_number, str(customer.invoice.account.owner)):
        assert secret not in page


def test_a_gateway_without_keys_has_no_button(customer: Customer, stripe: FakeStripe) -> None:
    page = text_of(customer.opens())

    assert "Pay by card" in page
    assert "PayPal" not in page


def test_without_any_way_to_pay_the_page_says_whom_to_ask(customer: Customer) -> None:
    assert 'Write to <a href="mailto:' in text_of(customer.opens())


def test_a_paid_invoice_says_so_with_its_day(customer: Customer, stripe: FakeStripe, olga: User) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(customer.invoice), olga)
    paid_at = Invoice.objects.get().paid_at
    assert paid_at

    page = text_of(customer.opens())

    assert f"We received 89.00 USD on {paid_at:%-d %B %Y}" in page
    assert "<button" not in page


def test_a_void_invoice_says_that_nothing_is_to_be_paid(customer: Customer, stripe: FakeStripe) -> None:
    InvoiceService.mark_void(customer.invoice, "internal reason")

    page = text_of(customer.opens())

    assert "This invoice is void" in page
    assert "internal reason" not in page
    assert "<button" not in page


def test_a_confirmed_transfer_is_being_checked_and_cannot_be_paid_again(customer: Customer, stripe: FakeStripe) -> None:
    make.submitted_payment(customer.invoice)

    page = text_of(customer.opens())

    assert "We compare it with our bank statement" in page
    assert "<button" not in page


def test_an_uncollectible_invoice_cannot_be_paid_here(customer: Customer, stripe: FakeStripe) -> None:
    Invoice.objects.update(status="uncollectible")

    page = text_of(customer.opens())

    assert "cannot be paid here any more" in page
    assert "<button" not in page


def test_an_invoice_that_stripe_collects_by_itself_has_no_buttons(
    bank: None, customer: Customer, stripe: FakeStripe
) -> None:
    Invoice.objects.update(stripe_invoice_id="in_1")

    page = text_of(customer.opens())

    assert "collected by itself" in page
    assert "<button" not in page
    assert "ABC Bank" not in page


def test_text_on_the_invoice_brings_no_markup(customer: Customer) -> None:
    lines = [{"description": "<script>alert(1)</script>", "quantity": 2, "amount": "10.00"}]
    shown = customer_of(make.invoice(customer.invoice.account, line_items=lines), "http://testserver")

    page = text_of(shown.opens())

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "20.00 USD" in page


# --- By card ------------------------------------------------------------------------------------------------------


def test_a_card_entered_at_stripe_pays_the_invoice(customer: Customer, stripe: FakeStripe) -> None:
    form = text_of(customer.clicks("card"))
    stripe.pay_in_browser(secret_in(form))

    page = customer.comes_back()

    assert "Paid, thank you" in page
    assert stripe.charges_count() == 1
    assert Payment.objects.get().status == PaymentStatus.SUCCEEDED
    assert 'data-public-key="pk_test_key"' in form
    assert "sk_test" not in form


def test_a_declined_card_shows_the_reason_and_the_buttons_again(customer: Customer, stripe: FakeStripe) -> None:
    first = secret_in(text_of(customer.clicks("card")))
    stripe.pay_in_browser(first, "pm_card_chargeDeclinedInsufficientFunds")

    page = customer.comes_back()
    second = secret_in(text_of(customer.clicks("card")))
    stripe.pay_in_browser(second)

    assert "Pay by card" in page
    assert 'role="alert"' in page
    assert "There is not enough money on the card" in page
    assert UNPAID in page
    assert LEFT not in page
    assert first == second
    assert "Paid, thank you" in customer.comes_back()
    assert stripe.charges_count() == 1


def test_a_bank_that_asks_is_answered_and_the_invoice_is_paid(customer: Customer, stripe: FakeStripe) -> None:
    stripe.pay_in_browser(secret_in(text_of(customer.clicks("card"))), "pm_card_authenticationRequired")
    [intent] = stripe.all("payment_intent")
    stripe.fail_authentication(intent["id"])
    refused = customer.comes_back()
    stripe.pay_in_browser(secret_in(text_of(customer.clicks("card"))), "pm_card_authenticationRequired")
    stripe.authenticate(intent["id"])

    page = customer.comes_back()

    assert 'role="alert"' in refused
    assert "Pay by card" in refused
    assert "Paid, thank you" in page


def test_with_a_stand_in_the_card_is_entered_on_its_page(customer: Customer, stripe_page: FakeStripe) -> None:
    answer = customer.clicks("card")

    target = urlsplit(answer["Location"])
    asked = parse_qs(target.query)
    [intent] = stripe_page.all("payment_intent")
    assert answer.status_code == 302
    assert target.path == "/fake/stripe/pay"
    assert asked["client_secret"] == [intent["client_secret"]]
    assert asked["return_url"] == [f"http://testserver{customer.page}"]


def test_who_is_not_back_from_a_gateway_finds_the_buttons_of_an_open_attempt(
    customer: Customer, stripe: FakeStripe
) -> None:
    customer.clicks("card")

    page = text_of(customer.opens())

    assert "Pay by card" in page
    assert "Checking" not in page


def test_a_payment_that_the_gateway_has_not_decided_is_not_offered_again(
    customer: Customer, stripe: FakeStripe
) -> None:
    stripe.leave_processing()
    stripe.pay_in_browser(secret_in(text_of(customer.clicks("card"))))

    page = customer.comes_back()
    again = customer.clicks("card")

    assert "Please do not pay again" in page
    assert "Check again" in page
    assert "Pay by card" not in page
    assert again.status_code in {303, 409}
    assert Payment.objects.count() == 1


def test_an_answer_that_was_lost_is_being_checked(customer: Customer, stripe: FakeStripe) -> None:
    stripe.lose_next_answers(9, method="POST", path="/v1/payment_intents")
    answer = customer.clicks("card")
    stripe.lose_next_answers(0)

    assert answer.status_code == 303
    assert "Please do not pay again" in text_of(customer.opens())


def test_a_payment_that_needs_review_waits_for_us(customer: Customer, stripe: FakeStripe) -> None:
    customer.clicks("card")
    service_transaction(flag_for_review)(Payment.objects.get(), "The gateway took 5.00 USD.")

    page = text_of(customer.opens())

    assert "Please do not pay again" in page
    assert "<button" not in page
    assert "5.00" not in page


# --- By PayPal ----------------------------------------------------------------------------------------------------


def test_an_order_approved_at_paypal_pays_the_invoice(customer: Customer, paypal: FakePayPal) -> None:
    answer = customer.clicks("paypal")
    payment = Payment.objects.get()
    paypal.approve(payment.gateway_object_id)

    back = text_of(customer.opens(f"?token={payment.gateway_object_id}&PayerID=P1"))
    customer.clicks("complete")

    assert answer.status_code == 302
    assert answer["Location"] == f"{paypal.address}/checkoutnow?token={payment.gateway_object_id}"
    assert "Checking your payment" in back
    assert "Paid, thank you" in text_of(customer.opens())


def test_an_order_that_was_not_approved_leaves_the_buttons(customer: Customer, paypal: FakePayPal) -> None:
    customer.clicks("paypal")

    page = customer.comes_back()

    assert "Pay with PayPal" in page
    assert LEFT in page
    assert UNPAID in page
    assert LEFT not in text_of(customer.opens())


def test_a_capture_that_paypal_declines_shows_the_reason(customer: Customer, paypal: FakePayPal) -> None:
    customer.clicks("paypal")
    paypal.decline_next_capture()
    paypal.approve(Payment.objects.get().gateway_object_id)

    page = customer.comes_back()

    assert 'role="alert"' in page
    assert "Pay with PayPal" in page


def test_a_gateway_that_is_down_is_told_with_what_to_do(customer: Customer, stripe: FakeStripe) -> None:
    stripe.refuse_next_connections(20)

    answer = customer.clicks("card")

    assert answer.status_code == 503
    assert "Nothing was charged. Try again in a minute" in text_of(answer)
    assert "Pay by card" in text_of(answer)


def test_buttons_of_an_invoice_that_was_paid_meanwhile_pay_nothing(
    customer: Customer, both: tuple[FakeStripe, FakePayPal], olga: User
) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(customer.invoice), olga)

    for button in ("card", "paypal", "complete"):
        answer = customer.clicks(button)
        assert answer.status_code in {303, 409}
        assert "Paid, thank you" in text_of(customer.opens())

    assert both[0].all("payment_intent") == []
    assert both[1].orders == {}


# --- Who may open it ----------------------------------------------------------------------------------------------


def test_a_link_that_has_run_out_says_so(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pay_links, "LIFETIME", -pay_links.LIFETIME)

    answer = customer.opens()

    assert answer.status_code == 410
    assert "This link has expired" in text_of(answer)
    assert customer.invoice.invoice_number not in text_of(answer)


def test_tokens_that_we_never_made_open_nothing(customer: Customer, stripe: FakeStripe) -> None:
    other = make.invoice()
    token = customer.page.split("/")[2]
    _, when, signature = token.split(":")
    forged = [
        f"{other.pk}:{when}:{signature}",
        f"{customer.invoice.pk}:{when}:{signature[:-1]}",
        str(customer.invoice.pk),
        TimestampSigner(salt="another purpose").sign(str(customer.invoice.pk)),
        "💥",
    ]

    for address in (f"/pay/{each}/" for each in forged):
        assert Client().get(address).status_code == 404, address
        for button in ("card", "paypal", "complete"):
            assert Client().post(f"{address}{button}/").status_code == 404, address

    assert Payment.objects.count() == 0


def test_a_link_completes_no_payment_of_another_invoice(customer: Customer, stripe: FakeStripe) -> None:
    other = customer_of(make.invoice(customer.invoice.account), "http://testserver")
    stripe.pay_in_browser(secret_in(text_of(other.clicks("card"))))

    customer.clicks("complete")

    assert Invoice.objects.get(pk=other.invoice.pk).status == "pending"
    assert "Paid, thank you" in other.comes_back()


def test_forms_of_other_sites_do_nothing(customer: Customer, stripe: FakeStripe) -> None:
    strict = Client(enforce_csrf_checks=True)

    for button in ("card", "paypal", "complete"):
        assert strict.post(f"{customer.page}{button}/").status_code == 403
    own = strict.get(customer.page).content.decode().split('csrfmiddlewaretoken" value="')[1].split('"')[0]

    assert strict.post(f"{customer.page}card/", {"csrfmiddlewaretoken": own}).status_code == 200
    assert Payment.objects.count() == 1


def test_looking_changes_nothing(customer: Customer, stripe: FakeStripe) -> None:
    for address in ("", "?payment_intent=pi_1&token=x", "card/", "paypal/", "complete/"):
        customer.browser.get(f"{customer.page}{address}", follow=True)
        customer.browser.head(f"{customer.page}{address}")

    assert customer.browser.get(f"{customer.page}card/")["Location"] == customer.page
    assert customer.browser.put(customer.page).status_code == 405
    assert customer.browser.delete(f"{customer.page}card/").status_code == 405
    assert stripe.requests() == []
    assert Payment.objects.count() == 0


def test_a_network_that_asks_too_often_has_to_wait(customer: Customer, throttling: None, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "pay_page": ["2/minute"]}

    answers = [customer.opens().status_code for _ in range(3)]
    refused = customer.clicks("card")

    assert answers == [200, 200, 429]
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "Try again in" in text_of(refused)
