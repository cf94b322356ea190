"""Payment proofs behind the API: pictures keep their looks, unused files go, faults of storage leave nothing behind."""

import io
import os
import time
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from PIL import Image, ImageChops, ImageOps, ImageStat

from igny8_core.auth.models import User
from igny8_core.business.billing import tasks
from igny8_core.business.billing.errors import (
    FileCheckBusy,
    NoSuchProof,
    ProofAlreadyUsed,
    ProofStorageDown,
    UnreadableFile,
)
from igny8_core.business.billing.models import PaymentProof, ProofType
from igny8_core.business.billing.services.proofs import files, uploads
from igny8_core.business.billing.services.proofs.uploads import (
    _delete_row,
    delete_unused_proofs,
    upload_proof,
)
from igny8_core.celery import app
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint
from tests.billing.files_of_strangers import exif, picture, sixteen_bits
from tests.billing.pictures_of_telephones import KINDS, heic_that_turns
from tests.billing.test_payment_confirmation import require_refusal
from tests.cases import some_of

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def files_of(proofs: list[PaymentProof]) -> list[bool]:
    """Whether each proof's file is stored."""
    return [default_storage.exists(proof.file.name) for proof in proofs]


# --- What a picture looks like ------------------------------------------------------------------------------------


def require_alike(content: bytes, expected: Image.Image) -> None:
    with Image.open(io.BytesIO(files.rewritten(content).content)) as image:
        assert image.size == expected.size
        difference = ImageChops.difference(image.convert("RGB"), expected.convert("RGB"))
        assert max(ImageStat.Stat(difference).mean) < 4


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation: int) -> None:
    content = picture("JPEG", size=(64, 40), quality=95, exif=exif(orientation))

    with Image.open(io.BytesIO(content)) as image:
        require_alike(content, ImageOps.exif_transpose(image))


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize(
    ("kind", "orientation", "turns_itself"), some_of(product(KINDS, range(1, 9), [True, False]), each=5)
)
def test_a_photograph_of_a_telephone_is_turned_upright_once(kind: str, orientation: int, turns_itself: bool) -> None:
    content = picture(kind, size=(64, 40), quality=95, exif=exif(orientation))
    if kind == "HEIF" and turns_itself:
        content = heic_that_turns(orientation)

    with Image.open(io.BytesIO(picture("PNG", size=(64, 40), exif=exif(orientation)))) as image:
        require_alike(content, ImageOps.exif_transpose(image))


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("mode", "stored"), [("RGB", ProofType.JPEG), ("RGBA", ProofType.PNG)])
def test_a_picture_of_a_telephone_is_stored_as_everybody_can_open_it(kind: str, mode: str, stored: ProofType) -> None:
    content = io.BytesIO()
    Image.new(mode, (40, 30), (255, 0, 0, 100)[: len(mode)]).save(content, kind, quality=100)

    written = files.rewritten(content.getvalue())

    assert written.content_type == stored
    with Image.open(io.BytesIO(written.content)) as image:
        red, green, blue, *alpha = image.getpixel((20, 15))
    assert (red > 245, green < 10, blue < 10) == (True, True, True)
    assert alpha in ([], [100])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody whose processes are counted")
@pytest.mark.parametrize("kind", [*KINDS, "PNG"])
def test_a_user_without_rights_reads_them_too(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = "import importlib, os; from PIL import Image; Image.init(); "
    prepared += "importlib.import_module('sanitizer.' + sys.argv[2]); os.setgid(65534); os.setuid(65534)\nmain("
    monkeypatch.setattr(files, "START_READER", files.START_READER.replace("main(", prepared, 1))
    assert "setuid" in files.START_READER

    assert files.rewritten(picture(kind, size=(1200, 900))).content


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_looks_as_before(mode: str) -> None:
    content = picture("PNG", mode)

    with Image.open(io.BytesIO(content)) as image:
        require_alike(content, image)


@pytest.mark.usefixtures("warm_reader")
def test_transparency_stays() -> None:
    content = io.BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 100)).save(content, "PNG")

    with Image.open(io.BytesIO(files.rewritten(content.getvalue()).content)) as image:
        assert image.getpixel((0, 0)) == (255, 0, 0, 100)


