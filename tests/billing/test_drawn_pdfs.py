"""PDFs of strangers are drawn: what can be seen stays and can be read, within bounds, and nothing else goes on."""

import io
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image, ImageChops
from pypdfium2 import PDFIUM_INFO

from igny8_core.business.billing.errors import UnreadableFile
from igny8_core.business.billing.services.proofs import files
from igny8_core.business.billing.services.proofs.sanitizer import pdfs
from tests.billing.files_of_strangers import picture
from tests.billing.pdfs_of_strangers import (
    Change,
    annotated,
    jpegs_in,
    on_page,
    pdf,
    with_contents,
    with_form,
    with_image,
)
from tests.cases import some_of

A4 = Array([0, 0, 595, 842])
LINE = b"BT /F1 8 Tf 60 700 Td (IBAN PK36 SCBL 0000 0011 2345 6702, reference BT-20261208-12345) Tj ET"


def drawn(content: bytes) -> list[Image.Image]:
    """The pages as they are stored."""
    return [Image.open(io.BytesIO(jpeg)) for jpeg in jpegs_in(files.rewritten(content).content)]


def dark_part(page: Image.Image, box: tuple[float, float, float, float]) -> float:
    """How much of a part of a page, in shares of its width and height from the upper left, is dark."""
    left, top, right, bottom = box
    width, height = page.size
    part = page.convert("L").crop((int(left * width), int(top * height), int(right * width), int(bottom * height)))
    return sum(part.histogram()[:128]) / (part.width * part.height)


def a4(contents: bytes = LINE, pages: int = 1) -> bytes:
    def change(file: Pdf) -> None:
        for page in file.pages:
            page.obj.MediaBox = A4
            page.obj.Contents = file.make_stream(contents)

    return pdf(change, pages)


# --- What can be seen ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("warm_reader")
def test_a_page_of_a_bank_can_be_read() -> None:
    [page] = drawn(a4())

    # 200 dots an inch: small print of 8 points has letters of 16 pixels.
    assert page.size == (1653, 2339)
    assert 0.05 < dark_part(page, (0.1, 0.16, 0.6, 0.17)) < 0.5
    assert dark_part(page, (0, 0.2, 1, 1)) == 0


@pytest.mark.usefixtures("warm_reader")
def test_a_page_is_as_large_as_it_was() -> None:
    with Pdf.open(io.BytesIO(files.rewritten(a4()).content)) as file:
        assert [round(float(side)) for side in file.pages[0].obj.MediaBox] == [0, 0, 595, 842]


