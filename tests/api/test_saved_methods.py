"""Saved payment methods over HTTP: adding, the default, deleting (docs/workflow.md, Paying an invoice)."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_methods.saved import add_method, use_method
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

METHODS = "/api/v1/billing/payment-methods/"
Login = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def offers(db: None) -> None:
    make.payment_method()
    make.payment_method(payment_method="local_wallet", display_name="Wallet")
    make.payment_method(payment_method="manual", display_name="Cash desk")
    make.payment_method(payment_method="paypal", display_name="PayPal")
    make.payment_method(country_code="PK", payment_method="manual", display_name="Cash desk", is_enabled=False)


def add(client: APIClient, **body: Any) -> Any:
    return client.post(f"{METHODS}add/", body, format="json")


def mine(client: APIClient) -> list[tuple[str, bool]]:
    return [(row["type"], row["is_default"]) for row in client.get(f"{METHODS}mine/").json()["data"]]


def added(client: APIClient, *types: str) -> list[int]:
    return [add(client, type=kind).json()["data"]["id"] for kind in types]


def test_the_first_method_becomes_the_default_and_the_others_wait(
    alice: User, as_user: Login, account_a: Account
) -> None:
    client = as_user(alice)

    first = add(client, type="local_wallet", display_name="Shop's wallet")
    second = add(client, type="bank_transfer")

    row = first.json()["data"]
    assert (first.status_code, second.status_code) == (201, 201)
    assert row == {
        "id": row["id"],
        "type": "local_wallet",
        "type_display": "Local Wallet",
        "display_name": "Shop's wallet",
        "is_default": True,
        "is_enabled": True,
        "is_verified": False,
        "card_brand": "",
        "card_last4": "",
        "card_exp_month": None,
        "card_exp_year": None,
        "created_at": row["created_at"],
    }
    assert second.json()["data"]["display_name"] == "Bank Transfer"
    assert mine(client) == [("local_wallet", True), ("bank_transfer", False)]
    account_a.refresh_from_db()
    assert account_a.payment_method == account_a.default_payment_method == "local_wallet"


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"type": "bank_transfer"}, 409, "saved_method_exists"),
    ({"type": "stripe"}, 400, "invalid_input"),
    ({"type": "paypal"}, 503, "gateway_not_configured"),
    ({"type": "manual"}, 400, "payment_method_not_available"),
    ({"type": "cash"}, 400, "invalid_input"),
    ({}, 400, "invalid_input"),
    ({"type": "local_wallet", "display_name": "x" * 101}, 400, "invalid_input"),
    ({"type": "local_wallet", "display_name": ""}, 400, "invalid_input"),
    ({"type": "local_wallet", "display_name": "a\u202eb"}, 400, "invalid_input"),
    ({"type": "local_wallet", "is_default": True}, 400, "invalid_input"),
    ({"type": "local_wallet", "card_last4": "4242"}, 400, "invalid_input"),
]


def test_what_cannot_be_saved_is_refused_and_changes_nothing(alice: User, as_user: Login, account_a: Account) -> None:
    Account.objects.filter(pk=account_a.pk).update(billing_country="PK")
    client = as_user(alice)
    add(client, type="bank_transfer")
    before = fingerprint()

    for body, status, code in REFUSED:
        response = add(client, **body)

        assert (response.status_code, refusal(response)["code"]) == (status, code), ascii(body)
        assert ("Retry-After" in response) == (status == 503)
    assert fingerprint() == before


def test_another_method_is_made_the_default_and_the_old_one_is_none(
    alice: User, as_user: Login, account_a: Account
) -> None:
    client = as_user(alice)
    _, wallet = added(client, "bank_transfer", "local_wallet")

    response = client.post(f"{METHODS}{wallet}/default/")
    before = fingerprint()
    again = client.post(f"{METHODS}{wallet}/default/")

    assert (response.status_code, response.json()["data"]["is_default"]) == (200, True)
    assert mine(client) == [("bank_transfer", False), ("local_wallet", True)]
    assert (again.status_code, fingerprint()) == (200, before)
    account_a.refresh_from_db()
    assert account_a.payment_method == "local_wallet"
    event = Event.objects.get(type="payment_method.made_default")
    assert (event.actor_id, event.data["type"]) == (alice.pk, "local_wallet")


def test_a_disabled_method_does_not_become_the_default(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    _, wallet = added(client, "bank_transfer", "local_wallet")
    AccountPaymentMethod.objects.filter(pk=wallet).update(is_enabled=False)
    before = fingerprint()

    response = client.post(f"{METHODS}{wallet}/default/")

    assert (response.status_code, refusal(response)["code"]) == (409, "saved_method_disabled")
    assert fingerprint() == before


def test_when_the_default_is_deleted_the_oldest_other_one_takes_its_place(
    alice: User, as_user: Login, account_a: Account
) -> None:
    client = as_user(alice)
    bank, _, desk = added(client, "bank_transfer", "local_wallet", "manual")
    client.post(f"{METHODS}{desk}/default/")
    AccountPaymentMethod.objects.filter(pk=bank).update(is_enabled=False)

    response = client.delete(f"{METHODS}{desk}/")

    assert response.status_code == 200
    assert mine(client) == [("bank_transfer", False), ("local_wallet", True)]
    account_a.refresh_from_db()
    assert account_a.default_payment_method == "local_wallet"
    assert Event.objects.get(type="payment_method.removed").data["type"] == "manual"
    assert client.delete(f"{METHODS}{bank}/").status_code == 200
    assert mine(client) == [("local_wallet", True)]


def test_the_last_method_can_go_and_the_fall_back_stays(alice: User, as_user: Login, account_a: Account) -> None:
    client = as_user(alice)
    [wallet] = added(client, "local_wallet")

    assert client.delete(f"{METHODS}{wallet}/").status_code == 200

    account_a.refresh_from_db()
    assert mine(client) == []
    assert account_a.default_payment_method == "local_wallet"
    assert client.delete(f"{METHODS}{wallet}/").status_code == 404


def test_viewers_and_editors_read_and_write_nothing(bob: User, alice: User, as_user: Login) -> None:
    [bank] = added(as_user(alice), "bank_transfer")
    viewer = as_user(bob)
    before = fingerprint()

    answers = [
        add(viewer, type="local_wallet"),
        viewer.post(f"{METHODS}{bank}/default/"),
        viewer.delete(f"{METHODS}{bank}/"),
    ]

    assert {response.status_code for response in answers} == {403}
    assert mine(viewer) == [("bank_transfer", True)]
    assert fingerprint() == before


def test_ordering_by_a_method_uses_the_row_that_is_there_and_keeps_its_name(alice: User, account_a: Account) -> None:
    saved = add_method(account_a, "local_wallet", "Shop's wallet", alice)
    use_method(account_a, "bank_transfer", "Bank Transfer")

    again = use_method(account_a, "local_wallet", "Wallet")

    assert (again.pk, again.display_name, again.is_default) == (saved.pk, "Shop's wallet", True)
    assert AccountPaymentMethod.objects.filter(account=account_a).count() == 2
    assert AccountPaymentMethod.objects.filter(account=account_a, is_default=True).count() == 1
    assert account_a.payment_method == "local_wallet"