@pytest.mark.usefixtures("warm_reader")
def test_colours_of_a_printers_photograph_stay() -> None:
    content = picture("JPEG", "CMYK", quality=95)

    with Image.open(io.BytesIO(content)) as image:
        require_alike(content, image.convert("RGB"))


@pytest.mark.usefixtures("warm_reader")
def test_sixteen_bits_of_grey_become_eight() -> None:
    with Image.open(io.BytesIO(files.rewritten(sixteen_bits(0, 1)).content)) as image:
        assert [image.getpixel((x, 0)) for x in (0, 10, 29)] == [0, 78, 226]


@pytest.mark.usefixtures("warm_reader")
@pytest.mark.parametrize(
    ("size", "expected"), [((4000, 100), (4000, 100)), ((4400, 1100), (4000, 1000)), ((20, 9000), (9, 4000))]
)
def test_the_longest_side_has_at_most_4000_pixels(size: tuple[int, int], expected: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(files.rewritten(picture("PNG", size=size)).content)) as image:
        assert image.size == expected


# --- The reader ---------------------------------------------------------------------------------------------------


def test_a_file_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "READER_SECONDS", 0.001)

    with pytest.raises(UnreadableFile):
        files.rewritten(make.png())


def test_a_reader_that_cannot_be_started_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.sys, "executable", "/nonexistent/python")

    with pytest.raises(FileCheckBusy):
        files.rewritten(make.png())


def test_a_full_house_is_told_to_come_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PLACE_SECONDS", 600)
    began = time.monotonic()
    held = [files._places.acquire(blocking=False) for _ in range(2)]
    try:
        with pytest.raises(FileCheckBusy) as caught:
            files.rewritten(make.png())
    finally:
        files._places.release(len(held))

    assert time.monotonic() - began < 60
    assert caught.value.retry_after == files.PLACE_SECONDS
    assert caught.value.http_status == 503
    assert files.rewritten(make.png()).content


def test_the_reader_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SECRET_KEY", "canary")
    monkeypatch.setattr(
        files,
        "START_READER",
        "import os, sys; sys.stdout.write('%PDF-' + repr(dict(os.environ)) + repr(sys.path))",
    )

    seen = files.rewritten(make.png()).content.decode()

    assert "canary" not in seen
    assert "DATABASE_URL" not in seen
    assert str(Path(__file__).parent.parent.parent) + "'" not in seen


GREED = [
    "bytearray(2 * 1024**3)",
    "sum(range(10**12))",
    "import tempfile; tempfile.TemporaryFile(buffering=0).write(b'x')",
]


