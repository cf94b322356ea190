"""Frontends on other origins: what their browsers are told, in answers and refusals alike."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.api import sessions
from igny8_core.auth.models import User
from igny8_core.common.checks import api_routes

pytestmark = pytest.mark.django_db

FRONTEND = "https://shop.example.com"
ALLOW = "Access-Control-Allow-Origin"
SENT_BY_FRONTENDS = "authorization,content-type,idempotency-key,if-none-match,x-request-id"


@pytest.fixture(autouse=True)
def let_in(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRONTEND]


@pytest.fixture
def page() -> Client:
    """A browser that shows the frontend's page."""
    return Client(raise_request_exception=False, HTTP_ORIGIN=FRONTEND)


def list_of(response: HttpResponse, header: str) -> set[str]:
    return set(response.headers.get(header, "").lower().split(", "))


def require_readable(response: HttpResponse, status: int) -> None:
    assert response.status_code == status
    assert response[ALLOW] == FRONTEND
    assert {"etag", "retry-after", "x-request-id", "content-disposition"} <= list_of(
        response, "Access-Control-Expose-Headers"
    )
    assert "Access-Control-Allow-Credentials" not in response
    assert "origin" in list_of(response, "Vary")


def test_a_preflight_is_answered_on_every_address_without_a_login(page: Client) -> None:
    addresses = [f"/{route}".replace("<path:address>", "v1/nothing/") for route, _ in api_routes()]

    assert len(addresses) > 90
    # It is answered before the address is looked at: with one method at each, in turn.
    for address, method in zip(addresses, cycle(["GET", "POST", "PATCH", "DELETE"]), strict=False):
        asked = {
            "HTTP_ACCESS_CONTROL_REQUEST_METHOD": method,
            "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": SENT_BY_FRONTENDS,
        }
        response = page.options(address, **asked)
        assert (response.status_code, response.content) == (200, b""), address
        assert response[ALLOW] == FRONTEND
        assert method.lower() in list_of(response, "Access-Control-Allow-Methods")
        assert set(SENT_BY_FRONTENDS.split(",")) <= list_of(response, "Access-Control-Allow-Headers")
        assert "Access-Control-Allow-Credentials" not in response


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET", "path": "/api/v1/auth/me/"}, 401),
        ({"method": "GET", "path": "/api/v1/auth/me/", "HTTP_AUTHORIZATION": "Bearer no.such.token"}, 401),
        ({"method": "GET", "path": "/api/v1/nothing/"}, 404),
        ({"method": "GET", "path": "/api/v1/auth/me"}, 404),
        ({"method": "GET", "path": "/api/v1/auth/login/"}, 405),
        ({"method": "GET", "path": "/api/v1/auth/me/", "HTTP_ACCEPT": "text/csv"}, 406),
        ({"method": "POST", "path": "/api/v1/auth/login/", "CONTENT_LENGTH": "99999999"}, 413),
        ({"method": "POST", "path": "/api/v1/auth/login/", "content_type": "text/plain"}, 415),
        ({"method": "POST", "path": "/api/v1/auth/login/", "QUERY_STRING": "x=%00"}, 400),
        ({"method": "POST", "path": "/api/v1/auth/login/", "HTTP_HOST": "evil.example.com"}, 400),
    ],
)
def test_a_page_can_read_every_refusal(page: Client, request_: dict[str, Any], status: int) -> None:
    response = page.generic(**{"data": "{}", "content_type": "application/json", **request_})

    require_readable(response, status)  # type: ignore[arg-type]


def test_a_page_can_read_that_it_asked_too_often(page: Client, throttling: None) -> None:
    wrong = {"email": "nobody@example.com", "password": "not the password"}
    answers = [page.post("/api/v1/auth/login/", wrong, content_type="application/json") for _ in range(12)]

    require_readable(answers[-1], 429)  # type: ignore[arg-type]
    assert answers[-1]["Retry-After"]


@pytest.mark.parametrize(("fault", "status"), [(RuntimeError("a fault"), 500), (OperationalError("gone"), 503)])
def test_a_page_can_read_that_something_broke(
    page: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int
) -> None:
    def broken(**given: Any) -> None:
        raise fault

    monkeypatch.setattr(sessions, "log_in", broken)

    sent = {"email": "a@example.com", "password": "x"}
    require_readable(page.post("/api/v1/auth/login/", sent, content_type="application/json"), status)  # type: ignore[arg-type]


def test_a_page_can_read_what_it_asked_for(alice: User, as_user: Callable[[User], APIClient]) -> None:
    response = as_user(alice).get("/api/v1/auth/me/", HTTP_ORIGIN=FRONTEND)

    require_readable(response, 200)


@pytest.mark.parametrize(
    "address", ["/", "/admin/login/", "/healthz/", "/pay/forged/", "/nothing/", "/apis/", "/metrics"]
)
def test_only_the_api_is_for_other_origins(page: Client, address: str) -> None:
    for response in (page.get(address), page.options(address, HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET")):
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "origin",
    [
        *("https://shop.example.com.evil.example", "http://shop.example.com", "https://shop.example.com:444"),
        *("https://shop.example.com@evil.example", "null", "*", "https://a.shop.example.com", "https://["),
    ],
)
def test_an_origin_that_only_looks_like_it_is_not_let_in(origin: str) -> None:
    response = Client(HTTP_ORIGIN=origin).get("/api/v1/nothing/")

    assert response.status_code == 404
    assert ALLOW not in response
