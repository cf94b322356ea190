"""/metrics: for who holds the token, and for nobody else (FLT-20)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from igny8_core.common import limit_hits
from igny8_core.events.models import Delivery
from tests import make

pytestmark = pytest.mark.django_db

TOKEN = "only-for-this-test"


def figures(settings: Any) -> dict[str, str]:
    settings.METRICS_TOKEN = TOKEN
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    return dict(re.findall(r"(?m)^(igny8_\S+) (\S+)$", response.content.decode()))


def test_it_tells_how_business_and_queues_stand(settings: Any) -> None:
    payment = make.submitted_payment()
    make.credits(payment.account, 70)
    type(payment).objects.update(created_at=timezone.now() - timedelta(hours=1))
    Delivery.objects.update(status="dead", next_attempt_at=None)

    found = figures(settings)

    assert found['igny8_accounts{status="pending_payment"}'] == "1.0"
    assert found['igny8_subscriptions{status="pending_payment"}'] == "1.0"
    assert found["igny8_credits_outstanding"] == "70.0"
    assert found["igny8_payments_to_approve"] == "1.0"
    assert found["igny8_payments_to_review"] == "0.0"
    assert found["igny8_payments_check_due"] == found["igny8_webhooks_due"] == "0.0"
    assert 3600 <= float(found["igny8_payments_to_approve_oldest_seconds"]) < 3660
    assert found["igny8_deliveries_due"] == "0.0"
    assert float(found["igny8_deliveries_given_up"]) == Delivery.objects.count() > 0


def test_it_tells_what_limits_have_refused(settings: Any) -> None:
    for _ in range(3):
        limit_hits.note("register")

    assert figures(settings)['igny8_limit_hits_total{limit="register"}'] == "3.0"


def test_an_empty_installation_has_figures_too(settings: Any) -> None:
    assert figures(settings)["igny8_payments_to_approve_oldest_seconds"] == "0.0"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", TOKEN, f"bearer {TOKEN}", f"Bearer {TOKEN} "]
)
def test_without_the_token_there_is_no_such_page(settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN

    response = Client().get("/metrics", headers={"Authorization": header})

    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer None"])
def test_without_a_token_in_the_settings_nobody_gets_it(settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = ""

    assert Client().get("/metrics", headers={"Authorization": header}).status_code == 404
