"""Who may do what: every route of the URL map × every method × every kind of caller (TEN-14, ROL-13)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import cycle
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.api import people, purchases, staff
from tests.api.world import ACTORS, World, address, body, fingerprint, refusal, routes, send, undone
from tests.cases import some_of

pytestmark = pytest.mark.django_db

TABLED_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# They carry a credential of their own in the body.
OWN_CREDENTIAL = {"api/v1/auth/login/", "api/v1/auth/refresh/", "api/v1/auth/logout/"}

# One line per route and methods. The columns are the actors: anonymous; viewer, editor, admin and owner of account A;
# the owner of account B with A's ids; the owner of a suspended account with its own ids; a platform operator with the
# permissions that staff.py names; staff without any. The operators' own routes are in staff.py. A route or method that
# is in neither fails.
TABLE = """
route                                               methods                    ano vie edi adm own str sus ope cle
auth/register/                                      POST                       201 201 201 201 201 201 201 201 201
auth/register/                                      GET,PUT,PATCH,DELETE       405 405 405 405 405 405 405 405 405
auth/account/                                       POST                       401 409 409 409 409 409 409 201 201
auth/account/                                       GET,PUT,PATCH,DELETE       401 405 405 405 405 405 405 405 405
auth/login/                                         POST                       401 200 200 200 200 200 200 200 200
auth/login/                                         GET,PUT,PATCH,DELETE       405 405 405 405 405 405 405 405 405
auth/refresh/                                       POST                       401 200 200 200 200 200 200 200 200
auth/refresh/                                       GET,PUT,PATCH,DELETE       405 405 405 405 405 405 405 405 405
auth/logout/                                        POST                       401 200 200 200 200 200 200 200 200
auth/logout/                                        GET,PUT,PATCH,DELETE       405 405 405 405 405 405 405 405 405
auth/me/                                            GET,PATCH                  401 200 200 200 200 200 200 200 200
auth/me/                                            POST,PUT,DELETE            401 405 405 405 405 405 405 405 405
auth/password/change/                               POST                       401 200 200 200 200 200 200 200 200
auth/password/change/                               GET,PUT,PATCH,DELETE       401 405 405 405 405 405 405 405 405
auth/plans/                                         GET                        200 200 200 200 200 200 200 200 200
auth/plans/                                         POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
auth/industries/                                    GET                        200 200 200 200 200 200 200 200 200
auth/industries/                                    POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
sites/                                              GET                        401 200 200 200 200 200 200 403 403
sites/                                              POST                       401 403 403 201 201 201 403 403 403
sites/                                              PUT,PATCH,DELETE           401 403 403 405 405 405 405 403 403
sites/<int64:site_id>/                              GET                        401 200 200 200 200 404 200 403 403
sites/<int64:site_id>/                              PATCH                      401 403 200 200 200 404 403 403 403
sites/<int64:site_id>/                              DELETE                     401 403 403 200 200 404 200 403 403
sites/<int64:site_id>/                              POST,PUT                   401 403 403 405 405 405 405 403 403
billing/admin/payment-methods/                      GET                        200 200 200 200 200 200 200 200 200
billing/admin/payment-methods/                      POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
billing/payment-methods/                            GET                        200 200 200 200 200 200 200 200 200
billing/payment-methods/                            POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
billing/invoices/                                   GET                        401 200 200 200 200 200 200 403 403
billing/invoices/                                   POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
billing/invoices/<int64:invoice_id>/                GET                        401 200 200 200 200 404 200 403 403
billing/invoices/<int64:invoice_id>/                POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
billing/payments/                                   GET                        401 200 200 200 200 200 200 403 403
billing/payments/                                   POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
billing/payment-proofs/                             POST                       401 403 403 201 201 201 201 403 403
billing/payment-proofs/                             GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/payment-proofs/<int64:proof_id>/            GET                        401 200 200 200 200 404 200 403 403
billing/payment-proofs/<int64:proof_id>/            POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
billing/payment-proofs/<int64:proof_id>/file/       GET                        200 200 200 200 200 200 200 200 200
billing/payment-proofs/<int64:proof_id>/file/       POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
billing/admin/payments/confirm/                     POST                       401 403 403 201 201 404 201 403 403
billing/admin/payments/confirm/                     GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/admin/payments/<int64:payment_id>/approve/  POST                       401 403 403 403 403 403 403 200 403
billing/admin/payments/<int64:payment_id>/approve/  GET,PUT,PATCH,DELETE       401 403 403 403 403 403 403 405 403
billing/admin/payments/<int64:payment_id>/reject/   POST                       401 403 403 403 403 403 403 200 403
billing/admin/payments/<int64:payment_id>/reject/   GET,PUT,PATCH,DELETE       401 403 403 403 403 403 403 405 403
billing/subscriptions/                              GET                        401 200 200 200 200 200 200 403 403
billing/subscriptions/                              POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
billing/subscriptions/create/                       POST                       401 403 403 201 201 201 201 403 403
billing/subscriptions/create/                       GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/subscriptions/preview/                      POST                       401 200 200 200 200 200 200 403 403
billing/subscriptions/preview/                      GET,PUT,PATCH,DELETE       401 405 405 405 405 405 405 403 403
billing/subscriptions/upgrade/                      POST                       401 403 403 409 409 409 409 403 403
billing/subscriptions/upgrade/                      GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/subscriptions/downgrade/                    POST                       401 403 403 409 409 409 409 403 403
billing/subscriptions/downgrade/                    GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/subscriptions/cancel/                       POST                       401 403 403 409 409 409 409 403 403
billing/subscriptions/cancel/                       GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/subscriptions/reactivate/                   POST                       401 403 403 409 409 409 409 403 403
billing/subscriptions/reactivate/                   GET,PUT,PATCH,DELETE       401 403 403 405 405 405 405 403 403
billing/webhooks/stripe/                            POST                       503 503 503 503 503 503 503 503 503
billing/webhooks/stripe/                            GET,PUT,PATCH,DELETE       405 405 405 405 405 405 405 405 405
billing/webhooks/paypal/                            POST                       503 503 503 503 503 503 503 503 503
billing/webhooks/paypal/                            GET,PUT,PATCH,DELETE       405 405 405 405 405 405 405 405 405
billing/credits/balance/                            GET                        401 200 200 200 200 200 200 403 403
billing/credits/balance/                            POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
billing/credits/transactions/                       GET                        401 200 200 200 200 200 200 403 403
billing/credits/transactions/                       POST,PUT,PATCH,DELETE      401 405 405 405 405 405 405 403 403
/api/schema/                                        GET                        200 200 200 200 200 200 200 200 200
/api/schema/                                        POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
/api/docs/                                          GET                        200 200 200 200 200 200 200 200 200
/api/docs/                                          POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
/api/docs/codes/                                    GET                        200 200 200 200 200 200 200 200 200
/api/docs/codes/                                    POST,PUT,PATCH,DELETE      405 405 405 405 405 405 405 405 405
/api/<path:address>                                 GET,POST,PUT,PATCH,DELETE  404 404 404 404 404 404 404 404 404
"""


def expected_codes() -> dict[tuple[str, str], dict[str, int]]:
    """The table, by method and route."""
    expected: dict[tuple[str, str], dict[str, int]] = {}
    lines = "".join([TABLE, staff.matrix(), people.MATRIX, purchases.MATRIX]).split("\n")[2:]
    for line in filter(None, lines):
        name, methods, *codes = line.split()
        route = name[1:] if name.startswith("/") else f"api/v1/{name}"
        for method in methods.split(","):
            assert (method, route) not in expected
            expected[method, route] = dict(zip(ACTORS, map(int, codes), strict=True))
    return expected


EXPECTED = expected_codes()
READS = sorted(route for method, route in EXPECTED if method == "GET" and 200 in EXPECTED[method, route].values())


def caller_of(route: str) -> str:
    """Somebody who may use some method of the route."""
    codes = EXPECTED.get(("POST", route), {})
    return "operator" if codes.get("owner") == 403 != codes.get("operator") else "owner"


def test_the_table_names_exactly_the_routes_and_methods_that_exist() -> None:
    listed = set(EXPECTED)
    existing = {(method, route) for route in routes() for method in TABLED_METHODS}

    assert existing - listed == set(), "routes or methods missing in TABLE"
    assert listed - existing == set(), "TABLE names what is gone"


def asked() -> Iterator[tuple[str, str, str]]:
    """Method, route and actor of each request that may have an answer of its own.

    Of a method that the route does not have it is one actor for each answer, as it is the same for all. Who asks is
    looked at before the method: so who is turned away is asked with one of the methods that the route does not have.
    """
    turned_away, customers = set(), cycle(["viewer", "editor", "admin", "stranger", "suspended"])
    for (method, route), codes in EXPECTED.items():
        if 405 in codes.values():
            for code, actor in one_of_each_code(codes).items():
                if code == 405 or (route, code, actor) not in turned_away:
                    yield method, route, actor
                turned_away.add((route, code, actor))
        else:
            yield from ((method, route, actor) for actor in asked_at(route, codes, customers))


def asked_at(route: str, codes: dict[str, int], customers: Iterator[str]) -> Iterable[str]:
    """Who is asked with a method that the route has.

    Operators' routes look at permissions alone, which no customer has: they are asked by owners and one other customer
    in turn. What is the same for all who are logged in is asked by one who may least, one whose account may least, and
    one who has no account. A document is drawn for one actor for each answer, and for the account that is suspended.
    """
    if route.startswith(staff.PREFIX):
        return ["anonymous", "owner", next(customers), "operator", "clerk"]
    if len({codes[actor] for actor in ACTORS if actor != "anonymous"}) == 1:
        return ["anonymous", "viewer", "suspended", "operator"]
    return {*one_of_each_code(codes).values(), "suspended"} if route.endswith("/pdf/") else codes


def one_half() -> list[tuple[str, str, str]]:
    return [*asked()][::2]


def other_half() -> list[tuple[str, str, str]]:
    return [*asked()][1::2]


def asked_by_all() -> Iterator[tuple[str, str, str]]:
    """Whoever there is, with each method that a route has."""
    for (method, route), codes in EXPECTED.items():
        yield from ((method, route, actor) for actor in codes if 405 not in codes.values())


def one_of_each_code(codes: dict[str, int]) -> dict[int, str]:
    """The first actor for each answer of a route."""
    return {code: actor for actor, code in reversed(codes.items())}


@pytest.mark.parametrize("asking", some_of([one_half, other_half, asked_by_all], each=3))
def test_each_actor_gets_the_code_of_the_table_and_who_is_refused_changes_nothing(
    world: World, asking: Callable[[], Iterable[tuple[str, str, str]]]
) -> None:
    wrong, refused, before = [], 0, fingerprint()

    for method, route, actor in asking():
        expected = EXPECTED[method, route][actor]
        is_refused = expected in {403, 404} and method != "GET"
        refused += is_refused
        with nullcontext() if is_refused else undone():
            response = send(world, method, route, actor, body(world, method, route, actor))
        if response.status_code != expected:
            wrong.append(f"{method} {route} as {actor}: {response.status_code}, expected {expected}")
        elif response.status_code >= 400:
            refusal(response)

    assert not wrong, "\n".join(wrong)
    assert refused > 70
    assert fingerprint() == before


def test_head_answers_as_get_without_a_body(world: World) -> None:
    for route in READS:
        for actor in ("anonymous", "owner"):
            response = send(world, "HEAD", route, actor)

            assert response.status_code == EXPECTED["GET", route][actor], route
            assert response.content == b""


def test_other_methods_are_taken_nowhere(world: World) -> None:
    """TRACE, which Django knows, on every route; of the others, which nothing knows, one on each in turn."""
    unknown, is_anonymous = cycle(["CONNECT", "PROPFIND", "BREW"]), cycle([True, False])

    for route in routes():
        caller = caller_of(route)
        for method, actor in [("TRACE", caller), (next(unknown), "anonymous" if next(is_anonymous) else caller)]:
            response = send(world, method, route, actor)

            refused = {404, 405} if actor != "anonymous" else {401, 404, 405}
            assert response.status_code in refused, f"{method} {route} as {actor}"
            refusal(response)


def test_a_cookie_alone_is_no_credential(world: World) -> None:
    client = APIClient()
    client.force_login(world.users["owner"])
    closed = [
        (method, route)
        for (method, route), codes in EXPECTED.items()
        if codes["anonymous"] == 401 and 405 not in codes.values() and route not in OWN_CREDENTIAL
    ]

    for method, route in closed:
        response = client.generic(method, address(route, world.a.ids), "{}", content_type="application/json")

        assert response.status_code == 401, f"{method} {route}"
        assert response["WWW-Authenticate"].startswith("Bearer")
    assert len(closed) > 50


def test_reading_writes_nothing_and_locks_nothing(world: World, statements: list[str], settings: Any) -> None:
    # Sent whole instead of prepared, so that the trace shows the SQL.
    settings.DATABASE_PREPARED_STATEMENTS = False
    for route in READS:
        for actor in one_of_each_code(EXPECTED["GET", route]).values():
            del statements[:]
            assert send(world, "GET", route, actor).status_code == EXPECTED["GET", route][actor]

            words = {sql.lstrip("( ").split(None, 1)[0].upper() for sql in statements}
            assert words <= {"SELECT"}, f"{route} as {actor}: {statements}"
            assert not any("FOR UPDATE" in sql or "FOR NO KEY" in sql for sql in statements)
