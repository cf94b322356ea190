"""Links in mails: for one purpose, once, for a while; and nothing tells who is a customer (AUT-02, 11 to 13)."""

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.errors import InvalidLink
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services.invitations import invitation_token, invite
from igny8_core.auth.services.mailed_tokens import Purpose, link_token, user_of_link
from igny8_core.auth.services.sessions import open_session
from igny8_core.common.rate_limits import parse_rate
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

ASK = "/api/v1/auth/password/reset/"
CONFIRM = "/api/v1/auth/password/reset/confirm/"
VERIFY = "/api/v1/auth/email/verify/"
RESEND = "/api/v1/auth/email/verify/resend/"
NEW = "a wholly different phrase"
Login = Callable[[User], APIClient]


def post(path: str, **body: Any) -> Any:
    return APIClient().post(path, body, format="json", HTTP_X_REQUEST_ID="same-request-id")


def token_of(user: User, purpose: Purpose = Purpose.RESET) -> str:
    return link_token(User.objects.get(pk=user.pk), purpose, timezone.now())


def can_log_in(email: str, password: str) -> bool:
    return bool(post("/api/v1/auth/login/", email=email, password=password).status_code == 200)


# --- Asking for a new password ------------------------------------------------------------------------------------


@pytest.fixture
def strangers(alice: User) -> list[str]:
    make.user(email="inactive@example.com", is_active=False)
    make.user(email="unusable@example.com", password=None)
    return ["alice@example.com", "inactive@example.com", "unusable@example.com", "nobody@example.com"]


def test_asking_gets_the_same_answer_whoever_it_is(strangers: list[str]) -> None:
    answers = [post(ASK, email=email) for email in strangers]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.items())) for answer in answers}) == 1


def test_asking_runs_the_same_statements_and_leaves_the_same_row_whoever_it_is(
    strangers: list[str], statements: list[str]
) -> None:
    work = []
    for email in strangers:
        del statements[:]
        post(ASK, email=email)
        work.append(tuple(sql for sql in statements if not sql.startswith(("PREPARE", "SAVEPOINT", "RELEASE"))))

    assert len(set(work)) == 1
    rows = Event.objects.filter(type="user.password_reset_requested")
    assert [row.account_id for row in rows] == [None] * 4
    assert [row.data for row in rows] == [{}] * 4
    assert sorted(row.deliveries.get().consumer for row in rows) == ["account_email"] * 4


def test_no_row_of_any_table_holds_a_token_or_an_address_that_is_nobodys(alice: User) -> None:
    for email in ("alice@example.com", "nobody.at.all@example.com"):
        post(ASK, email=email)
    event = Event.objects.filter(type="user.password_reset_requested", object_id=str(alice.pk)).get()
    token = link_token(alice, Purpose.RESET, event.created_at)

    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" r WHERE r::text ~ %s', [f"nobody.at.all|{token[-40:]}"])
            assert cursor.fetchone() == (0,), table


def test_nobody_asks_away_the_turns_of_others(alice: User, settings: Any, throttling: None) -> None:
    limit = parse_rate(settings.RATE_LIMITS["reset_network"][0]).limit

    def ask(email: str, address: str) -> int:
        answer = APIClient().post(ASK, {"email": email}, format="json", REMOTE_ADDR=address)
        return int(answer.status_code)

    for number in range(20):
        ask("alice@example.com", f"198.51.{number}.1")
    by_network = [ask(f"user{number}@example.com", "203.0.113.9") for number in range(limit + 1)]

    assert by_network == [200] * limit + [429]
    assert ask("alice@example.com", "192.0.2.1") == 200


# --- Setting it ---------------------------------------------------------------------------------------------------


def test_the_token_sets_a_new_password_and_ends_every_session(alice: User, as_user: Login) -> None:
    client, refresh = as_user(alice), open_session(alice).refresh

    answer = post(CONFIRM, token=token_of(alice), new_password=NEW)

    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert client.get("/api/v1/auth/me/").status_code == 401
    assert post("/api/v1/auth/refresh/", refresh=refresh).status_code == 401
    assert {session.ended_reason for session in LoginSession.objects.all()} == {"password_reset"}
    assert can_log_in("alice@example.com", NEW)
    assert not can_log_in("alice@example.com", make.PASSWORD)
    event = Event.objects.get(type="user.password_reset")
    assert (event.account_id, event.actor_id, event.data) == (alice.account_id, alice.pk, {})


