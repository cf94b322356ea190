"""Tokens: only ours, only for their purpose, only while the session lives (AUT-01 to AUT-08)."""

import base64
import json
import logging
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, LoginSession, Role, User
from igny8_core.auth.services.sessions import TokenPair, open_session
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db

ME, REFRESH, LOGOUT = "/api/v1/auth/me/", "/api/v1/auth/refresh/", "/api/v1/auth/logout/"
KEY: str = settings.SIMPLE_JWT["SIGNING_KEY"]


def me(token: str) -> Any:
    return APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {token}")


def refresh(token: str, browser: str = "") -> Any:
    return APIClient().post(REFRESH, {"refresh": token}, format="json", HTTP_USER_AGENT=browser)


def log_out(token: str) -> Any:
    return APIClient().post(LOGOUT, {"refresh": token}, format="json")


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# --- AUT-01: crafted tokens ---------------------------------------------------------------------------------------


def crafted(good: str) -> dict[str, str]:
    """Tokens that we never made, and tokens with our signature that are good for nothing."""
    return forged(good) | misplaced(good)


def forged(good: str) -> dict[str, str]:
    """Tokens with the claims of a good one and without our signature."""
    ours = claims(good)
    header, payload, signature = good.split(".")
    unsigned = [{"alg": name, "typ": "JWT"} for name in ("none", "None", "NONE", "nOnE", "", None, [], {}, 0)]
    return {
        **{f"unsigned {head['alg']!r}": f"{part(head)}.{payload}." for head in unsigned},
        **{f"our signature, {head['alg']!r}": f"{part(head)}.{payload}.{signature}" for head in unsigned},
        "HS384": jwt.encode(ours, KEY, "HS384"),
        "HS512": jwt.encode(ours, KEY, "HS512"),
        "RS256 header": f"{part({'alg': 'RS256'})}.{payload}.{signature}",
        "ES256 header": f"{part({'alg': 'ES256'})}.{payload}.{signature}",
        "EdDSA header": f"{part({'alg': 'EdDSA'})}.{payload}.{signature}",
        "wrong key": jwt.encode(ours, "x" * 64, "HS256"),
        "key of Django": jwt.encode(ours, settings.SECRET_KEY, "HS256"),
        "public word": jwt.encode(ours, "secret" * 8, "HS256"),
        "kid path": jwt.encode(ours, "x" * 64, "HS256", headers={"kid": "../../../../dev/null"}),
        "kid SQL": jwt.encode(ours, "x" * 64, "HS256", headers={"kid": "x' UNION SELECT 'x"}),
        "jku": jwt.encode(ours, "x" * 64, "HS256", headers={"jku": "https://evil.example.com/jwks"}),
        "x5u": jwt.encode(ours, "x" * 64, "HS256", headers={"x5u": "https://evil.example.com/cert"}),
        "jwk": jwt.encode(ours, "x" * 64, "HS256", headers={"jwk": {"kty": "oct", "k": part(b"x" * 64)}}),
        "zip": f"{part({'alg': 'HS256', 'zip': 'DEF'})}.{payload}.{signature}",
        "crit": f"{part({'alg': 'HS256', 'crit': ['exp'], 'exp': 1})}.{payload}.{signature}",
        "b64 false": f"{part({'alg': 'HS256', 'b64': False, 'crit': ['b64']})}.{payload}.{signature}",
        "other user": f"{header}.{part({**ours, 'sub': '1'})}.{signature}",
        "other session": f"{header}.{part({**ours, 'sid': str(uuid.uuid4())})}.{signature}",
        "longer life": f"{header}.{part({**ours, 'exp': 9999999999})}.{signature}",
        "cut signature": good[:-2],
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.x",
        "padded": good + "==",
        "doubled": good + good,
        "deep header": f"{part(b'[' * 2900)}.e30.AAAA",
        "deep claims": f"{header}.{part(b'[' * 2000)}.AAAA",
        "header no object": f"{part([])}.{payload}.{signature}",
        "header no UTF-8": f"{part(bytes([255, 254]))}.{payload}.{signature}",
        "no base64": "!!!.???.***",
        "empty": "",
        "dots": "..",
        "word": "token",
        "null": "null",
    }


