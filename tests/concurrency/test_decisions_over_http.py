"""The same races through the front door: real server processes, real connections, one barrier."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils.crypto import get_random_string

from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.cases import run_rounds
from tests.concurrency.effects import ALL_REFUNDED, APPROVED, REJECTED, books_of, effects_of
from tests.concurrency.server import Answer, Crowd, Request, Server

CLIENTS = 32
FEW, ROUNDS, ROUNDS_WITH_THE_CONSOLE = 4, 12, 5

pytestmark = pytest.mark.usefixtures("books_balance")


@pytest.fixture
def crowd(server: Server) -> Iterator[Crowd]:
    clients = Crowd(server.port, CLIENTS)
    yield clients
    clients.close()


@pytest.fixture
def bearer(transactional_db: None) -> dict[str, str]:
    """An operator, logged in."""
    return {"Authorization": f"Bearer {open_session(make.operator()).access}"}


def decision(payment: Payment, verb: str, headers: dict[str, str]) -> Request:
    return Request(f"/api/v1/billing/admin/payments/{payment.pk}/{verb}/", headers, json.dumps({"admin_notes": "Seen"}))


def assert_one_decided(answers: list[Answer]) -> Answer:
    """Exactly one 200, all others 409 payment_not_pending; returns the one."""
    accepted = [answer for answer in answers if answer.status == 200]
    refused = {(answer.status, answer.code) for answer in answers if answer.status != 200}
    assert (len(accepted), refused) == (1, {(409, "payment_not_pending")})
    return accepted[0]


@run_rounds(FEW, ROUNDS)
def test_of_32_approvals_exactly_one_succeeds(crowd: Crowd, bearer: dict[str, str], rounds: int) -> None:
    for _ in range(rounds):
        payment = make.submitted_payment()

        answers = crowd.post([decision(payment, "approve", bearer)] * CLIENTS)

        assert_one_decided(answers)
        assert effects_of(payment) == APPROVED


@pytest.mark.stress
def test_of_16_approvals_and_16_rejections_exactly_one_decides(crowd: Crowd, bearer: dict[str, str]) -> None:
    for _ in range(ROUNDS):
        payment = make.submitted_payment()
        both = [decision(payment, "approve", bearer), decision(payment, "reject", bearer)]

        answers = crowd.post(both * (CLIENTS // 2))

        winner = json.loads(assert_one_decided(answers).body)["data"]
        assert effects_of(payment) == (APPROVED if "credits_added" in winner else REJECTED)


@pytest.mark.stress
def test_of_16_approvals_by_api_and_16_by_the_console_exactly_one_decides(crowd: Crowd, bearer: dict[str, str]) -> None:
    for _ in range(ROUNDS_WITH_THE_CONSOLE):
        payment = make.submitted_payment()
        requests = [decision(payment, "approve", bearer), console_decision(payment, "approve")]

        answers = crowd.post(requests * (CLIENTS // 2))

        by_api, by_console = answers[::2], answers[1::2]
        assert {answer.status for answer in by_console} == {303}
        assert {(answer.status, answer.code) for answer in by_api} <= {(200, ""), (409, "payment_not_pending")}
        assert [answer.status for answer in by_api].count(200) <= 1
        assert effects_of(payment) == APPROVED


@pytest.mark.stress
def test_of_32_full_refunds_exactly_one_succeeds(crowd: Crowd, bearer: dict[str, str]) -> None:
    """REF-07."""
    olga = make.operator()
    for _ in range(ROUNDS):
        payment = PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment
        request = Request(f"/api/v1/admin/payments/{payment.pk}/refund/", bearer, json.dumps({"reason": "Race"}))

        answers = crowd.post([request] * CLIENTS)

        refused = {(answer.status, answer.code) for answer in answers if answer.status != 200}
        assert [answer.status for answer in answers].count(200) == 1
        assert refused == {(409, "payment_not_refundable")}
        assert books_of(payment) == ALL_REFUNDED


def console_decision(payment: Payment, decision: str) -> Request:
    """The decision on one selected row, sent by an operator's browser."""
    browser = Browser()
    browser.force_login(make.operator())
    token = get_random_string(32)
    cookies = {settings.SESSION_COOKIE_NAME: browser.cookies[settings.SESSION_COOKIE_NAME].value}
    cookies[settings.CSRF_COOKIE_NAME] = token
    form = {"decision": decision, "payments": payment.pk, "note": "Seen", "csrfmiddlewaretoken": token}
    return Request(
        "/admin/billing/payment/decide/",
        {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())},
        urlencode(form),
        "application/x-www-form-urlencoded",
    )
