"""Files that people send and should not, or may: built here, so that no scanner trips over them in the repository."""

import base64
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from PIL import Image, PngImagePlugin

SCRIPT = b"<script>alert(document.domain)</script>"
PHP = b"<?php system($_GET['c']); ?>"
# Put together here: the plain text of the EICAR test file makes virus scanners take this file away.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MARKS = [b"<script", b"<?php", b"alert(", b"EICAR", b"PK\x03\x04", b"Lahore 31.5", b"<svg", b"%PDF-1.4 inside"]
GPS = 0x8825
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

# The bytes of a file, or what makes them. To make all takes half a minute: each is made by the test that sends it.
File = bytes | Callable[[], bytes]
# What a file is called in the corpus → the file and the status of the answer.
Corpus = dict[str, tuple[File, int]]


def made(file: File) -> bytes:
    """The bytes of a file of the corpus."""
    return file() if callable(file) else file


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """A gradient as a file of this kind, which no coding makes very small."""
    width, height = size
    pixels = Image.linear_gradient("L").resize(size).convert("RGB")
    pixels.paste((200, 30, 90), (0, 0, width // 2, height // 2))
    file = io.BytesIO()
    pixels.convert(mode).save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    """A chunk of a PNG."""
    checked = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checked)


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *extra: bytes, level: int = 9) -> bytes:
    """A PNG from its parts; `extra` chunks stand before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return PNG_MAGIC + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b"")


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A good PNG with one more chunk behind its header."""
    good = picture("PNG")
    return good[:33] + chunk(kind, data) + good[33:]


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def with_segment(marker: int, data: bytes) -> bytes:
    """A good JPEG with one more segment behind its beginning."""
    good = picture("JPEG")
    return good[:2] + segment(marker, data) + good[2:]


def exif(orientation: int = 1) -> Image.Exif:
    """What a telephone notes in a picture: which way up, and where it was taken."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes[0x010E] = "Lahore 31.5204 N"
    notes.get_ifd(GPS)[1] = "N"
    notes.get_ifd(GPS)[2] = (31.0, 31.0, 13.0)
    return notes


def archive(**files: bytes) -> bytes:
    """A zip; two underscores in a name stand for a slash, one for a dot."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/").replace("_", "."), content)
    return file.getvalue()


def tar_file() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as packed:
        packed.addfile(tarfile.TarInfo("../../etc/cron.d/job"), io.BytesIO(b""))
    return file.getvalue()


def animated(kind: str) -> bytes:
    first, *more = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=more, duration=100)
    return file.getvalue()


def text_png() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SCRIPT.decode())
    notes.add_text("Squeezed", PHP.decode(), zip=True)
    notes.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{SCRIPT.decode()}</x:xmpmeta>")
    return picture("PNG", pnginfo=notes)


def sixteen_bits(colour: int, channels: int) -> bytes:
    row = b"\0" + b"".join(struct.pack(">H", x * 2000) * channels for x in range(30))
    return png(30, 20, 16, colour, row * 20)


def pixels_with_a_script() -> bytes:
    """The pixels themselves spell a script, as stored by a PNG that does not compress."""
    row = (PHP + SCRIPT).ljust(90, b" ")[:90]
    return png(30, 30, 8, 2, (b"\0" + row) * 30, level=0)


def jpeg_of_size(width: int, height: int) -> bytes:
    """A JPEG whose header claims this size."""
    good = picture("JPEG")
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", height, width) + good[at + 4 :]


