"""Small files that would become large or take long: refused before they cost, and none is stored (PAY-14)."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pikepdf
import pillow_heif
import pytest
import time_machine
from pikepdf import Array, Name, Pdf
from PIL import Image

from igny8_core.auth.models import Account, User
from igny8_core.business.billing import errors
from igny8_core.business.billing.services.proofs import files, processor_time
from igny8_core.business.billing.services.proofs.uploads import upload_proof
from tests import make
from tests.billing.files_of_strangers import PNG_MAGIC, chunk, exif, picture, png, with_chunk, with_segment
from tests.billing.pdfs_of_strangers import classic, pdf, with_contents, with_image
from tests.cases import some_of
from tests.refusals import require_refusal

pillow_heif.register_heif_opener()
# To make all of them takes seconds: each is made by its own test.
Made = Callable[[], bytes]
LINE = b"BT /F1 8 Tf 60 100 Td (Paid) Tj ET "


def flat(kind: str, size: tuple[int, int] = (4900, 4900), mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 255 if mode in {"L", "1"} else "white").save(file, kind, **options)
    return file.getvalue()


@cache
def flat_png() -> bytes:
    return flat("PNG")


def packed(content: bytes, *filters: str, raw: bool = True) -> bytes:
    """A PDF whose page draws `content`, which is packed as `filters` say."""

    def change(file: Pdf) -> None:
        stream = file.make_stream(content)
        stream.Filter = Array([Name(f"/{name}") for name in filters]) if len(filters) != 1 else Name(f"/{filters[0]}")
        file.pages[0].obj.Contents = stream

    return pdf(change, stream_decode_level=pikepdf.StreamDecodeLevel.none, compress_streams=False)


def runs(length: int) -> bytes:
    """Blanks as RunLengthDecode packs them."""
    return b"\x81 " * (length // 128) + b"\x80"


def lzw(length: int) -> bytes:
    """One byte again and again, as LZW packs it: each code is the sequence before and one more."""
    codes, held, bits, size, table, width, result = [256, 32], 0, 0, 1, 258, 9, bytearray()
    while size < length:
        codes.append(table)
        size += table - 256
        table += 1
        if table == 4094:
            codes += [256, 32]
            table = 258
    table = 258
    for code in [*codes, 257]:
        held, bits = held << width | code, bits + width
        while bits >= 8:
            bits -= 8
            result.append(held >> bits & 255)
        held &= (1 << bits) - 1
        table = 257 if code == 256 else table + 1
        width = min(12, max(9, table.bit_length() if table + 1 < 1 << table.bit_length() else table.bit_length() + 1))
    result.append(held << (8 - bits) & 255)
    return bytes(result)


@cache
def blanks(length: int) -> bytes:
    return zlib.compress(LINE + b" " * length, 9)


def in_an_object_stream() -> bytes:
    """Objects packed together, most of it blanks."""
    return pdf(
        lambda file: file.Root.__setitem__("/Blank", pikepdf.String(" " * 30_000_000)),
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )


def escaped(content: bytes) -> bytes:
    """The filter's name with its letters as numbers."""
    return content.replace(b"/Filter", b"/F#69lter").replace(b"FlateDecode", b"#46lateDecode")


def indirect() -> bytes:
    twice = zlib.compress(zlib.compress(b" " * 20_000_000, 9), 9)
    content = classic(lambda file: with_contents(LINE)(file))
    return content.replace(b"<<\n  /Length", b"<< /Filter 3 0 R\n  /Length", 1) + twice


def progressive(scans: int) -> bytes:
    """A JPEG whose last scan is repeated."""
    good = picture("JPEG", size=(64, 64), progressive=True)
    last = good.rindex(b"\xff\xda")
    return good[:last] + good[last:-2] * scans + b"\xff\xd9"


def of_frames(count: int) -> bytes:
    """A PNG that claims to have so many pictures of 16 megapixels."""
    good = png(4000, 4000, 1, 0, (b"\0" + b"\x55" * 500) * 4000)
    return good[:33] + chunk(b"acTL", struct.pack(">II", count, 0)) + good[33:]