def misplaced(good: str) -> dict[str, str]:
    """Tokens signed with our key, as those of an earlier release or of another purpose would be."""
    ours = claims(good)
    past, future = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    without = {name: {key: value for key, value in ours.items() if key != name} for name in ours}
    return {
        "expired": jwt.encode({**ours, "exp": past}, KEY, "HS256"),
        "not yet": jwt.encode({**ours, "iat": future, "nbf": future}, KEY, "HS256"),
        "wrong audience": jwt.encode({**ours, "aud": "other"}, KEY, "HS256"),
        "list of audiences": jwt.encode({**ours, "aud": ["other", "more"]}, KEY, "HS256"),
        "wrong issuer": jwt.encode({**ours, "iss": "other"}, KEY, "HS256"),
        "wrong purpose": jwt.encode({**ours, "token_type": "password_reset"}, KEY, "HS256"),
        "no session": jwt.encode({**ours, "sid": str(uuid.uuid4())}, KEY, "HS256"),
        "session no UUID": jwt.encode({**ours, "sid": "1"}, KEY, "HS256"),
        "session null": jwt.encode({**ours, "sid": None}, KEY, "HS256"),
        "session list": jwt.encode({**ours, "sid": ["x"]}, KEY, "HS256"),
        "wrong password mark": jwt.encode({**ours, "pwd": "0" * 32}, KEY, "HS256"),
        "password mark null": jwt.encode({**ours, "pwd": None}, KEY, "HS256"),
        **{f"without {name}": jwt.encode(rest, KEY, "HS256") for name, rest in without.items() if name not in UNUSED},
    }


# Claims that we write and nothing decides by: the session names the user, and iat is for people.
UNUSED = {"iat", "sub"}


def test_no_crafted_access_token_is_taken(alice: User) -> None:
    good = open_session(alice).access
    tokens = crafted(good)
    assert me(good).status_code == 200
    assert len(tokens) >= 60

    for name, token in tokens.items():
        response = me(token)
        assert response.status_code == 401, name
        assert response.json()["code"] in {"authentication_failed", "not_authenticated"}, name
        assert response["WWW-Authenticate"].startswith("Bearer")


def test_no_crafted_refresh_token_is_taken_and_the_session_survives_all_of_them(alice: User) -> None:
    good = open_session(alice).refresh

    for name, token in crafted(good).items():
        assert refresh(token).status_code in {400, 401}, name
    for name, token in forged(good).items():
        assert log_out(token).status_code in {400, 401}, name
    assert LoginSession.objects.get().ended_at is None
    assert refresh(good).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer", "Bearer ", "Token {}", "JWT {}", "Basic {}", "{}", "Bearer{}", "Bearer {} x", "Bearer,{}",
        "Bearer \xff",
        "ＢＥＡＲＥＲ {}",
    ],
)  # fmt: skip
def test_any_other_authorization_header_is_401(alice: User, header: str) -> None:
    token = open_session(alice).access
    value = header.format(token).encode("utf-8").decode("latin-1")

    assert APIClient().get(ME, HTTP_AUTHORIZATION=value).status_code == 401


# --- AUT-02: one purpose each -------------------------------------------------------------------------------------


def test_a_token_is_good_for_its_own_purpose_only(alice: User) -> None:
    pair = open_session(alice)

    assert me(pair.refresh).status_code == 401
    assert refresh(pair.access).status_code == 401
    assert log_out(pair.access).status_code == 401
    assert me(pair.access).status_code == 200
    assert refresh(pair.refresh).status_code == 200


def test_an_access_token_lives_minutes_and_a_refresh_token_two_weeks(alice: User) -> None:
    with time_machine.travel(datetime(2026, 1, 31, 12, tzinfo=UTC), tick=False) as clock:
        pair = open_session(alice)
        clock.shift(timedelta(minutes=14, seconds=59))
        assert me(pair.access).status_code == 200
        clock.shift(timedelta(seconds=2))
        assert me(pair.access).status_code == 401
        clock.move_to(datetime(2026, 2, 14, 11, 59, 59, tzinfo=UTC))
        newer = refresh(pair.refresh).json()["data"]
        clock.move_to(datetime(2026, 2, 28, 12, 0, 1, tzinfo=UTC))
        assert refresh(newer["refresh"]).status_code == 401


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("behind", [1, 6, 10])
def test_a_server_whose_clock_is_some_seconds_behind_takes_the_tokens_of_another(alice: User, behind: int) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        pair = open_session(alice)
        clock.shift(timedelta(seconds=-behind))

        assert me(pair.access).status_code == 200
        assert refresh(pair.refresh).status_code == 200


def test_a_token_of_the_future_is_not_taken(alice: User) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        pair = open_session(alice)
        clock.shift(timedelta(seconds=-11))

        assert me(pair.access).status_code == 401
        assert refresh(pair.refresh).status_code == 401
        clock.move_to(NOON)
        assert me(pair.access).status_code == 200
        assert refresh(pair.refresh).status_code == 200


def test_no_token_lives_a_second_longer_for_it(alice: User) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        pair = open_session(alice)

        clock.move_to(NOON + timedelta(minutes=15))
        assert me(pair.access).status_code == 401
        clock.move_to(NOON + timedelta(days=14))
        assert refresh(pair.refresh).status_code == 401
        assert log_out(pair.refresh).status_code == 401


# --- AUT-03: reuse ends the family --------------------------------------------------------------------------------