@pytest.mark.parametrize("greed", GREED)
def test_a_reader_that_wants_too_much_is_ended(greed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start = "import sys; sys.path.insert(0, sys.argv[1]); from sanitizer import child; child.PROCESSOR_SECONDS = 1"
    start += f"; child._limit_resources(); {greed}; sys.stdout.write('got it')"
    monkeypatch.setattr(files, "START_READER", start)

    with pytest.raises(UnreadableFile):
        files.rewritten(make.png())


# --- Faults of storage --------------------------------------------------------------------------------------------


@pytest.fixture
def broken_storage(settings: Any, tmp_path: Path) -> None:
    """A storage whose folder is a file: nothing can be written there, as on a full volume."""
    (tmp_path / "media").write_text("")
    local = settings.STORAGES["default"]
    options = {**local["OPTIONS"], "location": tmp_path / "media"}
    settings.STORAGES = {**settings.STORAGES, "default": {**local, "OPTIONS": options}}


@pytest.mark.usefixtures("broken_storage")
def test_a_file_that_cannot_be_stored_has_no_row(alice: User) -> None:
    refused = require_refusal(ProofStorageDown, lambda: upload_proof(alice.account, alice, make.png()))

    assert refused.http_status == 503


def test_a_row_that_cannot_be_written_has_no_file(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[str] = []
    store = files.store
    monkeypatch.setattr(files, "store", lambda *args: stored.append(store(*args)) or stored[0])

    with pytest.raises(ValueError, match="Cannot assign"):
        upload_proof(alice.account, "nobody", make.png())  # type: ignore[arg-type]

    assert [default_storage.exists(name) for name in stored] == [False]
    assert not PaymentProof.objects.exists()


# --- Confirming ---------------------------------------------------------------------------------------------------


def test_the_service_itself_takes_only_unused_files_of_the_account(alice: User, charlie: User) -> None:
    make.payment_method()
    invoice, proof = make.invoice(alice.account), make.proof(alice.account)
    foreign, used = make.proof(charlie.account), make.proof(alice.account)
    make.submitted_payment(make.invoice(alice.account), proof=used)
    deleted = make.proof(alice.account)
    PaymentProof.objects.filter(pk=deleted.pk).delete()

    for wrong, error in ((foreign, NoSuchProof), (deleted, NoSuchProof), (used, ProofAlreadyUsed)):
        # What the caller's copy says does not count.
        require_refusal(error, lambda wrong=wrong: make.submitted_payment(invoice, proof=wrong))
    assert make.submitted_payment(invoice, proof=proof).proof == proof


# --- Cleaning up --------------------------------------------------------------------------------------------------


def test_unused_files_are_deleted_after_seven_days(alice: User, charlie: User) -> None:
    with time_machine.travel(NOON, tick=False):
        old = [make.proof(owner.account) for owner in (alice, charlie)]
        used = make.proof(alice.account)
        make.submitted_payment(make.invoice(alice.account), proof=used)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        young = make.proof(alice.account)

    with time_machine.travel(NOON + timedelta(days=7, seconds=1), tick=False):
        tasks.delete_unused_proofs()
        tasks.delete_unused_proofs()

    assert set(PaymentProof.objects.all()) == {used, young}
    assert files_of([*old, used, young]) == [False, False, True, True]
    deleted = Event.objects.filter(type="payment_proof.deleted").order_by("pk")
    assert [event.object_id for event in deleted] == [str(proof.pk) for proof in old]


def test_a_file_that_is_gone_already_is_no_error(alice: User) -> None:
    with time_machine.travel(NOON, tick=False):
        proofs = [make.proof(alice.account) for _ in range(2)]
    default_storage.delete(proofs[0].file.name)

    with time_machine.travel(NOON + timedelta(days=8), tick=False):
        assert delete_unused_proofs() == 2

    assert not PaymentProof.objects.exists()
    assert files_of(proofs) == [False, False]


def test_a_proof_that_was_used_meanwhile_stays(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(NOON, tick=False):
        proof = make.proof(alice.account)
    delete = _delete_row
    invoice = make.invoice(alice.account)

    def used_just_before(proof: PaymentProof) -> str | None:
        make.submitted_payment(invoice, proof=proof)
        return delete(proof)

    monkeypatch.setattr(uploads, "_delete_row", used_just_before)
    with time_machine.travel(NOON + timedelta(days=8), tick=False):
        assert delete_unused_proofs() == 0

    assert PaymentProof.objects.get().payment.invoice == invoice
    assert files_of([proof]) == [True]


def test_a_stored_proof_is_never_changed(alice: User) -> None:
    proof = make.proof(alice.account)
    before = fingerprint()

    with pytest.raises(DatabaseError), transaction.atomic():
        PaymentProof.objects.filter(pk=proof.pk).update(sha256="0" * 64)

    assert fingerprint() == before


def test_cleaning_up_is_on_the_schedule() -> None:
    assert "billing.delete_unused_proofs" in {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert "billing.delete_unused_proofs" in app.tasks
