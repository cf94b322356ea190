"""The invoice as a PDF: what it states, what it refuses to fetch, and what is said where it cannot be made."""

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.pdf import render_invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import InvalidInput
from tests import make, warm_python

try:
    from igny8_core.business.billing.services.invoices import pdf_renderer
except FileNotFoundError:
    # A file of ours is missing: that is a fault, and no reason to skip.
    raise
except OSError:
    pdf_renderer = None  # type: ignore[assignment]

needs_pango = pytest.mark.skipif(pdf_renderer is None, reason="Pango is not installed (see PdfUnavailable)")
ADDRESS = {
    "billing_email": "billing@acme.example",
    "billing_address_line1": "221B Baker Street",
    "billing_city": "London",
    "billing_postal_code": "NW1 6XE",
    "billing_country": "GB",
    "tax_id": "GB123456789",
}
HOSTILE = [
    "<script>alert(1)</script>",
    '<img src="http://127.0.0.1:{port}/name.png">',
    '<link rel=attachment href="file:///etc/passwd">',
    '<link rel="stylesheet" href="http://127.0.0.1:{port}/style.css">',
    "<style>@import url(http://127.0.0.1:{port}/import.css); body {{ background: url(file:///etc/passwd) }}</style>",
    '"><iframe src="file:///etc/passwd"></iframe>',
    "file:///etc/passwd",
    "{{% include 'emails/layout.html' %}}{{{{ settings.SECRET_KEY }}}}",
    "\u202e00.9\u202c",
]