def test_a_rotated_refresh_token_used_again_ends_its_family(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    other_device = open_session(alice)
    first = open_session(alice)
    second = refresh(first.refresh).json()["data"]
    assert me(second["token"]).status_code == 200

    with caplog.at_level(logging.WARNING):
        reused = refresh(first.refresh, browser="a thief's")

    assert (reused.status_code, reused.json()["code"]) == (401, "invalid_token")
    for token in (first.access, second["token"]):
        assert me(token).status_code == 401
    assert refresh(second["refresh"]).status_code == 401
    event = Event.objects.get(type="session.token_reused")
    assert (event.account_id, event.actor_id) == (alice.account_id, alice.pk)
    assert [record.message for record in caplog.records if record.message == "authn_token_reuse"]
    ended = LoginSession.objects.get(ended_at__isnull=False)
    assert ended.ended_reason == "token_reused"
    assert me(other_device.access).status_code == 200


def test_further_reuse_writes_no_second_event(alice: User) -> None:
    first = open_session(alice)
    refresh(first.refresh)

    assert [refresh(first.refresh, browser="a thief's").status_code for _ in range(5)] == [401] * 5
    assert Event.objects.filter(type="session.token_reused").count() == 1


def test_a_refresh_gives_a_new_pair_of_the_same_session(alice: User) -> None:
    first = open_session(alice)

    data = refresh(first.refresh).json()["data"]

    assert set(data) == {"token", "refresh"}
    assert data["refresh"] != first.refresh
    assert claims(data["token"])["sid"] == claims(first.access)["sid"]
    assert LoginSession.objects.count() == 1


# --- AUT-05, 06, 07, 08: at once ------------------------------------------------------------------------------------


def change_password(alice: User, pair: TokenPair) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    data = {"current_password": make.PASSWORD, "new_password": "another pass phrase 9"}
    answer = client.post("/api/v1/auth/password/change/", data, format="json")
    assert answer.status_code == 200
    assert me(answer.json()["data"]["token"]).status_code == 200
    assert refresh(answer.json()["data"]["refresh"]).status_code == 200


def set_password(alice: User, pair: TokenPair) -> None:
    alice.set_password("set by an operator 9")
    alice.save()


def deactivate(alice: User, pair: TokenPair) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def end_this_session(alice: User, pair: TokenPair) -> None:
    assert log_out(pair.refresh).status_code == 200
    assert log_out(pair.refresh).status_code == 200, "logging out twice is no error"


def delete_sessions(alice: User, pair: TokenPair) -> None:
    LoginSession.objects.all().delete()


@pytest.mark.parametrize("end", [change_password, set_password, deactivate, end_this_session, delete_sessions])
def test_access_and_refresh_end_at_once(alice: User, end: Callable[[User, TokenPair], None]) -> None:
    pair = open_session(alice)
    assert me(pair.access).status_code == 200

    end(alice, pair)

    for _ in range(3):
        assert me(pair.access).status_code == 401
        assert refresh(pair.refresh).status_code == 401


def test_logging_out_one_device_leaves_the_others(alice: User) -> None:
    phone, laptop = open_session(alice), open_session(alice)

    log_out(phone.refresh)

    assert me(phone.access).status_code == 401
    assert me(laptop.access).status_code == 200


def test_the_role_is_read_from_the_database(alice: User, bob: User) -> None:
    pair, site = open_session(bob), {"name": "S", "industry": make.industry().pk}
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")

    assert client.post("/api/v1/sites/", site, format="json").status_code == 403
    User.objects.filter(pk=bob.pk).update(role=Role.ADMIN)
    assert client.post("/api/v1/sites/", site, format="json").status_code == 201
    User.objects.filter(pk=bob.pk).update(role=Role.VIEWER)
    assert client.post("/api/v1/sites/", site, format="json").status_code == 403


def test_a_removed_member_reads_nothing_on_the_next_request(alice: User, bob: User) -> None:
    pair = open_session(bob)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    assert client.get("/api/v1/sites/").status_code == 200

    User.objects.filter(pk=bob.pk).update(account=None, role="")

    for path in ("sites/", "billing/invoices/", "billing/payments/", "billing/credits/balance/"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path
    assert client.get(ME).json()["data"]["account"] is None


def test_a_suspended_account_is_told_on_the_next_request(alice: User) -> None:
    pair = open_session(alice)
    Account.objects.filter(pk=alice.account_id).update(status="suspended", suspended_reason="operator")
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")

    response = client.post("/api/v1/sites/", {"name": "S", "industry": make.industry().pk}, format="json")

    assert (response.status_code, response.json()["code"]) == (403, "account_suspended")


def test_a_token_holds_no_personal_data(alice: User) -> None:
    pair = open_session(alice)

    for token in (pair.access, pair.refresh):
        assert set(claims(token)) == {"token_type", "exp", "iat", "jti", "sid", "sub", "pwd", "aud", "iss"}
        assert alice.email not in base64.urlsafe_b64decode(token.split(".")[1] + "==").decode()


def test_an_authenticated_request_loads_user_account_and_plan_in_one_query(
    alice: User, as_user: Callable[[User], APIClient], django_assert_num_queries: Any
) -> None:
    client = as_user(alice)

    with django_assert_num_queries(1):
        assert client.get(ME).status_code == 200
