"""Who fetches a payment's proof, and for how long the link works (threats.md TEN-05)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import signing
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, User
from igny8_core.business.billing.models import PaymentProof
from igny8_core.business.billing.services.proofs.links import link_token
from tests import make
from tests.api.world import UNUSED_ID, fingerprint, permissions, refusal

pytestmark = pytest.mark.django_db

PROOFS = "/api/v1/billing/payment-proofs/"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)

Clients = Callable[[User], APIClient]


@pytest.fixture
def proof(account_a: Account) -> PaymentProof:
    return make.proof(account_a)


def link(client: APIClient, proof: PaymentProof) -> str:
    """The link that the API gives to somebody for a proof."""
    url: str = client.get(f"{PROOFS}{proof.pk}/").json()["data"]["url"]
    return url


def fetch(url: str, **headers: str) -> Any:
    """What a browser gets that opens a link and knows nothing else."""
    return APIClient(raise_request_exception=False).get(url, **headers)


def require_gone(url: str) -> None:
    """The link answers exactly as one of a file that never was."""
    none = f"{PROOFS}{UNUSED_ID}/file/?token=x"
    answers = [fetch(address, HTTP_X_REQUEST_ID="same-request-id") for address in (url, none)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_a_link_opens_the_file_for_a_browser_and_lets_it_run_nothing(as_user: Clients, bob: User, proof: Any) -> None:
    answer = fetch(link(as_user(bob), proof))

    assert answer.status_code == 200
    assert answer.content == make.png()
    headers = {
        "Content-Type": "image/png",
        "Content-Disposition": f'attachment; filename="payment-proof-{proof.pk}.png"',
        "Content-Length": str(len(make.png())),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }
    assert {name: answer[name] for name in headers} == headers


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "image/*", "application/pdf", "x"])
def test_a_file_is_what_it_is_whatever_a_browser_accepts(
    as_user: Clients, bob: User, proof: PaymentProof, accept: str
) -> None:
    url = link(as_user(bob), proof)

    assert fetch(url, HTTP_ACCEPT=accept).status_code == 200
    refusal(fetch(f"{url}x", HTTP_ACCEPT=accept))


@pytest.mark.parametrize(("content_type", "ending"), [("image/jpeg", "jpg"), ("application/pdf", "pdf")])
def test_the_name_tells_nothing_but_number_and_type(
    as_user: Clients, alice: User, content_type: str, ending: str
) -> None:
    proof = make.proof(alice.account, content_type=content_type)

    answer = fetch(link(as_user(alice), proof))

    assert answer["Content-Disposition"] == f'attachment; filename="payment-proof-{proof.pk}.{ending}"'
    assert answer["Content-Type"] == content_type


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (299, 200), (301, 410), (86_400, 410)])
def test_a_link_lives_for_five_minutes(
    as_user: Clients, bob: User, proof: PaymentProof, seconds: int, status: int
) -> None:
    with time_machine.travel(NOON, tick=False):
        url = link(as_user(bob), proof)

    with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
        answer = fetch(url)

    assert answer.status_code == status
    if status == 410:
        assert refusal(answer)["code"] == "proof_link_expired"


def test_an_altered_token_opens_nothing(as_user: Clients, bob: User, proof: PaymentProof) -> None:
    url = link(as_user(bob), proof)
    token = parse_qs(urlsplit(url).query)["token"][0]
    before = fingerprint()

    for position, character in enumerate(token):
        altered = token[:position] + ("0" if character != "0" else "1") + token[position + 1 :]
        assert fetch(f"{PROOFS}{proof.pk}/file/", QUERY_STRING=f"token={altered}").status_code == 404, position
    for wrong in ("", ":", "::", "x", token[:-1], token + "x", token.upper(), "a" * 5000, "\u202e", "1.1:1:1"):
        require_gone(f"{PROOFS}{proof.pk}/file/?token={wrong}")
    require_gone(f"{PROOFS}{proof.pk}/file/")
    assert fetch(f"{url}&token={token}").status_code == 400
    assert fetch(f"{url}&user=1").status_code == 400
    assert fingerprint() == before


def test_a_token_of_another_purpose_opens_nothing(bob: User, proof: PaymentProof) -> None:
    named = f"{proof.pk}.{bob.pk}"
    for signer in (signing.TimestampSigner(), signing.TimestampSigner(salt="x"), signing.Signer()):
        require_gone(f"{PROOFS}{proof.pk}/file/?token={signer.sign(named)}")
    require_gone(f"{PROOFS}{proof.pk}/file/?token={signing.dumps(named)}")


def test_a_token_opens_the_one_file_it_was_made_for(as_user: Clients, alice: User, charlie: User) -> None:
    first, second, foreign = (make.proof(owner.account) for owner in (alice, alice, charlie))
    token = urlsplit(link(as_user(alice), first)).query

    for other in (second, foreign):
        require_gone(f"{PROOFS}{other.pk}/file/?{token}")
    # Even with our signature: whether the person may see the file is looked up when it is fetched.
    require_gone(f"{PROOFS}{foreign.pk}/file/?token={link_token(foreign.pk, alice.pk)}")


def leave(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(account=None, role="")


def move(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(account=make.account(), role=Role.OWNER)


def deactivate(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)


def become_staff(bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(account=None, role="", is_staff=True)


@pytest.mark.parametrize("depart", [leave, move, deactivate, become_staff])
def test_the_link_of_somebody_who_left_is_dead(
    as_user: Clients, bob: User, proof: PaymentProof, depart: Callable[[User], None]
) -> None:
    url = link(as_user(bob), proof)
    assert fetch(url).status_code == 200

    depart(bob)

    require_gone(url)


# --- Operators ----------------------------------------------------------------------------------------------------


def test_an_operator_gets_a_link_with_the_permission_and_loses_it_with_the_permission(
    as_user: Clients, alice: User
) -> None:
    payment = make.submitted_payment(make.invoice(alice.account), proof=make.proof(alice.account))
    operator = make.user(is_staff=True)
    address = f"/api/v1/admin/payments/{payment.pk}/proof/"
    assert as_user(operator).get(address).status_code == 403

    operator.user_permissions.add(*permissions(["billing.view_payment"]))
    data = as_user(operator).get(address).json()["data"]

    assert (data["id"], data["payment_id"]) == (payment.proof_id, payment.pk)
    assert fetch(data["url"]).content == make.png()
    operator.user_permissions.clear()
    require_gone(data["url"])


def test_a_payment_without_a_file_has_none_to_show(as_user: Clients, olga: User) -> None:
    payment = make.submitted_payment()

    assert as_user(olga).get(f"/api/v1/admin/payments/{payment.pk}/proof/").status_code == 404


def test_an_operator_has_no_files_of_their_own_account_to_ask_for(as_user: Clients, olga: User, proof: Any) -> None:
    assert as_user(olga).get(f"{PROOFS}{proof.pk}/").status_code == 403


# --- Storage ------------------------------------------------------------------------------------------------------


def test_a_file_that_is_gone_or_altered_is_not_handed_out(as_user: Clients, alice: User, proof: PaymentProof) -> None:
    url, path = link(as_user(alice), proof), Path(default_storage.path(proof.file.name))

    path.write_bytes(make.png(9, 9))
    altered = fetch(url)
    path.unlink()
    gone = fetch(url)

    assert [(answer.status_code, refusal(answer)["code"]) for answer in (altered, gone)] == [
        (503, "proof_storage_down")
    ] * 2
    assert fetch(f"{url}x").status_code == 404
