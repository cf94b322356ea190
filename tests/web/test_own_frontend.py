"""The example of docs/own-frontend.md in a real browser, on another origin than the API."""

import functools
import json
import re
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import AccountStatus, User
from igny8_core.auth.services.sessions import open_session
from tests import make
from tests.web.browser import browser_page, chromium, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

CHAPTER = Path(django_settings.BASE_DIR) / "docs" / "own-frontend.md"
ADDRESS_OF_THE_SERVER = "http://localhost:8011"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing on the terminal of the tests."""


@pytest.fixture
def frontend(live_server: LiveServer, tmp_path: Path) -> Iterator[str]:
    """The origin that serves the page of the chapter, which asks the test's server."""
    call_command("seed_defaults", verbosity=0)
    examples = re.findall(r"(?ms)^```html\n(.*?)^```$", CHAPTER.read_text(encoding="utf-8"))
    page = examples[0].replace(ADDRESS_OF_THE_SERVER, live_server.url)
    assert page != examples[0]
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def sign_up(page: Page, frontend: str) -> None:
    page.goto(frontend)
    given = {"first_name": "Paula", "last_name": "Khan", "email": "paula@example.com", "password": "long and unusual 7"}
    for name, value in given.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_role("button", name="Sign up").click()


@pytest.mark.stress
@pytest.mark.parametrize(
    ("decision", "said", "told"),
    [
        ("approve", {}, "Approved: 1000 credits are yours."),
        pytest.param(
            "reject",
            {"reason_code": "not_found", "reason": "No such transfer."},
            "Rejected: We did not find this payment on our bank or wallet statement. No such transfer.",
            marks=pytest.mark.stress,
        ),
    ],
)
def test_a_page_on_another_origin_signs_up_confirms_and_sees_what_was_decided(
    decision: str, said: dict[str, str], told: str, frontend: str, live_server: LiveServer, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = [frontend]
    token = open_session(make.operator(email="olga@example.com")).access
    asks: Any = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    waiting, payments = "Thank you. We look for your transfer.", f"{live_server.url}/api/v1/admin/payments/"

    with browser_page() as page:
        sign_up(page, frontend)
        expect(page.get_by_role("status")).to_contain_text("Welcome, Paula: transfer 89.00 USD to ")
        page.get_by_placeholder("Reference of your transfer").fill("BT-20251208-12345")
        page.get_by_role("button", name="I have paid").click()
        expect(page.get_by_role("status")).to_have_text(waiting)
        [payment] = page.request.get(payments, headers=asks).json()["data"]
        assert payment["manual_reference"] == "BT-20251208-12345"
        decided = page.request.post(f"{payments}{payment['id']}/{decision}/", headers=asks, data=json.dumps(said))
        assert decided.status == 200, decided.text()
        expect(page.get_by_role("status")).to_have_text(told)

    is_active = decision == "approve"
    assert (User.objects.get(email="paula@example.com").account.status == AccountStatus.ACTIVE) == is_active  # type: ignore[union-attr]


@pytest.mark.stress
def test_the_page_refreshes_a_token_that_ran_out_and_asks_again(frontend: str, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [frontend]
    asked: list[str] = []

    def spoil_the_first_token(route: Route) -> None:
        tokens = {"authorization": "Bearer of.yesterday"} if not asked else {}
        asked.append(route.request.headers["authorization"])
        route.continue_(headers={**route.request.headers, **tokens})

    with browser_page(answered=(401,)) as page:
        page.route("**/auth/me/", spoil_the_first_token)
        sign_up(page, frontend)
        expect(page.get_by_role("status")).to_contain_text("Welcome, Paula")

    assert len(set(asked)) == 2


def test_a_page_that_is_not_named_gets_no_answer(frontend: str, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://www.example.com"]

    with chromium().in_use() as browser, browser.new_page() as page:
        sign_up(page, frontend)
        expect(page.get_by_role("status")).to_contain_text("Failed to fetch")

    assert not User.objects.exists()
