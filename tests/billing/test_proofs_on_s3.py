"""The whole way of a proof with its file on S3: a server on this machine that speaks S3 stands in for it."""

import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.business.billing import tasks
from igny8_core.business.billing.models import PaymentProof
from igny8_core.settings import environment
from tests import make

pytestmark = pytest.mark.django_db

PROOFS = "/api/v1/billing/payment-proofs/"

Clients = Callable[[User], APIClient]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3."""
    from moto.server import ThreadedMotoServer  # slow to import, so not for every run of other tests

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Any]:
    """The settings of an installation on S3, and its bucket."""
    name_of_bucket = f"igny8-{uuid.uuid4().hex}"
    for name, value in {
        "AWS_STORAGE_BUCKET_NAME": name_of_bucket,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_S3_REGION_NAME": "us-east-1",
        "AWS_S3_ENDPOINT_URL": s3,
    }.items():
        monkeypatch.setenv(name, value)
    settings.STORAGES = {**settings.STORAGES, "default": environment.file_storage(tmp_path)}
    client = default_storage.connection.meta.client
    client.create_bucket(Bucket=name_of_bucket)
    asked: list[dict[str, Any]] = []
    client.meta.events.register("provide-client-params.s3", lambda params, **_: asked.append(params))
    default_storage.bucket.asked = asked
    yield default_storage.bucket
    client.close()


def upload(client: APIClient) -> PaymentProof:
    response = client.post(PROOFS, {"file": SimpleUploadedFile("receipt.png", make.png())}, format="multipart")
    assert response.status_code == 201, response.content
    return PaymentProof.objects.get(pk=response.json()["data"]["id"])


def names(bucket: Any) -> set[str]:
    return {item.key for item in bucket.objects.all()}


def status_without_signature(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def test_a_proof_goes_to_s3_and_comes_back_by_our_link(bucket: Any, as_user: Clients, alice: User) -> None:
    client = as_user(alice)
    make.payment_method()
    invoice = make.invoice(alice.account)

    proof = upload(client)
    confirmed = client.post(
        "/api/v1/billing/admin/payments/confirm/",
        {
            "invoice_id": invoice.pk,
            "payment_method": "bank_transfer",
            "amount": "89.00",
            "manual_reference": "BT-1",
            "proof": proof.pk,
        },
        format="json",
    )
    shown = client.get(f"{PROOFS}{proof.pk}/").json()["data"]
    fetched = APIClient().get(shown["url"])

    assert confirmed.status_code == 201
    assert shown["payment_id"] == confirmed.json()["data"]["payment_id"]
    assert names(bucket) == {proof.file.name}
    stored = bucket.Object(proof.file.name).get()
    assert stored["Body"].read() == fetched.content
    assert (stored["ContentType"], stored["CacheControl"]) == ("image/png", "private, no-store")
    assert shown["url"].startswith("http://testserver/")


def test_a_file_is_nobodys_who_has_no_signature(bucket: Any, s3: str, as_user: Clients, alice: User) -> None:
    proof = upload(as_user(alice))

    assert bucket.asked
    assert all("ACL" not in params for params in bucket.asked)
    assert "X-Amz-Signature=" in default_storage.url(proof.file.name)
    grants = bucket.Object(proof.file.name).Acl().grants
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]
    assert status_without_signature(f"{s3}/{bucket.name}/{proof.file.name}") == 403
    # This S3 does look at that: a file that anybody may read is given to anybody.
    bucket.put_object(Key="public.txt", Body=b"x", ACL="public-read")
    assert status_without_signature(f"{s3}/{bucket.name}/public.txt") == 200


def test_a_refused_row_takes_its_file_with_it(bucket: Any, as_user: Clients, alice: User) -> None:
    make.proof(alice.account, size=100 * 1024 * 1024)
    before = names(bucket)

    response = as_user(alice).post(PROOFS, {"file": SimpleUploadedFile("a.png", make.png())}, format="multipart")

    assert response.status_code == 409
    assert names(bucket) == before


def test_unused_files_are_deleted_from_s3(bucket: Any, as_user: Clients, alice: User) -> None:
    proof, gone = upload(as_user(alice)), make.proof(alice.account)
    default_storage.delete(gone.file.name)

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        tasks.delete_unused_proofs()

    assert not PaymentProof.objects.exists()
    assert proof.file.name not in names(bucket)


def test_a_bucket_that_is_not_there_is_503_and_leaves_no_row(bucket: Any, as_user: Clients, alice: User) -> None:
    client = as_user(alice)
    proof = upload(client)
    url = client.get(f"{PROOFS}{proof.pk}/").json()["data"]["url"]
    bucket.objects.all().delete()
    bucket.delete()

    stored = client.post(PROOFS, {"file": SimpleUploadedFile("a.png", make.png())}, format="multipart")
    fetched = APIClient().get(url)

    assert (stored.status_code, fetched.status_code) == (503, 503)
    assert stored.json()["code"] == "proof_storage_down"
    assert PaymentProof.objects.count() == 1


def test_an_s3_that_does_not_answer_is_503(
    bucket: Any, as_user: Clients, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    # Port 9 of this machine: nobody listens.
    monkeypatch.setenv("AWS_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    settings.STORAGES = {**settings.STORAGES, "default": environment.file_storage(tmp_path)}

    response = as_user(alice).post(PROOFS, {"file": SimpleUploadedFile("a.png", make.png())}, format="multipart")

    assert response.status_code == 503
    assert not PaymentProof.objects.exists()
    default_storage.connection.meta.client.close()
