"""The security log: every refusal and every change of rights leaves one line with OWASP's name for it (ADM-05)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

import igny8_core
from igny8_core.auth.errors import InvalidCredentials
from igny8_core.auth.models import Role, User
from igny8_core.auth.services.memberships import change_role
from igny8_core.auth.services.sessions import log_in, open_session, rotate_session
from igny8_core.common.security_log import EVENTS, security_event
from igny8_core.events import registry
from tests import make

ROOT = Path(igny8_core.__file__).parent
ALERTS = ROOT.parent / "docs" / "alerts.md"
AGENT = "curl/8.5"

Committed = Callable[..., Any]


def told(caplog: pytest.LogCaptureFixture, event: str) -> list[Any]:
    return [record for record in caplog.records if record.getMessage() == event]


@pytest.fixture(autouse=True)
def everything_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="igny8_core.security")


def attempt(email: str, password: str, **extra: Any) -> int:
    body = {"email": email, "password": password}
    return int(APIClient().post("/api/v1/auth/login/", body, format="json", HTTP_USER_AGENT=AGENT, **extra).status_code)


def test_a_login_leaves_a_line_with_person_network_program_and_outcome(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    assert attempt(alice.email, make.PASSWORD) == 200
    assert attempt(alice.email, "wrong password", REMOTE_ADDR="203.0.113.9") == 401

    (good,) = told(caplog, "authn_login_success")
    assert (good.user, good.account, good.network, good.agent) == (alice.pk, alice.account_id, "127.0.0.1", AGENT)
    assert (good.outcome, good.door, good.levelname) == ("success", "api", "INFO")
    (bad,) = told(caplog, "authn_login_fail")
    assert (bad.user, bad.network, bad.outcome, bad.levelname) == (alice.pk, "203.0.113.9", "failure", "WARNING")


@pytest.mark.django_db
def test_a_spray_of_unknown_addresses_leaves_a_line_each_and_no_address(caplog: pytest.LogCaptureFixture) -> None:
    for number in range(5):
        assert attempt(f"nobody{number}@example.com", "wrong password") == 401
    attempt("nobody0@example.com", "wrong password")

    lines = told(caplog, "authn_login_fail")
    assert [line.network for line in lines] == ["127.0.0.1"] * 6
    marks = [line.address_mark for line in lines]
    assert len(set(marks)) == 5
    assert marks[0] == marks[5]
    assert "nobody" not in str([vars(line) for line in lines])


def test_pages_and_console_tell_of_logins_too(olga: User, alice: User, caplog: pytest.LogCaptureFixture) -> None:
    Client().post("/login", {"email": alice.email, "password": make.PASSWORD})
    Client().post("/login", {"email": alice.email, "password": "wrong password"})
    Client().post("/admin/login/", {"username": olga.email, "password": make.PASSWORD})
    Client().post("/admin/login/", {"username": alice.email, "password": make.PASSWORD})  # a customer
    Client().post("/admin/login/", {"username": olga.email, "password": "wrong password"})

    assert [(line.user, line.door) for line in told(caplog, "authn_login_success")] == [
        (alice.pk, "pages"),
        (olga.pk, "console"),
    ]
    assert len(told(caplog, "authn_login_fail")) == 3


def test_a_token_that_is_used_again_is_told(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    old = open_session(alice).refresh
    rotate_session(old)
    with pytest.raises(Exception, match="no longer valid"):
        rotate_session(old)

    (line,) = told(caplog, "authn_token_reuse")
    assert (line.user, line.account, line.outcome) == (alice.pk, alice.account_id, "denied")


@pytest.mark.django_db(transaction=True)
def test_a_changed_password_is_told_and_a_refused_change(as_user: Any, caplog: pytest.LogCaptureFixture) -> None:
    alice = make.owner()
    for current in ("wrong password", make.PASSWORD):
        body = {"current_password": current, "new_password": "long and unusual 7"}
        as_user(alice).post("/api/v1/auth/password/change/", body, format="json")

    assert [line.user for line in told(caplog, "authn_password_change_fail")] == [alice.pk]
    (line,) = told(caplog, "authn_password_change")
    assert (line.user, line.network, line.outcome) == (alice.pk, "127.0.0.1", "success")


def test_what_changes_rights_is_told_once_it_is_committed(
    alice: User, bob: User, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Committed
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as committed:
        assert alice.account
        change_role(alice.account, bob.pk, Role.EDITOR, alice)
        assert told(caplog, "privilege_permissions_changed") == []

    (line,) = told(caplog, "privilege_permissions_changed")
    assert (line.user, line.event, line.about) == (alice.pk, "member.role_changed", f"igny8_auth.user {bob.pk}")
    assert len(committed) == 1


def test_an_operator_who_gets_more_rights_is_told_of_as_a_change_of_rights() -> None:
    assert registry.security_name("user.updated", {"changed": ["is_superuser"]}) == "privilege_permissions_changed"
    assert registry.security_name("user.updated", {"changed": ["first_name"]}) == "user_updated"


@pytest.mark.usefixtures("throttling")
def test_a_limit_that_is_hit_is_told(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    while attempt(alice.email, "wrong password") != 429:
        pass

    found = {(line.scope, line.network, line.outcome) for line in told(caplog, "excess_rate_limit_exceeded")}
    assert found == {("login_place", "127.0.0.1", "denied")}


def test_the_console_tells_of_who_may_not(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    olga = make.operator(email="only@example.com", is_superuser=False)
    console = Client(enforce_csrf_checks=True)
    console.force_login(olga)
    console.get("/admin/igny8_auth/user/add/")
    console.post("/admin/login/", {})

    reasons = [(line.user, getattr(line, "reason", "")) for line in told(caplog, "authz_fail")]
    assert (olga.pk, "csrf") in reasons


def test_input_that_is_refused_is_told(alice: User, as_user: Any, caplog: pytest.LogCaptureFixture) -> None:
    as_user(alice).patch("/api/v1/auth/me/", {"first_name": 7}, format="json")

    (line,) = told(caplog, "input_validation_fail")
    assert (line.user, line.code, line.outcome, line.levelname) == (alice.pk, "invalid_input", "failure", "INFO")


def test_outside_of_a_request_a_line_has_no_network(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidCredentials):
        log_in(alice.email, "wrong password")

    assert told(caplog, "authn_login_fail")[0].network == ""


def test_a_name_that_is_none_of_owasps_is_refused() -> None:
    with pytest.raises(ValueError, match="authn_login_failed"):
        security_event("authn_login_failed", "failure")


# --- What the page on alerts says -----------------------------------------------------------------------------------


def source() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))


def test_the_page_on_alerts_lists_every_event_of_the_security_log_as_the_code_says_it() -> None:
    page = ALERTS.read_text(encoding="utf-8")

    assert [name for name, sentence in EVENTS.items() if f"| `{name}` | {sentence} |" not in page] == []
    assert set(re.findall(r"^\| `([a-z]+_[a-z_]+)` \|", page, re.MULTILINE)) - set(EVENTS) == set()


def test_what_the_page_on_alerts_names_is_what_the_code_writes() -> None:
    page, code = ALERTS.read_text(encoding="utf-8"), source()
    metrics = set(re.findall(r"`(igny8_[a-z_]+)(?:[ {`])", page))
    lines = set(re.findall(r"^\| “([^”]+)” \|", page, re.MULTILINE))

    assert len(metrics) > 10
    assert len(lines) > 10
    written = {name for name in metrics if f'"{name}"' in code or f'"{name.removesuffix("_oldest_seconds")}"' in code}
    assert metrics - written == set()
    assert [line for line in lines if f'"{line}"' not in code] == []


def test_every_error_that_the_code_logs_is_on_the_page_on_alerts() -> None:
    page = ALERTS.read_text(encoding="utf-8")
    errors = set(re.findall(r"logger\.error\(\s*\"([^\"%]+)\"", source()))

    assert len(errors) > 10
    assert [error for error in errors if f"“{error}”" not in page] == []


def test_every_event_of_the_security_log_is_written_somewhere() -> None:
    code = source()

    assert [name for name in EVENTS if code.count(f'"{name}"') < 2] == []
