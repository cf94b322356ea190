"""Invoices and credit notes over HTTP: the lists, and the PDFs to save (TEN-05)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices import pdf
from tests import make
from tests.api.world import refusal
from tests.billing.test_pdf_service import needs_pango

pytestmark = pytest.mark.django_db

INVOICES, CREDIT_NOTES = "/api/v1/billing/invoices/", "/api/v1/billing/credit-notes/"
Login = Callable[[User], APIClient]


def numbers(client: APIClient, address: str, **query: Any) -> list[str]:
    data = client.get(address, query).json()["data"]
    return [row.get("credit_note_number") or row["invoice_number"] for row in data]


# --- Lists ----------------------------------------------------------------------------------------------------------


def test_invoices_are_found_by_status_dates_and_number(alice: User, as_user: Login, account_a: Account) -> None:
    first, second, third = (make.invoice(account_a) for _ in range(3))
    InvoiceService.mark_void(second, "Mistake")
    Invoice.objects.filter(pk=first.pk).update(
        invoice_date=date(2026, 1, 31), due_date=date(2026, 2, 7), invoice_number="INV-1-202601-0001"
    )
    today, client = third.invoice_date, as_user(alice)
    old, newer = "INV-1-202601-0001", [third.invoice_number, second.invoice_number]

    assert numbers(client, INVOICES) == [*newer, old]
    assert numbers(client, INVOICES, status="void") == [second.invoice_number]
    assert numbers(client, INVOICES, date_from="2026-02-01") == newer
    assert numbers(client, INVOICES, date_to="2026-01-31") == [old]
    assert numbers(client, INVOICES, date_from="2026-01-31", date_to="2026-01-31") == [old]
    assert numbers(client, INVOICES, date_from=str(today + timedelta(days=1))) == []
    assert numbers(client, INVOICES, search="202601") == [old]
    assert numbers(client, INVOICES, search="inv-1-202601-0001") == [old]
    assert numbers(client, INVOICES, status="pending", search="202601", date_to="2026-12-31") == [old]
    assert numbers(client, INVOICES, ordering="invoice_date")[0] == old


def test_an_invoice_says_the_customers_purchase_order(alice: User, as_user: Login, account_a: Account) -> None:
    make.invoice(account_a)
    make.invoice(account_a, purchase_order_number="PO-2026-117")

    rows = as_user(alice).get(INVOICES).json()["data"]

    assert [row["purchase_order_number"] for row in rows] == ["PO-2026-117", ""]


def test_credit_notes_are_listed_with_what_they_are_for(bob: User, as_user: Login, account_a: Account) -> None:
    small, large = make.refund(account_a, "1.00", "First"), make.refund(account_a, "80.00", "Second")
    client = as_user(bob)

    rows = client.get(CREDIT_NOTES).json()["data"]

    assert [row["credit_note_number"] for row in rows] == [large.credit_note_number, small.credit_note_number]
    assert rows[1] == {
        "id": small.pk,
        "credit_note_number": small.credit_note_number,
        "invoice_id": small.invoice_id,
        "invoice_number": small.invoice.invoice_number,
        "payment_id": small.payment_id,
        "amount": "1.00",
        "currency": "USD",
        "reason": "First",
        "reference": "",
        "credits_taken_back": 0,
        "credits_not_recovered": 0,
        "created_at": small.created_at.isoformat().replace("+00:00", "Z"),
    }
    today = small.created_at.date()
    assert numbers(client, CREDIT_NOTES, search=large.invoice.invoice_number) == [large.credit_note_number]
    assert numbers(client, CREDIT_NOTES, search=small.credit_note_number.lower()) == [small.credit_note_number]
    assert numbers(client, CREDIT_NOTES, ordering="amount")[0] == small.credit_note_number
    assert len(numbers(client, CREDIT_NOTES, date_from=str(today), date_to=str(today))) == 2
    assert numbers(client, CREDIT_NOTES, date_from=str(today + timedelta(days=1))) == []


def test_a_list_of_credit_notes_takes_as_many_queries_as_one(
    alice: User, as_user: Login, account_a: Account, statements: list[str]
) -> None:
    client = as_user(alice)
    make.refund(account_a)
    counts = []
    for _ in range(2):
        statements.clear()
        client.get(CREDIT_NOTES)
        counts.append(len(statements))
        for _ in range(5):
            make.refund(account_a)

    assert counts[0] == counts[1] <= 4


# --- PDFs -----------------------------------------------------------------------------------------------------------


def documents(account: Account) -> list[tuple[str, str]]:
    """Address and number of an invoice and of a credit note."""
    note = make.refund(account)
    return [
        (f"{INVOICES}{note.invoice_id}/pdf/", note.invoice.invoice_number),
        (f"{CREDIT_NOTES}{note.pk}/pdf/", note.credit_note_number),
    ]


@needs_pango
def test_who_asks_for_mere_bytes_gets_the_same_file_called_so(alice: User, as_user: Login, account_a: Account) -> None:
    address = f"{INVOICES}{make.invoice(account_a).pk}/pdf/"

    response = as_user(alice).get(address, HTTP_ACCEPT="application/octet-stream")

    assert (response.status_code, response["Content-Type"]) == (200, "application/octet-stream")
    assert response.content.startswith(b"%PDF-")
    assert "attachment" in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"


@needs_pango
@pytest.mark.parametrize("accept", [None, "application/pdf", "text/html,*/*;q=0.8", "application/json"])
def test_a_document_is_a_file_to_save_under_its_number(
    bob: User, as_user: Login, account_a: Account, accept: str | None
) -> None:
    for address, number in documents(account_a):
        response = as_user(bob).get(address, **({"HTTP_ACCEPT": accept} if accept else {}))

        assert response.status_code == 200
        assert response.content.startswith(b"%PDF-1.7")
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"] == f'attachment; filename="{number}.pdf"'
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in response["Cache-Control"]
        assert response["X-Request-ID"]


def test_without_the_libraries_the_answer_is_503_with_what_to_do(
    alice: User, as_user: Login, account_a: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(template: str, context: object) -> bytes:
        raise PdfUnavailable(retry_after=pdf.RETRY_SECONDS)

    monkeypatch.setattr(pdf, "_drawn", unavailable)
    for address, _ in documents(account_a):
        response = as_user(alice).get(address, HTTP_ACCEPT="application/pdf")

        assert (response.status_code, refusal(response)["code"]) == (503, "pdf_unavailable")
        assert int(response["Retry-After"]) > 0
        assert response["Content-Type"] == "application/json"


@pytest.mark.django_db(transaction=True)
def test_a_document_is_drawn_outside_any_transaction(
    alice: User, as_user: Login, account_a: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def draw(template: str, context: object) -> bytes:
        seen.append(connection.in_atomic_block)
        return b"%PDF"

    monkeypatch.setattr(pdf, "_drawn", draw)
    for address, _ in documents(account_a):
        assert as_user(alice).get(address).status_code == 200

    assert seen == [False, False]


def test_who_belongs_to_no_account_gets_no_document(as_user: Login, account_a: Account, charlie: User) -> None:
    outsider = make.user(email="nobody@example.com")
    for address, _ in documents(account_a):
        assert as_user(outsider).get(address).status_code == 403
        assert as_user(charlie).get(address).status_code == 404
        assert APIClient().get(address).status_code == 401


def test_documents_are_counted_per_user(
    alice: User, as_user: Login, account_a: Account, settings: Any, throttling: None
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "pdf": ["2/minute"]}
    client, [(address, _), _] = as_user(alice), documents(account_a)

    statuses = [client.get(f"{address}?x=1").status_code for _ in range(3)]

    assert statuses == [400, 400, 429]