def test_who_got_the_mail_has_proven_the_address(alice: User) -> None:
    post(CONFIRM, token=token_of(alice), new_password=NEW)

    alice.refresh_from_db()
    assert alice.email_verified_at


def test_a_token_works_once(alice: User) -> None:
    token = token_of(alice)
    assert post(CONFIRM, token=token, new_password=NEW).status_code == 200
    before = fingerprint()

    again = post(CONFIRM, token=token, new_password="yet another long phrase")

    assert again.status_code == 410
    assert refusal(again)["code"] == "link_expired"
    assert fingerprint() == before


def test_the_same_password_again_uses_the_token_up_too(alice: User) -> None:
    token = token_of(alice)

    codes = [post(CONFIRM, token=token, new_password=make.PASSWORD).status_code for _ in range(2)]

    assert codes == [200, 410]


@pytest.mark.parametrize(("seconds", "code"), [(3599, 200), (3600, 410), (3601, 410)])
def test_a_token_works_for_sixty_minutes(alice: User, seconds: int, code: int) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        token = token_of(alice)
        clock.shift(timedelta(seconds=seconds))

        assert post(CONFIRM, token=token, new_password=NEW).status_code == code
    assert can_log_in("alice@example.com", NEW) == (code == 200)


@pytest.mark.parametrize(
    "change", [{"email": "alice@other.example"}, {"is_active": False}, {"password": "argon2$other"}]
)
def test_a_token_dies_with_the_state_that_it_was_made_in(alice: User, change: dict[str, Any]) -> None:
    token = token_of(alice)
    User.objects.filter(pk=alice.pk).update(**change)
    before = fingerprint()

    answer = post(CONFIRM, token=token, new_password=NEW)

    assert answer.status_code == 410
    assert fingerprint() == before


def test_a_weak_password_is_refused_and_the_token_stays_good(alice: User) -> None:
    token = token_of(alice)

    weak = post(CONFIRM, token=token, new_password="short")

    assert (weak.status_code, list(refusal(weak)["errors"])) == (400, ["new_password"])
    assert post(CONFIRM, token=token, new_password=NEW).status_code == 200


@pytest.mark.parametrize("token", ["x", " ", "a.b", "a.b.c", "eyJ1c2VyIjoxfQ.", ".", "é", "0" * 4096, "\u202e"])
def test_what_we_never_sent_is_one_and_the_same_400(alice: User, token: str) -> None:
    answers = [post(path, token=token, new_password=NEW) for path in (CONFIRM,)]
    answers.append(post(VERIFY, token=token))

    assert {answer.status_code for answer in answers} == {400}
    assert {refusal(answer)["code"] for answer in answers} == {"invalid_link"}
    assert can_log_in("alice@example.com", make.PASSWORD)


@pytest.mark.parametrize("token", ["", None, 0, [], {}, True, "x" * 4097])
def test_no_token_is_400(alice: User, token: Any) -> None:
    assert post(CONFIRM, token=token, new_password=NEW).status_code == 400
    assert post(VERIFY, token=token).status_code == 400


def test_a_token_that_was_changed_in_any_place_is_none(alice: User) -> None:
    token = token_of(alice)
    other = {"A": "B"}

    for place in range(len(token)):
        changed = token[:place] + other.get(token[place], "A") + token[place + 1 :]
        assert post(CONFIRM, token=changed, new_password=NEW).status_code == 400, place


@pytest.mark.stress
def test_ten_thousand_guesses_find_nothing(alice: User) -> None:
    head = token_of(alice).rpartition(":")[0]

    for _ in range(10_000):
        with pytest.raises(InvalidLink):
            user_of_link(f"{head}:{secrets.token_urlsafe(32)}", Purpose.RESET)