def padded(content: bytes) -> bytes:
    return content + b"\0" * 3_000_000


def padded_in_front() -> bytes:
    good = flat_png()
    return good[:33] + chunk(b"prVt", b"\0" * 3_000_000) + good[33:]


def many_lines() -> bytes:
    return pdf(with_contents(b"0 0 m 9 9 l S\n" * 250_000))


def swollen_exif() -> bytes:
    """A PNG with camera data that point at themselves many times."""
    entries = b"".join(struct.pack(">HHII", 0x8769, 4, 0x7FFFFFFF, 8) for _ in range(4000))
    return with_chunk(b"eXIf", b"MM\0*\0\0\0\x08" + struct.pack(">H", 4000) + entries)


BOMBS: dict[str, Made] = {
    "PDF of the list of faults": lambda: packed(zlib.compress(blanks(98_000_000), 9), "FlateDecode", "FlateDecode"),
    "PDF 30 MB of content": lambda: packed(blanks(30_000_000), "FlateDecode"),
    "PDF runs in zlib": lambda: packed(zlib.compress(runs(60_000_000), 9), "FlateDecode", "RunLengthDecode"),
    "PDF LZW": lambda: packed(lzw(30_000_000), "LZWDecode"),
    "PDF zlib as hexadecimals": lambda: packed(
        blanks(30_000_000).hex().encode() + b">", "ASCIIHexDecode", "FlateDecode"
    ),
    "PDF zlib in base 85": lambda: packed(base64.a85encode(blanks(30_000_000)) + b"~>", "ASCII85Decode", "FlateDecode"),
    "PDF short names": lambda: packed(base64.a85encode(blanks(30_000_000)) + b"~>", "A85", "Fl"),
    "PDF names with numbers": lambda: escaped(
        packed(blanks(30_000_000).hex().encode() + b">", "ASCIIHexDecode", "FlateDecode")
    ),
    "PDF twice as text": lambda: packed(b"00>", "ASCIIHexDecode", "ASCIIHexDecode"),
    "PDF filter elsewhere": indirect,
    "PDF padded": lambda: padded(packed(blanks(60_000_000), "FlateDecode")),
    "PDF objects": in_an_object_stream,
    "PDF picture of 45 MB": lambda: pdf(
        with_image(zlib.compress(b"\xff" * 45_000_000, 9), 5000, 3000, Filter=Name.FlateDecode)
    ),
    "PDF of many lines": many_lines,
    "PNG 24 megapixels": flat_png,
    "PNG 24 megapixels of grey": lambda: flat("PNG", mode="L"),
    "PNG padded behind": lambda: padded(flat_png()),
    "PNG padded in front": padded_in_front,
    "PNG of many frames": lambda: of_frames(1000),
    "PNG text": lambda: with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b" " * 80_000_000, 9)),
    "PNG profile": lambda: with_chunk(b"iCCP", b"profile\0\0" + zlib.compress(b" " * 80_000_000, 9)),
    "JPEG of many scans": lambda: progressive(2000),
    "WebP": lambda: flat("WEBP", method=0),
    "AVIF": lambda: flat("AVIF", speed=10),
    "HEIC": lambda: flat("HEIF", enc_params={"preset": "ultrafast"}),
}


# Pillow has its own limit for these.
BROKEN = {"PNG text", "PNG profile"}


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("name", some_of(BOMBS, each=12, but=1))
def test_a_bomb_is_refused_before_it_costs(name: str) -> None:
    took: list[float] = []

    with pytest.raises(errors.UnreadableFile) as caught:
        files.rewritten(BOMBS[name](), took.append)

    assert took[0] < 1.5
    if name not in BROKEN:
        assert caught.value.text in set(files.REFUSALS.values()) - {files.REFUSALS["encrypted"]}


