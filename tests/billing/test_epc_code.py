"""The QR code of a SEPA transfer: the fields of EPC069-12, and nothing drawn where one of them cannot be right."""

import re
from decimal import Decimal
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from igny8_core.business.billing.models import Invoice, PaymentMethodConfig
from igny8_core.business.billing.services.invoices.epc_code import epc_path, why_no_code

IBAN = "DE89370400440532013000"


def payee(**fields: Any) -> PaymentMethodConfig:
    values = {"account_title": "igny8 GmbH", "iban": IBAN, "swift_code": "COBADEFFXXX", **fields}
    return PaymentMethodConfig(payment_method="bank_transfer", display_name="Bank Transfer", **values)


def invoice(total: str = "191.20", **fields: Any) -> Invoice:
    values = {"currency": "EUR", "invoice_number": "INV-7-202611-0001", **fields}
    return Invoice(total=Decimal(total), subtotal=Decimal(total), **values)


def read(to: PaymentMethodConfig, of: Invoice) -> list[str]:
    """The lines that a phone reads from the code as the page draws it."""
    drawn = epc_path(to, of)
    assert drawn
    path, size = drawn
    picture = Image.new("L", (size * 4, size * 4), 255)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        corner = (int(x) * 4, int(y) * 4)
        ImageDraw.Draw(picture).rectangle([corner, (corner[0] + int(length) * 4 - 1, corner[1] + 3)], fill=0)
    [code] = zxingcpp.read_barcodes(picture)
    assert code.ec_level == "M"
    return code.text.split("\n")


def test_a_phone_reads_the_fields_of_the_transfer() -> None:
    assert read(payee(), invoice()) == [
        *("BCD", "002", "1", "SCT"),
        "COBADEFFXXX",
        "igny8 GmbH",
        IBAN,
        "EUR191.2",
        "",  # purpose
        "",  # structured reference
        "INV-7-202611-0001",
    ]


@pytest.mark.parametrize(
    ("total", "read_as"),
    [("0.01", "EUR0.01"), ("100.00", "EUR100"), ("1000.10", "EUR1000.1"), ("999999999.99", "EUR999999999.99")],
)
def test_amounts_are_written_exactly(total: str, read_as: str) -> None:
    assert read(payee(), invoice(total))[7] == read_as


def test_names_keep_their_letters_and_a_code_needs_no_bic() -> None:
    lines = read(payee(account_title="Köhler & Søn, Ærø Ελλάς", swift_code=""), invoice())

    assert lines[4:6] == ["", "Köhler & Søn, Ærø Ελλάς"]


@pytest.mark.parametrize(
    ("to", "of", "why"),
    [
        ({}, {"currency": "USD"}, "EUR only"),
        ({}, {"total": "1000000000.00"}, "999999999.99"),
        ({"iban": ""}, {}, "IBAN"),
        ({"iban": "DE89370400440532013001"}, {}, "IBAN"),
        ({"swift_code": "ABC"}, {}, "SWIFT"),
        ({"account_title": ""}, {}, "name"),
        ({"account_title": "x" * 71}, {}, "70"),
        ({"account_title": "igny8\nGmbH"}, {}, "one line"),
        ({}, {"invoice_number": "I" * 141}, "140"),
        ({"account_title": "语" * 70}, {"invoice_number": "語" * 60}, "331"),
    ],
)
def test_what_cannot_be_right_gets_no_code(to: dict[str, Any], of: dict[str, Any], why: str) -> None:
    assert why in str(why_no_code(payee(**to), invoice(**of)))
    assert epc_path(payee(**to), invoice(**of)) is None


def test_the_longest_fields_still_make_a_code() -> None:
    assert read(payee(account_title="x" * 70), invoice(invoice_number="I" * 140))[10] == "I" * 140
