"""Uploading the proof of a payment and confirming with it (PAY-14, PAY-15)."""

import json
import logging
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Payment, PaymentProof, PaymentStatus
from igny8_core.business.billing.services.proofs import uploads
from igny8_core.common.api.published import whole_document
from igny8_core.events.models import Event
from tests import make
from tests.api.world import ACTORS, UNUSED_ID, World, body, fingerprint, refusal, send
from tests.billing.files_of_strangers import picture
from tests.cases import some_of

pytestmark = pytest.mark.django_db

PROOFS = "/api/v1/billing/payment-proofs/"
CONFIRM = "api/v1/billing/admin/payments/confirm/"
MEGABYTE = 1024 * 1024

Clients = Callable[[User], APIClient]


@pytest.fixture
def client(as_user: Clients, alice: User) -> APIClient:
    return as_user(alice)


def upload(client: APIClient, content: bytes, name: str = "receipt.png", declared: str = "image/png") -> Any:
    return client.post(PROOFS, {"file": SimpleUploadedFile(name, content, declared)}, format="multipart")


def stored_files() -> set[str]:
    """Every file in the storage of the tests."""
    return {str(path) for path in Path(default_storage.location).rglob("*") if path.is_file()}


# --- Uploading ----------------------------------------------------------------------------------------------------


def test_an_upload_is_stored_recorded_and_answered(client: APIClient, alice: User) -> None:
    response = upload(client, make.png())

    assert response.status_code == 201
    proof = PaymentProof.objects.get()
    data = response.json()["data"]
    assert data == {**client.get(f"{PROOFS}{proof.pk}/").json()["data"], "url": data["url"]}
    shown = {name: data[name] for name in ("id", "content_type", "size", "payment_id")}
    assert shown == {"id": proof.pk, "content_type": "image/png", "size": proof.size, "payment_id": None}
    assert (proof.account, proof.uploaded_by) == (alice.account, alice)
    event = Event.objects.get(type="payment_proof.uploaded")
    assert (event.account_id, event.actor_id, event.object_id) == (alice.account_id, alice.pk, str(proof.pk))
    assert event.data["sha256"] == proof.sha256


NAMES = [
    "receipt.png", "receipt.pdf", "receipt.php", "receipt.php.png", "receipt.png.php", "a.jpg.exe", "x.svg",
    ".htaccess", "../../../etc/passwd", "..\\..\\windows\\system32\\a.png", "/etc/passwd", "C:\\a.png", "CON",
    "NUL.png", "a" * 240, "Beleg für März 😀.png", "\u202egnp.exe", "<script>alert(1)</script>.png",
    "'; DROP TABLE x;--.png", "a;b.png", "%00.png", "%2e%2e%2fa.png", "a b.png", "-rf",
    "$(id).png", "`id`.png", "|id", "{{7*7}}.png",
]  # fmt: skip


def test_nothing_is_kept_of_what_the_file_was_called(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UNUSED", len(NAMES))
    before = stored_files()

    for name in NAMES:
        response = upload(client, make.png(), name)

        assert response.status_code == 201, name
        proof = PaymentProof.objects.latest("pk")
        assert re.fullmatch(rf"payment_proofs/{proof.account_id}/[0-9a-f]{{32}}\.png", proof.file.name), name
        assert name not in str(Event.objects.latest("pk").data)
    assert len(stored_files() - before) == len(NAMES)


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        *(("a.png", "image/png"), ("a.pdf", "image/svg+xml"), ("a.html", "text/html")),
        *(("a.png", "application/pdf"), ("a.pdf", "x"), ("a.html", "")),
    ],
)
def test_the_type_is_what_the_content_is(client: APIClient, name: str, declared: str) -> None:
    assert upload(client, picture("JPEG"), name, declared).json()["data"]["content_type"] == "image/jpeg"


def test_stored_files_are_for_us_alone(client: APIClient) -> None:
    upload(client, make.png())

    path = Path(default_storage.path(PaymentProof.objects.get().file.name))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("size", "status"), [(5 * MEGABYTE, 201), (5 * MEGABYTE + 1, 413), (7 * MEGABYTE, 413)])
def test_five_megabytes_are_taken_and_not_a_byte_more(client: APIClient, size: int, status: int) -> None:
    content = make.png()

    response = upload(client, content + b"\0" * (size - len(content)))

    assert response.status_code == status
    if status == 413:
        assert refusal(response)["code"] == ("file_too_large" if size < 6 * MEGABYTE else "payload_too_large")
        assert not PaymentProof.objects.exists()


def test_an_upload_that_is_json_is_415_and_an_empty_one_400(client: APIClient) -> None:
    for data, status in (({"file": "x"}, 415), ({}, 415)):
        assert client.post(PROOFS, data, format="json").status_code == status
    for content_type in ("multipart/form-data; boundary=x", "application/json", ""):
        response = client.generic("POST", PROOFS, b"", content_type=content_type)
        assert response.status_code in {400, 415}
        refusal(response)
    response = upload(client, b"")
    assert (response.status_code, refusal(response)["errors"]) == (
        400,
        {"file": ["The file is empty. Choose another file."]},
    )


