"""Invoices in the scripts of our customers: letters of the packaged fonts, never boxes, and only what is used."""

import logging
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from igny8_core.auth.models import Account
from igny8_core.business.billing.services.invoices.pdf import render_invoice
from tests import make
from tests.cases import some_of
from tests.languages import TEXTS

pdf_renderer = pytest.importorskip("igny8_core.business.billing.services.invoices.pdf_renderer", exc_type=OSError)
pytestmark = pytest.mark.django_db


def boxes_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the renderer says of characters for which it found no letter anywhere."""
    return [record.getMessage() for record in caplog.records if ".notdef" in record.getMessage()]


def embedded(pdf: bytes) -> dict[str, bytes]:
    """The font files in a PDF by name."""
    found = {}
    for page in PdfReader(BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            file = descriptor.get("/FontFile2") or descriptor["/FontFile3"]
            found[str(descriptor["/FontName"])] = file.get_object().get_data()
    return found


@pytest.fixture
def drawn(db: None, settings: Any, caplog: pytest.LogCaptureFixture) -> Any:
    """Draws an invoice that has a text wherever people can put one, the line at the foot of each page included."""

    caplog.set_level(logging.WARNING, "weasyprint")

    def draw(text: str) -> bytes:
        settings.COMPANY_NAME = settings.COMPANY_ADDRESS = text
        make.payment_method(payment_method="bank_transfer", bank_name=text, account_title=text, instructions=text)
        account: Account = make.owner({"name": text, "billing_address_line1": text, "billing_city": text}).account
        lines = [{"description": text, "quantity": 1, "amount": "89.00"}]
        return render_invoice(make.invoice(account, line_items=lines, notes=text))

    return draw


def batches(longest: int = 95) -> dict[str, str]:
    """The texts of some languages together, as many as a field takes: to draw a document is what costs."""
    together: dict[str, str] = {}
    names, texts = "", ""
    for language, text in TEXTS.items():
        if names and len(f"{texts} {text}") > longest:
            together[names], names, texts = texts, "", ""
        names, texts = f"{names}, {language}".strip(", "), f"{texts} {text}".strip()
    return together | {names: texts}


BATCHES = batches()


@pytest.mark.parametrize("languages", some_of(BATCHES, each=3))
def test_every_letter_is_drawn_from_a_packaged_font_of_which_only_that_is_embedded(
    drawn: Any, caplog: pytest.LogCaptureFixture, languages: str
) -> None:
    pdf = drawn(BATCHES[languages])

    assert boxes_of(caplog) == []
    for name, file in embedded(pdf).items():
        # A letter that our fonts do not have would be taken from a font of this machine, if it has one.
        assert name[1:].split("+")[1].startswith("Invoice-"), name
        # The numbers of the letters stay, so a large font has long tables of nothing, which the PDF packs.
        assert len(file) < 100_000, name
    assert len(pdf) < 110_000


def test_a_box_would_be_noticed(drawn: Any, caplog: pytest.LogCaptureFixture) -> None:
    drawn("\U00012000")  # cuneiform, which no font here has

    assert boxes_of(caplog)


def test_an_invoice_in_latin_holds_latin_fonts_only(drawn: Any) -> None:
    pdf = drawn("Acme Trading Ltd")

    assert {name.split("+")[1] for name in embedded(pdf)} == {"Invoice-Latin", "Invoice-Latin-Bold"}
    assert len(pdf) < 25_000


def test_every_font_of_the_stylesheet_is_packaged_with_its_licence_and_every_packaged_font_is_used() -> None:
    stylesheet = (pdf_renderer.FOLDER / "templates/pdf/invoice.css").read_text()
    fonts = sorted((pdf_renderer.FOLDER / "fonts").glob("*.ttf"))
    licences = [path.stem.removeprefix("OFL-") for path in (pdf_renderer.FOLDER / "fonts").glob("OFL-*.txt")]

    assert {f"packaged:{path.name}" for path in fonts} == set(pdf_renderer.PACKAGED_FILES) - {"packaged:logo"}
    assert [path.name for path in fonts if stylesheet.count(f'"packaged:{path.name}"') != 1] == []
    assert [path.name for path in fonts if not path.name.startswith(tuple(licences))] == []
    assert all("SIL Open Font License" in path.read_text() for path in (pdf_renderer.FOLDER / "fonts").glob("OFL-*"))
    assert sum(path.stat().st_size for path in fonts) < 16_000_000
