"""Whatever file is sent as a proof of payment: it is refused, or stored as a clean one (PAY-14)."""

import io
import struct
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.business.billing.models import PaymentProof
from igny8_core.business.billing.services.proofs import files
from igny8_core.common.errors import DomainError
from tests.api.world import fingerprint, refusal
from tests.billing import files_of_strangers, pdfs_of_strangers, pictures_of_telephones
from tests.billing.files_of_strangers import MARKS, PNG_MAGIC, made
from tests.cases import some_of

UPLOAD = "/api/v1/billing/payment-proofs/"
PARTS = (
    files_of_strangers.pictures_taken(),
    files_of_strangers.pictures_refused(),
    files_of_strangers.files_of_other_types(),
    pictures_of_telephones.pictures_taken(),
    pictures_of_telephones.pictures_refused(),
    pdfs_of_strangers.pdfs_taken(),
    pdfs_of_strangers.pdfs_refused(),
)
CORPUS = {name: file for part in PARTS for name, file in part.items()}
TAKEN = [name for name, (_, status) in CORPUS.items() if status == 201]
# Sent to the API as well: the first and the last file of each list.
SENT = [name for names in (list(corpus) for corpus in PARTS) for name in (names[0], names[-1])]
CODES = {400: "unreadable_file", 413: "file_too_large", 415: "unsupported_file_type"}


@pytest.fixture
def client(as_user: Callable[[User], APIClient], alice: User) -> APIClient:
    return as_user(alice)


def upload(client: APIClient, content: bytes, name: str = "receipt.png"):
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content)}, format="multipart")


def require_clean(content: bytes, content_type: str) -> None:
    """The file is what its type says and nothing beside it."""
    check = {"image/png": require_clean_png, "image/jpeg": require_clean_jpeg, "application/pdf": require_clean_pdf}
    assert [mark for mark in MARKS if mark in content] == []
    check[content_type](content)


def require_clean_png(content: bytes) -> None:
    assert content.startswith(PNG_MAGIC)
    kinds, position = set(), 8
    while position < len(content):
        (length,) = struct.unpack(">I", content[position : position + 4])
        kinds.add(content[position + 4 : position + 8])
        position += length + 12
    assert position == len(content)
    assert kinds == {b"IHDR", b"IDAT", b"IEND"}
    require_picture(content, "PNG")


def require_clean_jpeg(content: bytes) -> None:
    assert content.startswith(b"\xff\xd8")
    assert content.endswith(b"\xff\xd9")
    position, markers = 2, set()
    while content[position + 1] != 0xDA:
        markers.add(content[position + 1])
        position += 2 + int.from_bytes(content[position + 2 : position + 4], "big")
    assert markers <= {0xE0, 0xDB, 0xC0, 0xC4}
    assert content.index(b"\xff\xd9", position) == len(content) - 2
    require_picture(content, "JPEG")


def require_picture(content: bytes, kind: str) -> None:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert (image.format, getattr(image, "n_frames", 1)) == (kind, 1)
        assert max(image.size) <= 4000
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def require_clean_pdf(content: bytes) -> None:
    assert content.startswith(b"%PDF-")
    assert content.endswith(b"%%EOF")
    assert content.count(b"%%EOF") == 1
    assert b"Exif" not in content
    pdfs_of_strangers.require_only_pictures(content)
    for jpeg in pdfs_of_strangers.jpegs_in(content):
        require_clean_jpeg(jpeg)


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) > 200
    assert len(TAKEN) > 90


@pytest.mark.parametrize("name", some_of(CORPUS, each=6))
def test_a_file_is_refused_or_written_anew(warm_reader: None, name: str) -> None:
    file, status = CORPUS[name]
    content = made(file)

    if status == 201:
        written = files.rewritten(content)
        require_clean(written.content, written.content_type)
    else:
        with pytest.raises(DomainError) as refused:
            files.rewritten(content)
        assert (refused.value.http_status, refused.value.code) == (status, CODES[status])


@pytest.mark.django_db
@pytest.mark.parametrize("name", SENT)
def test_what_is_refused_leaves_nothing_and_what_is_taken_is_stored_as_it_was_written(
    client: APIClient, name: str
) -> None:
    file, status = CORPUS[name]
    before = fingerprint()

    response = upload(client, made(file))

    assert response.status_code == status, response.content
    if status == 201:
        proof = PaymentProof.objects.get()
        stored = files.fetch(proof)
        assert proof.size == len(stored) == response.json()["data"]["size"]
        require_clean(stored, proof.content_type)
    else:
        assert refusal(response)["code"] == CODES[status]
        assert fingerprint() == before
