"""The operators' lists take only known parameters, and cost the same however much there is."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import make
from tests.admin.samples import first_of_each, one_of_each
from tests.api import staff
from tests.api.test_swap import generated_lookups, lookups_at
from tests.api.world import World, address, refusal, send

pytestmark = pytest.mark.django_db

FILTERS = {
    "accounts": {"search", "status", "plan", "created_from", "created_to"},
    "subscriptions": {"status", "account", "plan"},
    "renewals": {"status", "timing", "account", "from_day", "to_day"},
    "invoices": {"search", "status", "currency", "account", "date_from", "date_to"},
    "payments": {"search", "status", "payment_method", "account", "flagged", "created_from", "created_to"},
    "payment-methods": {"country", "payment_method", "is_enabled"},
    "credit-costs": {"is_active"},
}


def known(route: str) -> set[str]:
    return {"page", "page_size", "ordering"} | FILTERS[route.removeprefix(staff.PREFIX).rstrip("/")]


@pytest.mark.parametrize("route", staff.LISTS)
def test_every_other_parameter_is_refused(world: World, route: str) -> None:
    client = world.client("operator")
    lookups = sorted(set(lookups_at(staff.LISTS.index(route))) - known(route))
    assert len(lookups) >= 200

    refused: set[str] = set()
    for start in range(0, len(lookups), 400):
        response = client.get(f"/{route}", dict.fromkeys(lookups[start : start + 400], "x"))
        assert response.status_code == 400
        refused |= set(refusal(response)["errors"])
    assert refused == set(lookups)


@pytest.mark.parametrize("route", staff.LISTS)
def test_every_other_ordering_is_refused(world: World, route: str) -> None:
    client = world.client("operator")
    crafted = ["id", "pk", "?", "-", "--created_at", "created_at,id", "account__name", "-owner__password", "total", ""]

    for ordering in [*generated_lookups()[::400], *crafted]:
        if ordering != "sort_order":
            response = client.get(f"/{route}", {"ordering": ordering})
            assert response.status_code == 400, ordering
            assert list(refusal(response)["errors"]) == ["ordering"]


@pytest.mark.parametrize("route", staff.LISTS)
def test_pages_are_counted_in_plain_digits_and_hold_at_most_a_hundred(world: World, route: str) -> None:
    client = world.client("operator")

    for name in ("page", "page_size"):
        for number in ("0", "-1", "1.0", "٥", "", "abc"):
            response = client.get(f"/{route}", {name: number})
            assert response.status_code == 400, f"{name}={number!r}"
            assert list(refusal(response)["errors"]) == [name]
    assert client.get(f"/{route}", {"page_size": "101"}).status_code == 400
    assert client.get(f"/{route}", {"page": "2", "page_size": "100"}).status_code == 404
    first = client.get(f"/{route}", {"page_size": "1"}).json()
    assert len(first["data"]) == 1
    assert set(first) == {"success", "data", "count", "next", "previous"}


def test_what_is_read_costs_the_same_however_much_there_is(world: World) -> None:
    def queries() -> dict[str, int]:
        counted = {}
        for route in [*staff.LISTS, staff.PREFIX + staff.ACCOUNT]:
            with CaptureQueriesContext(connection) as captured:
                assert send(world, "GET", route, "operator").status_code == 200
            counted[route] = len(captured)
        return counted

    account = world.a.account
    first_of_each()
    queries()  # what a process does once
    few = queries()
    for _ in range(4):
        one_of_each()
        make.submitted_payment(make.invoice(account))
        make.user(account=account)

    assert queries() == few
    assert max(few.values()) <= 12


def test_no_list_of_operators_holds_a_secret(world: World) -> None:
    secrets = [user.password for user in world.users.values()]

    for operation in staff.OPERATIONS:
        if operation.method == "GET" and not operation.path.endswith("pdf/"):
            text = send(world, "GET", operation.route, "operator").content.decode()
            assert not [secret for secret in secrets if secret in text], operation.path


def test_both_spellings_of_an_address_are_no_back_door(world: World) -> None:
    for operation in staff.OPERATIONS:
        path = address(operation.route, world.a.ids)
        responses: list[Any] = [
            world.client("clerk").get(path.rstrip("/")),
            world.client("clerk").get(path.replace("/admin/", "/ADMIN/")),
        ]
        assert {response.status_code for response in responses} == {404}