def test_trying_tokens_is_limited_per_network_over_all_kinds(settings: Any, throttling: None) -> None:
    limit = parse_rate(settings.RATE_LIMITS["token"][0]).limit
    accept = "/api/v1/account/team/invitations/accept/"

    within = [post([CONFIRM, VERIFY, accept][number % 3], token="x").status_code for number in range(limit)]
    over = [post(path, token="x").status_code for path in (CONFIRM, VERIFY, accept)]

    assert 429 not in within
    assert over == [429] * 3


# --- AUT-02: all pairs of purposes --------------------------------------------------------------------------------


def test_a_token_of_one_purpose_is_nothing_to_any_other(alice: User) -> None:
    invitation = invite(alice.account, alice, email="new@example.com", role="viewer", site_ids=[])
    pair = open_session(alice)
    person = {"password": NEW, "password_confirm": NEW, "first_name": "N", "last_name": "N"}
    tokens = {
        "reset": token_of(alice),
        "verify": token_of(alice, Purpose.VERIFICATION),
        "invitation": invitation_token(invitation),
        "access": pair.access,
        "refresh": pair.refresh,
    }
    uses: dict[str, tuple[Callable[[str], Any], int]] = {
        "reset": (lambda token: post(CONFIRM, token=token, new_password=NEW), 400),
        "verify": (lambda token: post(VERIFY, token=token), 400),
        "invitation": (lambda token: post("/api/v1/account/team/invitations/accept/", token=token, **person), 404),
        "access": (lambda token: APIClient().get("/api/v1/auth/me/", HTTP_AUTHORIZATION=f"Bearer {token}"), 401),
        "refresh": (lambda token: post("/api/v1/auth/refresh/", refresh=token), 401),
    }
    before = fingerprint()

    for made_for, token in tokens.items():
        for used_as, (use, refused) in uses.items():
            if used_as != made_for:
                assert use(token).status_code == refused, f"{made_for} as {used_as}"

    assert fingerprint() == before
    for name in ("access", "refresh", "invitation", "verify", "reset"):
        assert uses[name][0](tokens[name]).status_code == 200, name


# --- Verifying an address -----------------------------------------------------------------------------------------


def test_the_mailed_token_verifies_the_address_once(alice: User, as_user: Login) -> None:
    client, token = as_user(alice), token_of(alice, Purpose.VERIFICATION)
    assert client.get("/api/v1/auth/me/").json()["data"]["user"]["email_verified"] is False

    codes = [post(VERIFY, token=token).status_code for _ in range(2)]

    assert codes == [200, 410]
    assert client.get("/api/v1/auth/me/").json()["data"]["user"]["email_verified"] is True
    assert Event.objects.get(type="user.email_verified").actor_id == alice.pk


@pytest.mark.parametrize(("days", "code"), [(2, 200), (3, 410)])
def test_a_verification_works_for_three_days(alice: User, days: int, code: int) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        token = token_of(alice, Purpose.VERIFICATION)
        clock.shift(timedelta(days=days))

        assert post(VERIFY, token=token).status_code == code


def test_a_token_for_the_old_address_does_not_verify_the_new_one(alice: User) -> None:
    token = token_of(alice, Purpose.VERIFICATION)
    User.objects.filter(pk=alice.pk).update(email="alice@other.example")

    assert post(VERIFY, token=token).status_code == 410
    alice.refresh_from_db()
    assert alice.email_verified_at is None


def test_the_mail_can_be_asked_for_again_until_it_is_not_needed(alice: User, as_user: Login) -> None:
    client = as_user(alice)

    assert client.post(RESEND).status_code == 200
    event = Event.objects.get(type="user.verification_requested")
    assert event.deliveries.get().consumer == "account_email"
    User.objects.filter(pk=alice.pk).update(email_verified_at=timezone.now())
    before = fingerprint()
    refused = client.post(RESEND)

    assert (refused.status_code, json.loads(refused.content)["code"]) == (409, "email_already_verified")
    assert fingerprint() == before


def test_asking_for_it_again_is_limited_per_person(
    alice: User, as_user: Login, settings: Any, throttling: None
) -> None:
    limit = parse_rate(settings.RATE_LIMITS["verify"][0]).limit
    client = as_user(alice)

    assert [client.post(RESEND).status_code for _ in range(limit + 1)] == [200] * limit + [429]