PLAIN: dict[str, Made] = {
    "PNG 10 megapixels of white": lambda: flat("PNG", (3600, 2700)),
    "PNG 25 megapixels in black and white": lambda: png(5000, 5000, 1, 0, (b"\0" + b"\x55" * 625) * 5000),
    "JPEG 24 megapixels": lambda: flat("JPEG"),
    "camera data in circles": swollen_exif,
    "a profile": lambda: picture("JPEG", icc_profile=b"\0" * 60_000),
    "many segments": lambda: with_segment(0xE2, b"ICC_PROFILE\0\1\xff" + b"\0" * 60_000),
    "a photograph turned": lambda: picture("JPEG", size=(3000, 2000), exif=exif(6)),
}


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("name", some_of(PLAIN, each=4))
def test_what_is_stored_unpacks_to_little(name: str) -> None:
    took: list[float] = []

    stored = files.rewritten(PLAIN[name](), took.append).content

    with Image.open(io.BytesIO(stored)) as image:
        unpacked = image.width * image.height * len(image.getbands())
    assert unpacked <= max(16_000_000, 200 * len(stored))
    assert took[0] < 5  # of two; processor time, too, is longer on a busy machine


HONEST: dict[str, Made] = {
    "zlib": lambda: packed(zlib.compress(LINE), "FlateDecode"),
    "runs": lambda: packed(bytes([len(LINE) - 1]) + LINE + b"\x80", "RunLengthDecode"),
    "hexadecimals": lambda: packed(LINE.hex().encode() + b">", "ASCIIHexDecode"),
    "base 85 of zlib": lambda: packed(base64.a85encode(zlib.compress(LINE)) + b"~>", "ASCII85Decode", "FlateDecode"),
    "photograph in zlib": lambda: pdf(
        with_image(zlib.compress(picture("JPEG")), Filter=[Name.FlateDecode, Name.DCTDecode])
    ),
    "blank scan": lambda: pdf(
        with_image(
            zlib.compress(b"\xff" * 2480 * 3000 + b"\0" * 2480 * 508, 9), 2480, 3508,
            ColorSpace=Name.DeviceGray, Filter=Name.FlateDecode,
        )
    ),
    "a page of ten thousand words": lambda: pdf(
        with_contents(b"BT /F1 1 Tf 20 100 Td " + b"(word) Tj " * 10_000 + b"ET")
    ),
}  # fmt: skip


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("name", some_of(HONEST, each=2))
def test_what_banks_send_is_taken(name: str) -> None:
    assert files.rewritten(HONEST[name]()).content.startswith(b"%PDF-")


def test_lzw_of_this_test_is_what_readers_unpack() -> None:
    """Or the bomb would be refused as broken."""
    with Pdf.open(io.BytesIO(packed(lzw(2_000_000), "LZWDecode"))) as file:
        assert len(file.pages[0].obj.Contents.read_bytes()) >= 2_000_000


# --- Processor time -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_account_that_has_used_up_its_time_waits_for_the_next_hour(
    alice: User, charlie: User, settings: Any
) -> None:
    settings.PROOF_PROCESSOR_SECONDS = 1
    account, other = alice.account, charlie.account
    assert account
    assert other
    with time_machine.travel(datetime(2026, 12, 1, 12, 50, tzinfo=UTC), tick=False) as now:
        require_refusal(errors.UnreadableFile, lambda: upload_proof(account, alice, PNG_MAGIC))
        used = counted(account)
        processor_time.count_time(account, 1)

        refused = require_refusal(errors.ProofTimeUsedUp, lambda: upload_proof(account, alice, make.png()))

        assert upload_proof(other, charlie, make.png())
        now.shift(timedelta(minutes=10))
        assert upload_proof(account, alice, make.png())
    assert 0 < used < 1000
    assert (refused.http_status, refused.retry_after) == (429, 600)


def counted(account: Account) -> int:
    return processor_time.RateCounter.objects.get(key=processor_time._key(account)).count
