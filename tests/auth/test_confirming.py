"""What hurts asks once more who it is, in this login alone, and tells programs what to do (AUT-32)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.second_factor import reset_second_factor
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import Payment, PaymentMethodConfig
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.auth.devices import give_second_factor

pytestmark = pytest.mark.django_db

CONFIRM = "/api/v1/auth/confirm/"
ADMIN = "/api/v1/admin/"
Ask = Callable[[APIClient], Any]


@pytest.fixture(autouse=True)
def as_in_production(settings: Any) -> None:
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    settings.CONFIRM_APPROVALS_ABOVE = {"USD": Decimal(1000)}


def in_an_old_login(person: User) -> APIClient:
    """A login of ten minutes ago, which is still good."""
    with time_machine.travel(timezone.now() - timedelta(minutes=10), tick=False):
        pair = open_session(person)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {pair.access}")


def refund(client: APIClient) -> Any:
    payment = make.submitted_payment(make.invoice())
    PaymentService.approve_manual_payment(payment, make.operator())
    return client.post(f"{ADMIN}payments/{payment.pk}/refund/", {"reason": "Asked for it"}, format="json")


def new_payee(client: APIClient) -> Any:
    sent = {"country_code": "*", "payment_method": "bank_transfer", "display_name": "Bank", "bank_name": "Thief Bank"}
    return client.post(f"{ADMIN}payment-methods/", sent, format="json")


def other_payee(client: APIClient) -> Any:
    return client.patch(f"{ADMIN}payment-methods/{make.payment_method().pk}/", {"bank_name": "Other"}, format="json")


def no_payee(client: APIClient) -> Any:
    return client.delete(f"{ADMIN}payment-methods/{make.payment_method().pk}/")


def approve(client: APIClient, amount: str = "1000.01") -> Any:
    payment = make.submitted_payment(make.invoice())
    Payment.objects.filter(pk=payment.pk).update(amount=Decimal(amount))
    return client.post(f"{ADMIN}payments/{payment.pk}/approve/", {}, format="json")


def second_factor(client: APIClient) -> Any:
    return client.post("/api/v1/auth/second-factor/")


ASKED: list[Ask] = [refund, new_payee, other_payee, no_payee, approve, second_factor]


@pytest.mark.parametrize("ask", ASKED)
def test_what_hurts_is_done_once_the_person_has_confirmed(olga: User, ask: Ask) -> None:
    client = in_an_old_login(olga)

    refused = ask(client)
    confirmed = client.post(CONFIRM, {"password": make.PASSWORD}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert "/api/v1/auth/confirm/" in refused.json()["message"]
    assert confirmed.status_code == 200
    # An amount that the invoice does not have is another matter.
    assert ask(client).status_code in ({200, 201} if ask is not approve else {200, 409})


def test_a_fresh_login_counts_and_neither_lasts_nor_serves_another_login(olga: User) -> None:
    old = in_an_old_login(olga)
    fresh = APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(olga).access}")

    assert (refund(fresh).status_code, refund(old).status_code) == (200, 403)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        assert refund(fresh).status_code == 403
    assert fresh.post(CONFIRM, {"password": make.PASSWORD}, format="json").status_code == 200
    assert refund(old).status_code == 403


def test_small_amounts_and_what_moves_no_money_are_not_asked_for(olga: User) -> None:
    client = in_an_old_login(olga)
    method = make.payment_method()

    assert approve(client, "89.00").status_code == 200
    hidden = client.patch(f"{ADMIN}payment-methods/{method.pk}/", {"is_enabled": False}, format="json")
    assert (hidden.status_code, PaymentMethodConfig.objects.get(pk=method.pk).is_enabled) == (200, False)


@pytest.mark.parametrize(
    ("sent", "field"), [({}, "password"), ({"password": "wrong"}, "password"), ({"otp": "123456"}, "otp")]
)
def test_nothing_is_confirmed_by_what_is_wrong(olga: User, sent: dict[str, str], field: str) -> None:
    client = in_an_old_login(olga)

    answer = client.post(CONFIRM, sent, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert refund(client).status_code == 403


def test_a_code_of_the_device_confirms_as_well(olga: User) -> None:
    device = give_second_factor(olga)
    client = in_an_old_login(olga)

    assert client.post(CONFIRM, {"otp": "000000"}, format="json").status_code == 400
    assert client.post(CONFIRM, {"otp": device.code()}, format="json").status_code == 200
    assert refund(client).status_code == 200


@pytest.mark.usefixtures("throttling")
def test_guesses_at_the_password_are_counted(olga: User) -> None:
    client = in_an_old_login(olga)

    answers = [client.post(CONFIRM, {"password": "wrong"}, format="json") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_an_owner_who_has_confirmed_transfers_and_deletes_without_the_password(alice: User, bob: User) -> None:
    client, transfer = in_an_old_login(alice), "/api/v1/account/transfer-ownership/"

    refused = client.post(transfer, {"user": bob.pk}, format="json")
    client.post(CONFIRM, {"password": make.PASSWORD}, format="json")
    done = client.post(transfer, {"user": bob.pk}, format="json")
    deleted = in_an_old_login(bob).post("/api/v1/account/delete/", {"password": make.PASSWORD}, format="json")

    assert (refused.json()["code"], done.status_code, deleted.status_code) == ("confirmation_required", 200, 200)


def test_where_confirmations_are_off_the_password_is_needed(alice: User, settings: Any) -> None:
    settings.CONFIRMATION_AGE = timedelta(0)

    answer = in_an_old_login(alice).post("/api/v1/account/delete/", {}, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["password"])


def test_a_second_factor_is_switched_off_after_a_confirmation_alone(alice: User, olga: User) -> None:
    device = give_second_factor(alice)
    client = in_an_old_login(alice)

    refused = client.delete("/api/v1/auth/second-factor/")
    client.post(CONFIRM, {"otp": device.code()}, format="json")

    assert refused.json()["code"] == "confirmation_required"
    assert client.delete("/api/v1/auth/second-factor/").status_code == 200
    with pytest.raises(Exception, match="no second factor"):
        reset_second_factor(User.objects.get(pk=alice.pk), olga)