def text_of(pdf: bytes) -> str:
    """What a reader sees, with runs of white space as one space."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def fonts_of(pdf: bytes) -> set[str]:
    """The names of all fonts that its pages use."""
    resources = [page["/Resources"]["/Font"] for page in PdfReader(BytesIO(pdf)).pages]
    return {font.get_object()["/BaseFont"] for fonts in resources for font in fonts.values()}


@pytest.fixture
def acme(db: None) -> Account:
    account = make.owner({"name": "Acme Trading", **ADDRESS}).account
    assert account
    return account


@needs_pango
def test_invoice_states_its_number_dates_lines_and_totals(acme: Account) -> None:
    lines = [
        {"description": "Starter plan, monthly", "quantity": 1, "amount": "89.00"},
        {"description": "Setup hours", "quantity": 3, "amount": "25.50"},
    ]
    invoice = make.invoice(acme, line_items=lines, notes="Purchase order 4711")

    pdf = InvoiceService.generate_pdf(invoice)

    assert pdf.startswith(b"%PDF-1.7")
    text = text_of(pdf)
    assert invoice.invoice_number in text
    assert f"{invoice.due_date:%-d %B %Y}" in text
    assert "Setup hours 3 25.50 76.50" in text
    assert "Total 165.50 USD" in text
    assert "Purchase order 4711" in text
    assert "DUE" in text


@needs_pango
def test_invoice_states_the_billing_details_of_its_day_after_the_account_was_edited(acme: Account) -> None:
    invoice = make.invoice(acme)
    before = render_invoice(invoice)
    acme.name, acme.billing_address_line1, acme.tax_id = "Renamed", "Elsewhere 9", "XX0"
    acme.save()

    after = render_invoice(Invoice.objects.get(pk=invoice.pk))

    assert after == before
    text = text_of(after)
    for stated in ("Acme Trading", "221B Baker Street", "NW1 6XE London", "United Kingdom", "GB123456789"):
        assert stated in text


@needs_pango
def test_currency_without_decimals_is_printed_without_decimals(acme: Account) -> None:
    acme.plan = make.plan("yen", currency="JPY", price=Decimal(12000))
    acme.save()
    invoice = make.invoice(acme, line_items=[{"description": "Plan", "quantity": 2, "amount": "1500"}])

    assert "Total 3000 JPY" in text_of(render_invoice(invoice))


@needs_pango
def test_pending_invoice_says_how_to_pay_in_the_country_it_was_made_for(acme: Account) -> None:
    make.payment_method(bank_name="World Bank", account_number="111")
    make.payment_method(country_code="GB", bank_name="London Bank", account_number="222")
    invoice = make.invoice(acme)
    acme.billing_country = "DE"
    acme.save()

    text = text_of(render_invoice(invoice))

    assert "London Bank" in text
    assert "222" in text
    assert "World Bank" not in text
    assert f"Payment reference {invoice.invoice_number}" in text


@needs_pango
def test_paid_invoice_is_marked_paid_and_asks_for_nothing(olga: User) -> None:
    make.payment_method(bank_name="ABC Bank")
    payment = make.submitted_payment()
    PaymentService.approve_manual_payment(payment, olga)

    text = text_of(render_invoice(Invoice.objects.get(pk=payment.invoice_id)))

    assert "PAID" in text
    assert "Paid on" in text
    assert "ABC Bank" not in text
    assert "Payment is due" not in text


@needs_pango
def test_void_invoice_is_marked_void_with_its_reason(acme: Account) -> None:
    invoice = InvoiceService.mark_void(make.invoice(acme), "Ordered twice")

    text = text_of(render_invoice(invoice))

    assert "VOID" in text
    assert "Ordered twice" in text
    assert "How to pay" not in text
    assert "Due date" not in text


@pytest.mark.stress
@needs_pango
def test_long_invoice_repeats_its_header_and_counts_its_pages(acme: Account) -> None:
    lines = [{"description": f"Line {number}", "quantity": 1, "amount": "1.25"} for number in range(1, 201)]

    text = text_of(render_invoice(make.invoice(acme, line_items=lines)))

    pages = text.count("Description Quantity")
    assert pages >= 4
    assert f"Page {pages} of {pages}" in text
    assert all(f"Line {number} 1 1.25" in text for number in range(1, 201))
    assert "Total 250.00 USD" in text


@needs_pango
@pytest.mark.stress
def test_a_thousand_lines_are_drawn_with_a_header_on_each_page(acme: Account) -> None:
    lines = [{"description": f"Line {number}", "quantity": 1, "amount": "1.25"} for number in range(1, 1001)]
    invoice = make.invoice(acme, line_items=lines)

    began = time.process_time()
    pages = [page.extract_text() for page in PdfReader(BytesIO(render_invoice(invoice))).pages]

    # Some 8 s on a slow machine, reading it back included; twice as much would be a fault.
    assert time.process_time() - began < 40
    assert 30 <= len(pages) <= 50
    assert [number for number, page in enumerate(pages) if "Unit price" not in page] in ([], [len(pages) - 1])
    text = " ".join(" ".join(pages).split())
    assert all(f"Line {number} 1 1.25" in text for number in range(1, 1001))
    assert "Total 1250.00 USD" in text


def test_more_than_a_thousand_lines_are_refused_in_words(acme: Account) -> None:
    lines = [{"description": "Line", "quantity": 1, "amount": "1.25"}] * 1001

    with pytest.raises(InvalidInput, match="at most 1000 lines"):
        make.invoice(acme, line_items=lines)
    assert not Invoice.objects.exists()


@needs_pango
@pytest.mark.parametrize(
    "name", ["محمد طاہر اینڈ سنز", "شركة الأمل", "株式会社イグナイト", "Łódź Żółć", "Công ty Việt", "Αθήνα", "Москва"]
)
def test_names_in_many_scripts_have_letters_and_no_boxes(acme: Account, name: str) -> None:
    acme.name = name
    acme.save()
    fonts = fonts_of(render_invoice(make.invoice(acme)))

    # A letter that our fonts do not have would be taken from a font of this machine, if it has one.
    assert fonts
    assert all("+Invoice-" in font for font in fonts)


@needs_pango
def test_hostile_text_is_printed_and_fetches_nothing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []
    fetch = pdf_renderer.PackagedFilesOnly.fetch

    def counted(self: object, url: str, *rest: object) -> object:
        asked_for.append(url)
        return fetch(self, url, *rest)

    monkeypatch.setattr(pdf_renderer.PackagedFilesOnly, "fetch", counted)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        bad = " ".join(HOSTILE).format(port=server.getsockname()[1])
        fields = "name email address_line1 address_line2 city state postal_code country tax_id".split()
        invoice = make.invoice(
            line_items=[{"description": bad, "quantity": 1, "amount": "89.00"}], notes=bad + "W" * 5000
        )
        invoice.metadata = {"billing_snapshot": dict.fromkeys(fields, bad)}
        invoice.void_reason = bad

        pdf = render_invoice(invoice)

        with pytest.raises(TimeoutError):
            server.accept()
    assert set(asked_for) == {"packaged:logo"}
    assert b"EmbeddedFile" not in pdf
    text = text_of(pdf)
    assert "<script>alert(1)</script>" in text
    assert "00.9" in text
    assert "\u202e" not in text
    assert "root:" not in text


@needs_pango
@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://127.0.0.1:1/", "https://example.com/", "data:text/plain,x", "packaged:../errors.py"],
)
def test_renderer_refuses_every_address_but_its_own_files(url: str) -> None:
    with pytest.raises(ValueError, match="comes with this package"):
        pdf_renderer.PackagedFilesOnly().fetch(url)


@needs_pango
def test_invoice_without_a_snapshot_can_be_drawn(acme: Account) -> None:
    invoice = make.invoice(acme)
    invoice.metadata = {}

    assert render_invoice(invoice).startswith(b"%PDF")


@needs_pango
def test_own_logo_replaces_the_packaged_one(tmp_path: Path) -> None:
    logo = str(tmp_path / "our-logo.png")

    program = "from igny8_core.business.billing.services.invoices.pdf_renderer import PACKAGED_FILES\n"
    program += "print(PACKAGED_FILES['packaged:logo'])"

    done = warm_python.run("-c", PRELUDE + program, environment=environment_with(COMPANY_LOGO=logo))

    assert done.stdout.strip() == logo


def test_missing_system_libraries_are_named_with_the_command_that_brings_them(tmp_path: Path) -> None:
    # Empty files under the libraries' names: the dynamic loader finds them first and fails as if they were absent.
    for name in ("libgobject-2.0.so.0", "libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz.so.0"):
        (tmp_path / name).touch()

    # The loader looks at its variable once, when a process begins.
    command = [sys.executable, "-c", PRELUDE + DRAW_UNSAVED_INVOICE]
    environment = environment_with(LD_LIBRARY_PATH=str(tmp_path))
    done = subprocess.run(command, capture_output=True, text=True, env=environment)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["PdfUnavailable", PdfUnavailable.text]
    for package in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "brew install pango"):
        assert package in PdfUnavailable.text


PRELUDE = "import datetime, django; django.setup()\n"
DRAW_UNSAVED_INVOICE = f"""
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pdf import render_invoice
invoice = Invoice(
    id=1, invoice_number="INV-1", status="paid", currency="USD", subtotal=89, total=89,
    invoice_date={date(2026, 1, 1)!r}, due_date={date(2026, 1, 8)!r}, paid_at={datetime(2026, 1, 2, tzinfo=UTC)!r},
)
invoice.keep_lines([])
try:
    print(render_invoice(invoice)[:4])
except Exception as error:
    print(type(error).__name__)
    print(error)
"""


def environment_with(**variables: str) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "igny8_core.settings", **variables}