def with_pixels(data: bytes) -> bytes:
    """A PNG of 9 x 9 with these bytes where its packed pixels should be."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
    return PNG_MAGIC + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@cache
def eighty_megabytes_of_nothing() -> bytes:
    return zlib.compress(b"\0" * 80_000_000, 9)


def pictures_taken() -> Corpus:
    """Pictures that are taken, whatever else they carry."""
    modes = {f"PNG {mode}": partial(picture, "PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}
    upright = {f"JPEG orientation {n}": partial(picture, "JPEG", exif=exif(n)) for n in range(10)}
    files: dict[str, File] = {
        **modes,
        **upright,
        "PNG P transparent": lambda: picture("PNG", "P", transparency=0),
        "PNG L transparent": lambda: png(10, 10, 8, 0, (b"\0" + bytes(range(10))) * 10, chunk(b"tRNS", b"\0\5")),
        "PNG 16 bit RGB": lambda: sixteen_bits(2, 3),
        "PNG 16 bit RGBA": lambda: sixteen_bits(6, 4),
        "PNG 16 bit LA": lambda: sixteen_bits(4, 2),
        "PNG one pixel": lambda: picture("PNG", size=(1, 1)),
        "PNG very wide": lambda: picture("PNG", size=(9000, 2)),
        "PNG 25 megapixels": lambda: png(5000, 5000, 1, 0, (b"\0" + b"\x55" * 625) * 5000),
        "PNG texts": lambda: text_png(),
        "PNG EXIF": lambda: picture("PNG", exif=exif(6)),
        "PNG broken EXIF": lambda: with_chunk(b"eXIf", b"MM\0*nonsense"),
        "PNG ICC": lambda: picture("PNG", icc_profile=b"\0" * 128 + SCRIPT),
        "PNG EICAR in a text": lambda: with_chunk(b"tEXt", b"Comment\0" + EICAR),
        "PNG PDF in a text": lambda: with_chunk(b"tEXt", b"Comment\0%PDF-1.4 inside\n1 0 obj"),
        "PNG own chunk": lambda: with_chunk(b"prVt", PHP + SCRIPT),
        "PNG pixels spell a script": lambda: pixels_with_a_script(),
        "PNG animated": lambda: animated("PNG"),
        "PNG pixels are a script": lambda: with_pixels(SCRIPT),
        "PNG and zip": lambda: picture("PNG") + archive(a_txt=b"x"),
        "PNG and HTML": lambda: picture("PNG") + b"<html>" + SCRIPT,
        "PNG and PHP": lambda: picture("PNG") + PHP,
        "PNG and PNG": lambda: picture("PNG") + picture("PNG"),
        "PNG and EICAR": lambda: picture("PNG") + EICAR,
        "PNG and megabytes": lambda: picture("PNG") + b"\0" * 3_000_000,
        "JPEG L": lambda: picture("JPEG", "L"),
        "JPEG CMYK": lambda: picture("JPEG", "CMYK"),
        "JPEG progressive": lambda: picture("JPEG", progressive=True),
        "JPEG 4:4:4": lambda: picture("JPEG", subsampling=0, quality=100),
        "JPEG 12 megapixels": lambda: picture("JPEG", size=(4000, 3000)),
        "JPEG upright 20 megapixels": lambda: picture("JPEG", size=(5000, 4000), exif=exif(6)),
        "JPEG comment": lambda: picture("JPEG", comment=SCRIPT + PHP),
        "JPEG XMP": lambda: with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SCRIPT),
        "JPEG broken EXIF": lambda: with_segment(0xE1, b"Exif\0\0MM\0*nonsense"),
        "JPEG Photoshop": lambda: with_segment(0xED, b"Photoshop 3.0\0" + PHP),
        "JPEG ICC": lambda: picture("JPEG", icc_profile=b"\0" * 128 + SCRIPT),
        "JPEG own segment": lambda: with_segment(0xEF, EICAR),
        "JPEG and zip": lambda: picture("JPEG") + archive(META__INF=b"x"),
        "JPEG and HTML": lambda: picture("JPEG") + b"*/=1;" + SCRIPT,
        "JPEG and PHP": lambda: picture("JPEG") + PHP,
        "JPEG as script": lambda: with_segment(0xFE, b"*/=alert(1);/*"),
        "JPEG larger than its pixels": lambda: jpeg_of_size(3000, 3000),
        "JPEG several": lambda: animated("MPO"),
    }
    return {name: (file, 201) for name, file in files.items()}


def pictures_refused() -> Corpus:
    """What begins as a picture does, and is none that can be taken."""
    png_file, jpeg = picture("PNG", size=(300, 300)), picture("JPEG", size=(300, 300))
    files: dict[str, File] = {
        "PNG beginning only": PNG_MAGIC,
        "PNG header only": png_file[:33],
        "PNG cut in half": png_file[: len(png_file) // 2],
        "PNG without pixels": PNG_MAGIC + chunk(b"IHDR", b"\0\0\0\x09" * 2 + b"\x08\2\0\0\0") + chunk(b"IEND", b""),
        "PNG wrong checksum": png_file[:29] + b"\0\0\0\0" + png_file[33:],
        "PNG of nothing": lambda: png(0, 0, 8, 2, b""),
        "PNG 30000 x 30000": lambda: png(30_000, 30_000, 8, 2, b"\0" * 10_000),
        "PNG 2147483647 x 2147483647": lambda: png(2**31 - 1, 2**31 - 1, 8, 2, b""),
        "PNG 400 megapixels of white": lambda: png(20_000, 20_000, 1, 0, (b"\0" + b"\xff" * 2500) * 20_000),
        "PNG just over 25 megapixels": lambda: png(5001, 5000, 1, 0, (b"\0" + b"\xff" * 626) * 5000),
        "PNG unknown colours": lambda: png(9, 9, 8, 5, b"\0" * 100),
        "PNG text bomb": lambda: with_chunk(b"zTXt", b"Comment\0\0" + eighty_megabytes_of_nothing()),
        "PNG profile bomb": lambda: with_chunk(b"iCCP", b"profile\0\0" + eighty_megabytes_of_nothing()),
        "EICAR behind a PNG's beginning": PNG_MAGIC + EICAR,
        "HTML behind a PNG's beginning": PNG_MAGIC + SCRIPT,
        "JPEG beginning only": b"\xff\xd8\xff",
        "JPEG beginning and end": b"\xff\xd8\xff\xd9",
        "JPEG cut in half": jpeg[: len(jpeg) // 2],
        "JPEG without pixels": jpeg[: jpeg.index(b"\xff\xda")],
        "JPEG 65500 x 65500": lambda: jpeg_of_size(65_500, 65_500),
        "JPEG of nothing": lambda: jpeg_of_size(0, 0),
        "PHP behind a JPEG's beginning": b"\xff\xd8\xff\xe0" + PHP,
        "zip behind a JPEG's beginning": lambda: b"\xff\xd8\xff" + archive(a_txt=b"x"),
    }
    return {name: (file, 400) for name, file in files.items()}


def files_of_other_types() -> Corpus:
    """Files of other types, and what only looks like one of ours from afar."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"
    xxe = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'
    macros = archive(word__vbaProject_bin=b"\xcc\x61", word__document_xml=b"<w/>", Content_Types_xml=b"<Types/>")
    files: dict[str, File] = {
        "SVG": svg,
        "SVG with declaration": b'<?xml version="1.0"?>' + svg,
        "SVG with entity": xxe,
        "SVG packed": lambda: gzip.compress(svg),
        "HTML": b"<!DOCTYPE html><html>" + SCRIPT,
        "HTML in UTF-16": "<html><script>alert(1)</script>".encode("utf-16"),
        "HTML before a PNG": lambda: SCRIPT + picture("PNG"),
        "HTML before a PDF": b"<html>" + SCRIPT + b"%PDF-1.4\n",
        "XML": b'<?xml version="1.0"?><a/>',
        "PHP": PHP,
        "shell script": b"#!/bin/sh\nrm -rf /\n",
        "batch file": b"@echo off\r\nformat c:\r\n",
        "JavaScript": b"alert(1)",
        "GIF": lambda: picture("GIF"),
        "GIF with script": b"GIF89a/*" + SCRIPT,
        "WebP's frame around something else": b"RIFF\x24\0\0\0WEBPABCD" + b"\0" * 40,
        "HEIC behind a space": b" " + b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        "BMP": lambda: picture("BMP"),
        "TIFF": lambda: picture("TIFF"),
        "JPEG 2000": lambda: picture("JPEG2000"),
        "ICO": lambda: picture("ICO"),
        "EPS": lambda: picture("EPS"),
        "PPM": lambda: picture("PPM"),
        "PSD": b"8BPS\0\1" + b"\0" * 40,
        "3GP": b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4" + b"\0" * 100,
        "QuickTime": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"\0" * 100,
        "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0" * 100,
        "MP3": b"ID3\x03\0\0\0\0\0\0" + b"\xff\xfb" * 40,
        "Ogg": b"OggS\0\2" + b"\0" * 40,
        "WAV": b"RIFF\x24\0\0\0WAVEfmt ",
        "Flash": b"FWS\x09" + b"\0" * 40,
        "zip": lambda: archive(a_txt=b"x"),
        "zip with a way out": lambda: archive(___________etc__passwd=b"x"),
        "zip bomb": lambda: archive(a_txt=b"\0" * 20_000_000),
        "zip with EICAR": lambda: archive(eicar_com=EICAR),
        "zip with a PNG": lambda: archive(receipt_png=picture("PNG")),
        "jar": lambda: archive(META__INF__MANIFEST_MF=b"Main-Class: A"),
        "Word with macros": macros,
        "Excel with macros": lambda: archive(xl__vbaProject_bin=b"\xcc\x61"),
        "old Word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500,
        "OpenDocument": lambda: archive(mimetype=b"application/vnd.oasis.opendocument.text"),
        "rich text": b"{\\rtf1 {\\object\\objdata 0105}}",
        "gzip bomb": lambda: gzip.compress(b"\0" * 20_000_000),
        "tar with a way out": lambda: tar_file(),
        "7z": b"7z\xbc\xaf\x27\x1c" + b"\0" * 40,
        "rar": b"Rar!\x1a\x07\x01\0" + b"\0" * 40,
        "ELF": b"\x7fELF\x02\x01\x01" + b"\0" * 100,
        "Windows program": b"MZ\x90\0" + b"\0" * 100,
        "Java class": b"\xca\xfe\xba\xbe\0\0\0\x34",
        "WebAssembly": b"\0asm\x01\0\0\0",
        "SQLite": b"SQLite format 3\0" + b"\0" * 100,
        "shortcut": b"L\0\0\0\x01\x14\x02\0" + b"\0" * 70,
        "PostScript": b"%!PS-Adobe-3.0\n(x) run\n",
        "EICAR": EICAR,
        "EICAR in base64": base64.b64encode(EICAR),
        "mail": b"From: a@example.com\r\nSubject: x\r\n\r\nx",
        "CSV": b"=cmd|' /C calc'!A0,1\n",
        "JSON": b'{"file": "x"}',
        "text": b"I paid, believe me.",
        "one byte": b"\x89",
        "white space": b" \r\n\t",
        "zeros": b"\0" * 1000,
        "PNG in capitals": lambda: b"\x89png\r\n\x1a\n" + picture("PNG")[8:],
        "PNG behind a line break": lambda: b"\n" + picture("PNG"),
        "PNG behind a byte order mark": lambda: b"\xef\xbb\xbf" + picture("PNG"),
        "PNG in base64": lambda: base64.b64encode(picture("PNG")),
        "PNG as a data address": lambda: b"data:image/png;base64," + base64.b64encode(picture("PNG")),
        "PNG through a text editor": lambda: picture("PNG").replace(b"\r\n", b"\n"),
        "JPEG behind a space": lambda: b" " + picture("JPEG"),
        "JPEG backwards": lambda: picture("JPEG")[::-1],
    }
    return {name: (file, 415) for name, file in files.items()}
