"""What operators see of a customer's file, and that it runs nothing in their browser (PAY-14, TEN-05)."""

from datetime import date
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db


def payment_with(content_type: str = "image/png") -> Payment:
    account = make.owner().account
    return make.submitted_payment(make.invoice(account), proof=make.proof(account, content_type=content_type))


def file_of(payment: Payment) -> str:
    return reverse("admin:billing_payment_proof", args=[payment.pk])


def page_of(browser: Client, payment: Payment) -> str:
    return browser.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()


def test_a_picture_is_shown_on_the_payments_page(console: Client) -> None:
    payment = payment_with()

    page = page_of(console, payment)

    assert f'<img src="{file_of(payment)}"' in page
    assert f"by {payment.proof.uploaded_by.email}" in page


def test_a_pdf_is_a_link_to_save_it(console: Client) -> None:
    payment = payment_with("application/pdf")

    page = page_of(console, payment)

    assert f'href="{file_of(payment)}"' in page
    assert f'<img src="{file_of(payment)}"' not in page
    assert console.get(file_of(payment))["Content-Disposition"].startswith("attachment; ")


def test_a_payment_without_a_file_shows_none_and_has_none(console: Client) -> None:
    payment = make.submitted_payment()

    assert file_of(payment) not in page_of(console, payment)
    assert console.get(file_of(payment)).status_code == 404
    assert console.get(reverse("admin:billing_payment_proof", args=["no-number"])).status_code == 404


def test_the_file_runs_nothing(console: Client) -> None:
    payment = payment_with()

    answer = console.get(file_of(payment))

    assert answer.content == make.png()
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == f'inline; filename="payment-proof-{payment.proof_id}.png"'
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        ([], 403),
        (["billing.view_paymentproof"], 403),
        (["billing.approve_payment"], 403),
        (["billing.view_payment"], 200),
    ],
)
def test_the_file_takes_the_permission_to_see_payments(client: Client, permissions: list[str], status: int) -> None:
    payment = payment_with()
    client.force_login(operator_with(*permissions))

    assert client.get(file_of(payment)).status_code == status


@pytest.mark.parametrize("who", ["nobody", "customer"])
def test_nobody_else_gets_it(client: Client, who: str) -> None:
    payment = payment_with()
    if who == "customer":
        client.force_login(payment.account.owner)

    answer = client.get(file_of(payment))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_a_file_that_is_gone_is_said_to_be(console: Client) -> None:
    payment = payment_with()
    default_storage.delete(payment.proof.file.name)

    answer = console.get(file_of(payment))

    assert (answer.status_code, answer["Content-Type"]) == (503, "text/plain")
    assert page_of(console, payment)


def test_the_list_of_files_leads_to_their_payments(console: Client) -> None:
    payment = payment_with()
    unused: Any = make.proof(payment.account)

    page = console.get(reverse("admin:billing_paymentproof_changelist")).content.decode()

    assert f">Payment {payment.pk}</a>" in page
    assert unused.file.name not in page


def test_what_a_link_holder_said_and_sent_is_on_the_payment_s_page(console: Client) -> None:
    invoice = make.invoice()
    proof = make.proof(invoice.account, uploaded_by=None)
    said = {"transferred_on": date(2026, 11, 27), "payer_name": "Ada <b>Köhler</b>", "proof": proof}
    payment = make.submitted_payment(invoice, **said)

    html = console.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()

    assert "Nov. 27, 2026" in html
    assert "Ada &lt;b&gt;Köhler&lt;/b&gt;" in html
    assert "by somebody with the link of the invoice" in html
    assert console.get(reverse("admin:billing_paymentproof_change", args=[proof.pk])).status_code == 200


def test_the_links_of_an_invoice_are_withdrawn_on_its_page(console: Client) -> None:
    invoice = make.invoice()
    before = pay_link(invoice)

    console.post(reverse("admin:billing_invoice_withdraw_links", args=[invoice.pk]), {"_form_submitted": "True"})

    invoice.refresh_from_db()
    html = console.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    assert Client().get(f"/{before.split('/', 3)[3]}").status_code == 410
    assert f"/pay/{invoice.pk}.1:" in html


def test_who_may_only_look_at_invoices_withdraws_no_links() -> None:
    invoice = make.invoice()

    browser = Client()
    browser.force_login(operator_with("billing.view_invoice"))

    browser.post(reverse("admin:billing_invoice_withdraw_links", args=[invoice.pk]), {"_form_submitted": "True"})

    invoice.refresh_from_db()
    assert invoice.pay_link_version == 0


def test_proof_is_a_link_only_to_a_public_https_address(console: Client) -> None:
    payment = make.submitted_payment(proof_url="https://files.example.com/receipt.png")
    good = page_of(console, payment)
    Payment.objects.filter(pk=payment.pk).update(proof_url="javascript:alert(1)")

    bad = page_of(console, payment)

    assert 'href="https://files.example.com/receipt.png" rel="noopener noreferrer nofollow" target="_blank"' in good
    assert 'href="javascript' not in bad
    assert "javascript:alert(1)" in bad
