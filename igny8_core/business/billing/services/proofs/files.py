"""The files of payment proofs: recognized by content, rewritten, stored and fetched. No rows are touched here."""

import hashlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from igny8_core.business.billing.errors import (
    FileCheckBusy,
    FileTooLarge,
    ProofStorageDown,
    UnreadableFile,
    UnsupportedFileType,
)
from igny8_core.business.billing.models import PaymentProof, ProofType
from igny8_core.common.marks import gettext_noop

logger = logging.getLogger(__name__)
MAX_BYTES = 5 * 1024 * 1024
# The first bytes of each file type that is taken, and the module in sanitizer/ that reads it.
BEGINNINGS = [
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "images"),
    (re.compile(rb"\xff\xd8\xff"), "images"),
    (re.compile(rb"RIFF....WEBPVP8", re.DOTALL), "images"),
    (re.compile(rb"\0\0..ftyp(?:hei[cxms]|hev[cx]|mif[12]|msf1|avi[fs])", re.DOTALL), "telephones"),
    (re.compile(rb"%PDF-"), "pdfs"),
]
# The first bytes of the files that the sanitizer writes.
WRITTEN = [(b"\x89PNG", ProofType.PNG), (b"\xff\xd8", ProofType.JPEG), (b"%PDF-", ProofType.PDF)]
# The sanitizer runs in a Python process that sees neither our package nor our environment.
START_READER = """
import sys
sys.path.insert(0, sys.argv[1])
from sanitizer.child import main
main(sys.argv[2])
"""
KEPT_ENVIRONMENT = ("PATH", "LANG", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
READER_SECONDS = 30
REFUSED = 3
REFUSALS = {
    "encrypted": gettext_noop("The PDF is encrypted. Save it without a password, or send a picture of it."),
    "pages": gettext_noop("A PDF has 1 to 20 pages. Send the page that shows the payment."),
    "pixels": gettext_noop(
        "The picture has too many pixels; 25 megapixels are taken. Make it smaller, or send a screenshot of it."
    ),
    "size": gettext_noop("The file unpacks to far more than a receipt. Send a picture of the payment's page."),
    "pictures": gettext_noop("A picture in the PDF has more than 50 megapixels. Send a picture of the page instead."),
    "packed": gettext_noop(
        "The PDF is packed in an unusual way. Print it into a new PDF, or send a picture of the page."
    ),
    "objects": gettext_noop(
        "The PDF's pages have far more lines than a receipt. Send a picture of the payment's page."
    ),
    "ratio": gettext_noop("The picture unpacks to far more than such a file shows. Send a screenshot or a photograph."),
    "frames": gettext_noop("The file holds too many pictures. Send the one that shows the payment."),
    "scans": gettext_noop("The picture is stored in far more steps than a camera takes. Send a screenshot of it."),
    "blank": gettext_noop(
        "Nothing can be seen on the PDF's pages. Open it to see whether it is the right file, or send a picture."
    ),
}
# Each web process reads so many files at a time: fewer than it has threads, so that some are always free, and because a
# picture of 25 megapixels takes some hundred megabytes. Nobody waits for a place.
AT_ONCE = 2
PLACE_SECONDS = 2
_places = threading.BoundedSemaphore(AT_ONCE)
STORAGE_FAULTS = (OSError, BotoCoreError, ClientError)


@dataclass(frozen=True)
class NewFile:
    """A file written by us."""

    content_type: ProofType
    content: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def rewritten(content: bytes, took: Callable[[float], None] = lambda seconds: None) -> NewFile:
    """Read an untrusted file and rewrite its visible content as a new file, in a process of its own.

    `took` is told the processor time that this took, in seconds, also for a file that is refused.
    Raises FileTooLarge, UnsupportedFileType, UnreadableFile, FileCheckBusy if too many others are being read.
    """
    if len(content) > MAX_BYTES:
        raise FileTooLarge()
    for beginning, reader in BEGINNINGS:
        if beginning.match(content):
            written = _read_sealed(reader, content, took)
            content_type = next(kind for start, kind in WRITTEN if written.startswith(start))
            return NewFile(content_type, written)
    raise UnsupportedFileType()


def store(name: str, content: bytes) -> str:
    """Store a file; returns its final name, which may differ from `name`. Raises ProofStorageDown."""
    with _storage(name):
        return default_storage.save(name, ContentFile(content))


def fetch(proof: PaymentProof) -> bytes:
    """The proof's file as it was stored. Raises ProofStorageDown, also if the file is missing or was altered."""
    name = str(proof.file.name)
    with _storage(name), default_storage.open(name) as stored:
        content: bytes = stored.read()
    if hashlib.sha256(content).hexdigest() != proof.sha256:
        logger.error("stored file was altered", extra={"proof": proof.pk})
        raise ProofStorageDown()
    return content


def pages_of(proof: PaymentProof) -> bytes:
    """The pages of a stored PDF as one picture, a JPEG, drawn in a process of its own.

    Raises ProofStorageDown, FileCheckBusy if too many files are being read, UnreadableFile.
    """
    return picture_of(fetch(proof))


def picture_of(pdf: bytes) -> bytes:
    """The pages of a PDF of ours as one picture, a JPEG. Raises FileCheckBusy, UnreadableFile as pages_of does."""
    return _read_sealed("sheets", pdf, lambda seconds: None)


def forget(name: str) -> None:
    """Delete a stored file, if it is still there. Raises ProofStorageDown."""
    with _storage(name):
        default_storage.delete(name)


@contextmanager
def _storage(name: str) -> Iterator[None]:
    try:
        yield
    except STORAGE_FAULTS as fault:
        logger.error("file storage failed", exc_info=fault, extra={"file": name})
        raise ProofStorageDown() from fault


def _read_sealed(reader: str, content: bytes, took: Callable[[float], None]) -> bytes:
    if not _places.acquire(blocking=False):
        raise FileCheckBusy(retry_after=PLACE_SECONDS)
    try:
        code, output, seconds = _run(reader, content)
    except OSError as fault:
        logger.error("file reader did not start", exc_info=fault)
        raise FileCheckBusy(retry_after=PLACE_SECONDS) from fault
    finally:
        _places.release()
    took(seconds)
    if code == 0:
        return output
    raise UnreadableFile(REFUSALS.get(output.decode("ascii", "replace")) if code == REFUSED else None)


def _run(reader: str, content: bytes) -> tuple[int, bytes, float]:
    """The exit code of the process, what it wrote, and the processor time that it took, in seconds."""
    # Nothing of the command comes from the file or from a request.
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-c", START_READER, str(Path(__file__).parent), reader],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
    )
    end = threading.Timer(READER_SECONDS, os.kill, (child.pid, signal.SIGKILL))
    writer = threading.Thread(target=_write, args=(child.stdin, content), daemon=True)
    end.start()
    writer.start()
    with child.stdout as output:  # type: ignore[union-attr]
        written = output.read()
    # The process keeps its id until wait4, so that the timer ends nobody else. Only wait4 tells its processor time.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    end.cancel()
    end.join()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    writer.join()
    return child.returncode, written, used.ru_utime + used.ru_stime


def _write(entrance: IO[bytes], content: bytes) -> None:
    """Hand the file over. A process that ends early reads no more of it."""
    with suppress(OSError), entrance:
        entrance.write(content)
