"""OPTIONS says which methods an address takes, to whoever may use one of them, and does nothing."""

import json
from itertools import cycle
from typing import Any

import pytest
from django.http import HttpResponse

from tests.api.test_matrix import EXPECTED, TABLED_METHODS
from tests.api.world import ACTORS, UNUSED_ID, World, body, fingerprint, refusal, routes, send, undone

pytestmark = pytest.mark.django_db

NO_SUCH_ADDRESS = "api/<path:address>"
ADDRESSES = [route for route in sorted({route for _, route in EXPECTED}) if route != NO_SUCH_ADDRESS]
# Codes of refusals that are about who calls; all others are about what is asked for, or about the account's state.
WHO = {"not_authenticated", "permission_denied"}


def taken_by(route: str) -> list[str]:
    """The methods of the table that the route has: somebody gets further with them than to a refusal."""
    return [method for method in TABLED_METHODS if set(EXPECTED[method, route].values()) - {401, 403, 405}]


def may_use(world: World, method: str, route: str, actor: str) -> bool:
    """Whether the operation is open to this actor, whatever it then says of the request."""
    if EXPECTED[method, route][actor] not in {401, 403}:
        return True
    with undone():
        return refusal(send(world, method, route, actor, body(world, method, route, actor)))["code"] not in WHO


def askers(route: str, taken: list[str]) -> list[str]:
    """The first actor for each row of answers to the methods of the route: others who get the same may the same."""
    rows = {tuple(EXPECTED[method, route][actor] for method in taken): actor for actor in reversed(ACTORS)}
    return list(rows.values())


def said(response: HttpResponse) -> list[str]:
    """The methods in the answer to OPTIONS, checked to be in the envelope and to be those of the Allow header."""
    answer = json.loads(response.content)
    assert set(answer) == {"success", "message", "data"}, answer
    assert answer["success"] is True
    assert set(answer["data"]) == {"methods"}
    assert response["Content-Type"] == "application/json"
    assert response["Allow"].split(", ") == answer["data"]["methods"]
    methods: list[str] = answer["data"]["methods"]
    return methods


def test_who_may_use_an_address_is_told_all_its_methods_and_nobody_else(world: World) -> None:
    wrong, refused = [], 0

    for route in ADDRESSES:
        taken = taken_by(route)
        expected = {*taken, "OPTIONS", *(["HEAD"] if "GET" in taken else [])}
        for actor in askers(route, taken):
            response = send(world, "OPTIONS", route, actor)
            if any(may_use(world, method, route, actor) for method in taken):
                status = 200
            else:
                status, refused = 401 if actor == "anonymous" else 403, refused + 1
            if response.status_code != status:
                wrong.append(f"{route} as {actor}: {response.status_code}, expected {status}")
            elif status == 200:
                assert set(said(response)) == expected, f"{route} as {actor}"
            else:
                assert refusal(response)["code"] in WHO

    assert not wrong, "\n".join(wrong)
    assert refused > 150


@pytest.mark.parametrize(
    ("route", "methods"),
    [
        # Gateways only ever POST; with or without keys of theirs, and to anybody, the answer is the same.
        ("api/v1/billing/webhooks/stripe/", ["POST", "OPTIONS"]),
        ("api/v1/billing/webhooks/paypal/", ["POST", "OPTIONS"]),
        # These two write OpenAPI and HTML; what they answer to OPTIONS is the envelope all the same.
        ("api/schema/", ["GET", "HEAD", "OPTIONS"]),
        ("api/docs/", ["GET", "HEAD", "OPTIONS"]),
        # One address of two ViewSets' prefix, one action, one file.
        ("api/v1/billing/payment-methods/", ["GET", "HEAD", "OPTIONS"]),
        ("api/v1/billing/invoices/<int64:invoice_id>/pay/", ["POST", "OPTIONS"]),
        ("api/v1/billing/payment-proofs/<int64:proof_id>/file/", ["GET", "HEAD", "OPTIONS"]),
        ("api/v1/sites/<int64:site_id>/", ["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"]),
    ],
)
def test_the_answer_word_for_word(world: World, route: str, methods: list[str]) -> None:
    response = send(world, "OPTIONS", route, "owner")

    assert response.status_code == 200
    assert json.loads(response.content) == {"success": True, "message": "", "data": {"methods": methods}}
    assert response["Allow"] == ", ".join(methods)


@pytest.mark.parametrize("actor", ["anonymous", "owner", "operator"])
def test_an_address_that_is_none_is_404_to_options_too(world: World, actor: str) -> None:
    response = send(world, "OPTIONS", NO_SUCH_ADDRESS, actor)

    assert response.status_code == 404
    assert refusal(response)["code"] == "not_found"


def test_asking_reads_no_more_than_who_is_asking_and_writes_nothing(
    world: World, statements: list[str], settings: Any
) -> None:
    # Sent whole instead of prepared, so that the trace shows the SQL.
    settings.DATABASE_PREPARED_STATEMENTS = False
    before, known = fingerprint(), cycle(["viewer", "owner", "operator"])

    for route in ADDRESSES:
        for actor in ("anonymous", next(known)):
            del statements[:]
            send(world, "OPTIONS", route, actor)
            words = {sql.lstrip("( ").split(None, 1)[0].upper() for sql in statements}
            assert words <= {"SELECT"}, f"{route} as {actor}: {statements}"
            assert not any("FOR UPDATE" in sql or "FOR NO KEY" in sql for sql in statements)

    assert fingerprint() == before


def test_the_answer_does_not_tell_which_ids_exist(world: World) -> None:
    with_ids = [route for route in ADDRESSES if "<int64:" in route]

    for route in with_ids:
        for actor in ("owner", "stranger", "operator"):
            of_nobody = dict.fromkeys(world.ids(route, actor), UNUSED_ID)
            real, unused = (send(world, "OPTIONS", route, actor, ids=ids) for ids in (world.a.ids, of_nobody))
            assert answered(real) == answered(unused), f"{route} as {actor}"
    assert len(with_ids) > 20


def answered(response: HttpResponse) -> tuple[int, Any]:
    """Status and body, without what differs from request to request."""
    answer = json.loads(response.content)
    answer.pop("request_id", None)
    return response.status_code, answer


@pytest.mark.parametrize(
    ("content", "content_type"), [("", ""), ("{broken", "application/json"), ("a,b", "text/csv"), ("\x00", "x/y")]
)
def test_no_body_is_needed_or_looked_at(world: World, content: str, content_type: str) -> None:
    for route in ("auth/login/", "billing/payment-proofs/", "billing/credits/usage/", "billing/webhooks/stripe/"):
        response = world.client("owner").generic("OPTIONS", f"/api/v1/{route}", content, content_type=content_type)

        assert response.status_code == 200, route
        assert said(response) == ["POST", "OPTIONS"]


def test_to_ask_is_no_try_of_what_is_counted(world: World, settings: Any) -> None:
    settings.THROTTLING = True
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "pay": ["1/minute"]}
    pay = "api/v1/billing/invoices/<int64:invoice_id>/pay/"

    asked = [send(world, "OPTIONS", pay, "owner").status_code for _ in range(3)]
    paid = [send(world, "POST", pay, "owner", {"payment_method": "bank_transfer"}).status_code for _ in range(2)]

    assert asked == [200, 200, 200]
    assert paid == [200, 429]


def test_every_route_is_asked(world: World) -> None:
    assert {*ADDRESSES, NO_SUCH_ADDRESS} == set(routes())