def test_a_refused_file_leaves_a_line_in_the_security_log(client: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        upload(client, b"<svg/>")

    assert [record.message for record in caplog.records].count("upload_validation") == 1


def test_uploads_are_counted_per_person(
    as_user: Clients, client: APIClient, alice: User, settings: Any, throttling: None
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "upload": ["2/hour"]}
    ada = as_user(make.user(account=alice.account, role="admin"))

    answers = [upload(who, make.png()).status_code for who in (client, client, client, ada)]

    assert answers == [201, 201, 429, 201]


# --- How much an account may keep ---------------------------------------------------------------------------------


def test_twenty_unused_files_are_kept_for_an_account(client: APIClient, alice: User, charlie: User) -> None:
    proofs = [make.proof(alice.account) for _ in range(20)]
    make.proof(charlie.account)
    before, files = fingerprint(), stored_files()

    response = upload(client, make.png())

    assert (response.status_code, refusal(response)["code"]) == (409, "proof_limit_reached")
    assert (fingerprint(), stored_files()) == (before, files)
    make.submitted_payment(make.invoice(alice.account), proof=proofs[0])
    assert upload(client, make.png()).status_code == 201


def test_a_hundred_megabytes_are_kept_for_an_account(client: APIClient, alice: User) -> None:
    used = make.proof(alice.account, size=100 * MEGABYTE - 10)
    make.submitted_payment(make.invoice(alice.account), proof=used)
    before, files = fingerprint(), stored_files()

    response = upload(client, make.png())

    assert (response.status_code, refusal(response)["code"]) == (409, "proof_limit_reached")
    # The file was stored before its size could be counted, and is gone again.
    assert (fingerprint(), stored_files()) == (before, files)


# --- Confirming with it -------------------------------------------------------------------------------------------


def confirm(world: World, actor: str = "owner", **fields: Any) -> Any:
    right = body(world, "POST", CONFIRM, actor) or {}
    return send(world, "POST", CONFIRM, actor, {**right, **fields}, HTTP_X_REQUEST_ID="same-request-id")


def test_a_confirmation_carries_its_proof(world: World) -> None:
    proof = world.a.proof

    response = confirm(world, proof=proof.pk)

    assert response.status_code == 201
    payment = Payment.objects.get(pk=response.json()["data"]["payment_id"])
    assert payment.proof == proof
    client = world.client("viewer")
    shown = {row["id"]: row["proof_id"] for row in client.get("/api/v1/billing/payments/").json()["data"]}
    assert (shown[payment.pk], shown[world.a.payment.pk]) == (proof.pk, world.a.payment.proof_id)
    assert client.get(f"{PROOFS}{proof.pk}/").json()["data"]["payment_id"] == payment.pk


def test_a_confirmation_without_a_proof_has_none(world: World) -> None:
    assert Payment.objects.get(pk=confirm(world).json()["data"]["payment_id"]).proof is None


def test_a_file_and_a_link_at_once_are_400(world: World) -> None:
    before = fingerprint()

    response = confirm(world, proof=world.a.proof.pk, proof_url="https://files.example.com/receipt.png")

    assert (response.status_code, list(refusal(response)["errors"])) == (400, ["proof"])
    assert fingerprint() == before


def test_a_file_of_another_account_is_byte_identical_to_none(world: World) -> None:
    before = fingerprint()
    foreign = [world.b.proof.pk, world.b.payment.proof_id, world.c.proof.pk, UNUSED_ID, 2**63 - 1]

    answers = {(confirm(world, actor, proof=pk).content) for pk, actor in product(foreign, ("owner", "admin"))}

    assert len(answers) == 1
    assert b"no_such_proof" in answers.pop()
    assert fingerprint() == before


@pytest.mark.parametrize("actor", some_of(ACTORS, each=4))
def test_a_used_proof_is_never_used_again_nor_replaced(world: World, actor: str) -> None:
    """PAY-15: whoever asks, and, where that is looked at, whatever became of the payment."""
    payment, used = world.a.payment.pk, world.a.payment.proof_id
    expected = {"admin": 409, "owner": 409, "stranger": 404, "suspended": 400, "anonymous": 401}.get(actor, 403)
    content = json.dumps({"proof": world.a.proof.pk, "proof_url": "https://example.com/a.png"})
    paths = [f"{PROOFS}{used}/", f"{PROOFS}{used}/file/", f"/api/v1/billing/payments/{payment}/"]
    tries = list(product(("POST", "PUT", "PATCH", "DELETE"), paths))
    statuses = PaymentStatus.values if expected in {409, 404} else PaymentStatus.values[:1]

    for number, status in enumerate(statuses):
        Payment.objects.filter(pk=payment).update(status=status, next_check_at=timezone.now())
        before, files = fingerprint(), stored_files()
        assert confirm(world, actor, proof=used).status_code == expected, status
        for method, path in tries[number :: len(statuses)]:
            answer = world.client(actor).generic(method, path, content, content_type="application/json")
            assert answer.status_code in {401, 403, 404, 405}, f"{method} {path}"
            refusal(answer)
        assert (fingerprint(), stored_files()) == (before, files), status


def test_a_used_proof_is_409_with_its_own_code(world: World) -> None:
    answer = refusal(confirm(world, proof=world.a.payment.proof_id))

    assert (answer["code"], list(answer["errors"])) == ("proof_already_used", ["proof"])


def test_a_refused_confirmation_leaves_its_proof_unused(world: World) -> None:
    assert confirm(world, proof=world.a.proof.pk, amount="1.00").status_code == 400

    assert confirm(world, proof=world.a.proof.pk).status_code == 201


# --- The API's description ------------------------------------------------------------------------------------------


def test_the_description_of_an_upload_says_how_to_send_it(client: APIClient) -> None:
    operation = whole_document()["paths"][PROOFS]["post"]

    (media_type,) = operation["requestBody"]["content"]
    schema = operation["requestBody"]["content"][media_type]["schema"]
    assert media_type == "multipart/form-data"
    assert schema["properties"]["file"]["format"] == "binary"
    assert {"201", "400", "401", "403", "409", "413", "415", "429", "503"} <= set(operation["responses"])
    assert "multipart/form-data" in operation["responses"]["415"]["description"]
