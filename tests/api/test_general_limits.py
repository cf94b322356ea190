"""One person with a script holds up nobody else: general limits of network, person and account, writes, misses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.common import clock, request_limits
from igny8_core.common.models import LimitHit, RateCounter
from igny8_core.events.models import Event
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("throttling")]

Login = Callable[[User], APIClient]
ME, BALANCE = "/api/v1/auth/me/", "/api/v1/billing/credits/balance/"


def limits(settings: Any, **rates: str) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, **{scope: [rate] for scope, rate in rates.items()}}


def codes(client: Any, number: int, path: str = ME, **extra: Any) -> list[int]:
    return [client.get(path, **extra).status_code for _ in range(number)]


def test_a_network_has_a_limit_before_anybody_looks_who_asks(settings: Any, statements: list[str]) -> None:
    limits(settings, api_network="5/minute")
    client = APIClient(HTTP_AUTHORIZATION="Bearer dead")

    assert codes(client, 8, REMOTE_ADDR="198.51.100.1") == [401] * 5 + [429] * 3
    del statements[:]
    refused = client.get(ME, REMOTE_ADDR="198.51.100.1")

    assert refused.json()["code"] == "throttled"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert statements == [], "a flood costs no statement"
    assert codes(client, 1, REMOTE_ADDR="203.0.113.1") == [401]


def test_a_script_in_the_next_room_stops_nobody_who_is_logged_in(settings: Any, alice: User, as_user: Login) -> None:
    limits(settings, api_network="5/minute")
    at_work = as_user(alice)
    page = Client()
    page.post("/login", {"email": alice.email, "password": make.PASSWORD})

    assert codes(at_work, 1) + codes(page, 1) == [200] * 2
    assert set(codes(APIClient(), 12)) == {401, 429}
    assert codes(at_work, 20) + codes(page, 20) == [200] * 40
    assert codes(APIClient(), 1) == [429]


def test_who_is_recognized_does_not_flood_what_everybody_may_ask(settings: Any, alice: User, as_user: Login) -> None:
    limits(settings, api_person="5/minute")
    client = as_user(alice)
    assert codes(client, 1) == [200]

    assert codes(client, 8, "/api/v1/no-such-address/") == [404] * 5 + [429] * 3


def test_who_is_not_recognized_any_more_is_part_of_the_network_again(
    settings: Any, alice: User, as_user: Login
) -> None:
    limits(settings, api_network="5/minute")
    client = as_user(alice)
    assert codes(client, 1) == [200]
    alice.login_sessions.update(ended_at=clock.now(), ended_reason="logged_out")

    assert codes(client, 8) == [401] * 5 + [429] * 3


@pytest.mark.parametrize(
    ("pattern", "times"), [("198.51.100.{}", 4), ("2001:db8:1:1{:02x}::1", 2), ("2001:db8:1:{:x}00::1", 4)]
)
def test_wider_networks_have_one_too(settings: Any, pattern: str, times: int) -> None:
    limits(settings, api_network="2/minute")

    found = [APIClient().get(ME, REMOTE_ADDR=pattern.format(number)).status_code for number in range(1, 13)]

    assert found == [401] * 2 * times + [429] * (12 - 2 * times)


def test_messages_of_gateways_are_not_counted(settings: Any) -> None:
    limits(settings, api_network="2/minute")
    path = "/api/v1/billing/webhooks/stripe/"

    assert {APIClient().post(path, {}, format="json").status_code for _ in range(6)} == {503}


def test_a_person_has_a_limit_from_wherever_and_others_go_on(
    settings: Any, alice: User, bob: User, as_user: Login
) -> None:
    limits(settings, api_person="5/minute")
    client = as_user(alice)

    assert [client.get(ME, REMOTE_ADDR=f"10.0.{number}.1").status_code for number in range(8)] == [200] * 5 + [429] * 3
    assert codes(as_user(bob), 2) == [200] * 2


def test_an_account_has_one_over_all_its_people(
    settings: Any, alice: User, bob: User, charlie: User, as_user: Login
) -> None:
    limits(settings, api_account="6/minute")

    assert codes(as_user(alice), 4) + codes(as_user(bob), 4) == [200] * 6 + [429] * 2
    assert codes(as_user(charlie), 2) == [200] * 2


def test_processes_count_together(settings: Any, alice: User, as_user: Login) -> None:
    limits(settings, api_person="100/minute")
    client = as_user(alice)
    answers = []
    for _ in range(4):
        answers += codes(client, 30)
        request_limits.forget_all()  # as another process, which knows nothing of this one

    assert answers.count(200) <= 100 + 4 * 5
    assert 429 in answers


def test_hot_requests_cost_no_statement_for_it(alice: User, as_user: Login, statements: list[str]) -> None:
    client = as_user(alice)
    codes(client, 3, BALANCE)
    del statements[:]

    codes(client, 10, BALANCE)

    assert [sql for sql in statements if "igny8_rate_counters" in sql] == []


def test_the_writes_of_a_day_end(settings: Any, alice: User, charlie: User, as_user: Login) -> None:
    limits(settings, writes="5/day")
    client = as_user(alice)

    names = [client.patch(ME, {"first_name": f"Alice {turn}"}, format="json").status_code for turn in range(8)]

    assert names == [200] * 5 + [429] * 3
    assert Event.objects.filter(type="user.updated").count() == 5
    assert client.get(ME).status_code == 200
    assert as_user(charlie).patch(ME, {"first_name": "C"}, format="json").status_code == 200


def test_forms_of_pages_use_up_the_same_writes(settings: Any, alice: User, as_user: Login, client: Client) -> None:
    limits(settings, writes="3/day")
    client.post("/login", {"email": alice.email, "password": make.PASSWORD})
    for turn in range(3):
        as_user(alice).patch(ME, {"first_name": f"Alice {turn}"}, format="json")

    assert client.post("/verify-email").status_code == 429


def test_spending_credits_is_no_such_write(settings: Any, alice: User, account_a: Account, as_user: Login) -> None:
    limits(settings, writes="1/day")
    make.credit_cost()
    make.credits(account_a, 100)
    client, body = as_user(alice), {"operation_type": "article", "quantity": 1}

    found = [
        client.post("/api/v1/billing/credits/usage/", body, format="json", HTTP_IDEMPOTENCY_KEY=f"k{turn}").status_code
        for turn in range(4)
    ]

    assert found == [201] * 4


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (ME, {"first_name": "Alice"}),
        ("/api/v1/account/settings/", {"name": "Acme"}),
        ("/api/v1/sites/{}/", {"name": "S"}),
    ],
    ids=["profile", "settings", "site"],
)
def test_a_change_that_changes_nothing_writes_nothing(
    alice: User, account_a: Account, as_user: Login, path: str, body: dict[str, str]
) -> None:
    client, path = as_user(alice), path.format(make.site(account_a).pk)
    assert client.patch(path, body, format="json").status_code == 200
    before = Event.objects.count()

    assert {client.patch(path, body, format="json").status_code for _ in range(3)} == {200}

    assert Event.objects.count() == before


def test_who_sprays_ids_of_others_has_to_wait(alice: User, charlie: User, as_user: Login) -> None:
    theirs = make.invoice(charlie.account)
    client = as_user(alice)

    found = [client.get(f"/api/v1/billing/invoices/{theirs.pk + turn}/").status_code for turn in range(90)]

    assert 50 <= found.count(404) <= 65
    assert found[-1] == 429
    assert client.get(ME).status_code == 200, "what is there is still served"
    other = as_user(charlie)
    assert other.get(f"/api/v1/billing/invoices/{theirs.pk}/").status_code == 200


def test_unknown_addresses_are_counted_for_networks(settings: Any) -> None:
    limits(settings, misses="3/minute")

    assert codes(APIClient(), 6, "/api/v1/wp-login/", REMOTE_ADDR="198.51.100.9") == [404] * 3 + [429] * 3
    assert codes(APIClient(), 1, "/api/v1/wp-login/", REMOTE_ADDR="203.0.113.9") == [404]


def test_no_address_and_no_person_is_stored(settings: Any, alice: User, as_user: Login) -> None:
    limits(settings, api_person="3/minute", api_network="3/minute")
    codes(as_user(alice), 5)

    assert {len(key) for key in RateCounter.objects.values_list("key", flat=True)} == {64}
    assert set(LimitHit.objects.values_list("limit", flat=True)) <= {"api_person", "api_network"}


def test_a_scope_that_the_settings_leave_out_limits_nothing(settings: Any) -> None:
    settings.RATE_LIMITS = {"login": ["3/minute"]}

    assert set(codes(APIClient(), 30)) == {401}


def test_while_the_database_is_away_each_process_counts_for_itself(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(settings, api_network="5/minute")

    def away(*_: object) -> int:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(request_limits, "add", away)

    assert codes(APIClient(), 8, REMOTE_ADDR="198.51.100.1") == [401] * 5 + [429] * 3