@pytest.mark.usefixtures("warm_reader")
def test_pages_keep_their_order_and_stay_legible_when_there_are_many() -> None:
    def number(file: Pdf) -> None:
        for index, page in enumerate(file.pages):
            page.obj.MediaBox = A4
            page.obj.Contents = file.make_stream(b"0 0 595 %d re f" % (842 * (index + 1) // 20))

    pages = drawn(pdf(number, pages=20))

    heights = [dark_part(page, (0, 0, 1, 1)) for page in pages]
    assert len(pages) == 20
    assert heights == sorted(heights)
    assert {page.width / 595 * 72 >= 140 for page in pages} == {True}
    assert sum(page.width * page.height for page in pages) <= pdfs.MAX_PIXELS * 1.01


@pytest.mark.usefixtures("warm_reader")
def test_what_is_filled_in_stays_readable() -> None:
    [form] = drawn(pdf(with_form))

    assert dark_part(form, (10 / 300, 110 / 200, 90 / 300, 190 / 200)) > 0.005
    assert dark_part(drawn(pdf())[0], (10 / 300, 110 / 200, 90 / 300, 190 / 200)) == 0


@pytest.mark.usefixtures("warm_reader")
def test_a_page_is_turned_and_cut_as_its_reader_saw_it() -> None:
    [page] = drawn(pdf(on_page(Rotate=90, CropBox=Array([0, 0, 150, 200]))))

    assert page.size[0] > page.size[1]


@pytest.mark.usefixtures("warm_reader")
def test_a_hidden_note_is_not_drawn_and_its_words_are_gone() -> None:
    note = annotated("FreeText", Contents=String("hidden words"), F=2, DA=String("/Helv 12 Tf 0 g"))

    [page], content = drawn(pdf(note)), files.rewritten(pdf(note)).content

    assert not ImageChops.difference(page, drawn(pdf())[0]).getbbox()
    assert b"hidden words" not in content


def test_there_is_no_engine_for_scripts_to_run_in() -> None:
    assert PDFIUM_INFO.flags == ()


@pytest.mark.usefixtures("warm_reader")
def test_the_same_file_gives_the_same_bytes() -> None:
    assert files.rewritten(a4()).content == files.rewritten(a4()).content


# --- Bounds -------------------------------------------------------------------------------------------------------


BOXES = [[0, 0, 14_400, 14_400], [0, 0, 14_400, 3], [0, 0, 200, 9000], [0, 0, 3, 3]]


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("box", some_of(BOXES, each=4))
def test_a_page_of_any_size_stays_within_the_pixels(box: list[int]) -> None:
    [page] = drawn(pdf(sized(box)))

    assert page.width * page.height <= pdfs.MAX_PIXELS * 1.01


def sized(box: list[int]) -> Change:
    def change(file: Pdf) -> None:
        with_contents(b"0 0 %d %d re f" % (box[2] // 2, box[3] // 2))(file)
        file.pages[0].obj.MediaBox = Array(box)

    return change


@pytest.mark.stress
@pytest.mark.usefixtures("warm_reader")
def test_a_scan_of_noise_is_made_coarser_until_it_fits() -> None:
    noise = Image.effect_noise((1240, 1754), 200).convert("RGB")
    scan = io.BytesIO()
    noise.save(scan, "PDF", save_all=True, append_images=[noise] * 9, quality=5, resolution=150)

    stored = files.rewritten(scan.getvalue()).content

    assert len(jpegs_in(stored)) == 10
    assert len(stored) <= files.MAX_BYTES
    with Pdf.open(io.BytesIO(stored)) as file:
        assert [round(float(side)) for side in file.pages[0].obj.MediaBox] == [0, 0, 595, 842]


@cache
def bomb(bytes_inside: int) -> bytes:
    """A page with text, and blanks behind it that unpack to this many bytes."""

    def change(file: Pdf) -> None:
        stream = file.make_stream(zlib.compress(LINE + b" " * bytes_inside, 9))
        stream.Filter = Name.FlateDecode
        file.pages[0].obj.Contents = stream

    return pdf(change)


def told_by_line(ending: bytes) -> bytes:
    """A bomb whose word "stream" ends its line in this way."""
    return bomb(98_000_000).replace(b"stream\n", b"stream" + ending, 1)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb": (lambda: bomb(98_000_000), "unpacks to far more"),
    "a bomb behind one more space": (lambda: told_by_line(b" \n"), "unpacks to far more"),
    "a bomb behind another line's end": (lambda: told_by_line(b"\r"), "unpacks to far more"),
    "nothing to be seen": (lambda: pdf(with_contents(b"")), "Nothing can be seen"),
    "a picture of a gigapixel": (
        lambda: pdf(with_image(picture("JPEG"), 32_000, 32_000, Filter=Name.DCTDecode)),
        "50 megapixels",
    ),
    "too many pages": (lambda: pdf(pages=21), "1 to 20 pages"),
}


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("name", some_of(REFUSED, each=3))
def test_what_is_refused_is_told_why(name: str) -> None:
    made, told = REFUSED[name]

    with pytest.raises(UnreadableFile, match=told):
        files.rewritten(made())


@pytest.mark.usefixtures("warm_reader")
def test_many_small_bombs_are_one_large_one() -> None:
    def change(file: Pdf) -> None:
        packed = zlib.compress(b" " * 9_000_000, 9)
        pieces = [file.make_stream(packed, Filter=Name.FlateDecode) for _ in range(9)]
        file.pages[0].obj.Contents = Array([file.make_stream(LINE), *pieces])

    with pytest.raises(UnreadableFile, match="unpacks to far more"):
        files.rewritten(pdf(change))


@pytest.mark.usefixtures("warm_reader")
def test_a_blank_scan_packs_well_and_is_no_bomb() -> None:
    white = Image.new("L", (2480, 3508), 255)
    white.paste(0, (100, 100, 900, 140))
    looks: dict[str, Any] = {"ColorSpace": Name.DeviceGray, "Filter": Name.FlateDecode}
    scan = pdf(with_image(zlib.compress(white.tobytes(), 9), 2480, 3508, **looks))

    assert len(scan) < 20_000
    assert len(drawn(scan)) == 1


def test_a_drawing_that_doubles_itself_again_and_again_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(file: Pdf) -> None:
        inner = file.make_stream(b"0 0 9 9 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 10, 10])
        for _ in range(40):
            both = file.make_stream(b"/Fm Do /Fm Do", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 10, 10])
            both.Resources = Dictionary(XObject=Dictionary(Fm=inner))
            inner = both
        file.pages[0].obj.Resources.XObject = Dictionary(Fm=inner)
        file.pages[0].obj.Contents = file.make_stream(b"/Fm Do")

    monkeypatch.setattr(files, "READER_SECONDS", 2)

    with pytest.raises(UnreadableFile):
        files.rewritten(pdf(change))
