"""Every denial leaves one line that says who asked for what."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import AccountStatus, User
from tests import make

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[tuple[object, object, object, object]]:
    found = [record for record in caplog.records if record.getMessage() == event]
    return [(line.user, line.account, line.method, line.path) for line in found]  # type: ignore[attr-defined]


def test_asking_for_another_accounts_object_is_logged(
    alice: User, charlie: User, as_user: Login, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"/api/v1/billing/invoices/{make.invoice(charlie.account).pk}/"

    as_user(alice).get(path)

    assert lines(caplog, "malicious_direct_reference") == [(alice.pk, alice.account_id, "GET", path)]


def test_a_role_that_may_not_is_logged(bob: User, as_user: Login, caplog: pytest.LogCaptureFixture) -> None:
    path = "/api/v1/billing/admin/payments/confirm/"

    as_user(bob).post(path, {}, format="json")

    assert lines(caplog, "authz_fail") == [(bob.pk, bob.account_id, "POST", path)]


def test_a_feature_before_payment_is_logged(as_user: Login, caplog: pytest.LogCaptureFixture) -> None:
    paula = make.owner({"status": AccountStatus.PENDING_PAYMENT})
    body = {"name": "Shop", "industry": make.industry().pk}

    as_user(paula).post("/api/v1/sites/", body, format="json")

    assert lines(caplog, "sequence_fail") == [(paula.pk, paula.account_id, "POST", "/api/v1/sites/")]


def test_an_address_that_is_none_and_a_success_are_not_logged(
    alice: User, as_user: Login, caplog: pytest.LogCaptureFixture
) -> None:
    client = as_user(alice)

    client.get("/api/v1/nothing/here/")
    client.get("/api/v1/auth/me/")

    assert lines(caplog, "malicious_direct_reference") == []
