"""Each operation of operators has a permission of its own, and nobody decides for an account that they belong to."""

import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.urls import resolve
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from igny8_core.auth.callers import Caller
from igny8_core.auth.models import Role, User
from igny8_core.auth.operator_roles import ROLES, OperatorRole, permissions_of
from igny8_core.auth.permissions import IsOperator, operator_permissions_of
from igny8_core.auth.services.sessions import open_session
from igny8_core.common.api.envelope import success
from igny8_core.common.api.views import ApiViewSet
from tests import make
from tests.api import staff
from tests.api.world import UNUSED_ID, World, address, body, fingerprint, permissions, refusal, routes, undone
from tests.cases import some_of

pytestmark = pytest.mark.django_db

GUIDE = Path(__file__).parents[2] / "docs" / "operators.md"
BY_NAME = {f"{operation.method} {operation.path}": operation for operation in staff.OPERATIONS}


def logged_in(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user).access}")
    return client


def call(world: World, operation: staff.Operation, user: User) -> tuple[int, bytes]:
    return called(world, operation, logged_in(user))


def called(
    world: World, operation: staff.Operation, client: APIClient, *, of_nothing: bool = False
) -> tuple[int, bytes]:
    ids = world.ids(operation.route, "operator")
    path = address(operation.route, dict.fromkeys(ids, UNUSED_ID) if of_nothing else ids)
    content = json.dumps(body(world, operation.method, operation.route) or {}) if operation.fields else ""
    response = client.generic(operation.method, path, content, content_type="application/json")
    if response.status_code >= 400:
        refusal(response)
    return response.status_code, response.content


def test_the_named_permission_is_enough_and_all_others_are_not(world: World) -> None:
    enough, too_little, not_staff = (make.user(is_staff=is_staff) for is_staff in (True, True, False))
    for person in (too_little, not_staff):
        person.user_permissions.set(Permission.objects.all())
    able, clerk, customer = logged_in(enough), logged_in(too_little), logged_in(not_staff)
    wrong, before = [], fingerprint()

    for name, operation in BY_NAME.items():
        needed = permissions(operation.permissions)
        enough.user_permissions.set(needed)
        with undone():
            if called(world, operation, able)[0] != operation.status:
                wrong.append(f"{name} with {operation.permissions} alone")
        # Not undone: what a refused request wrote would be seen.
        for missing in needed:
            too_little.user_permissions.remove(missing)
            if called(world, operation, clerk)[0] != 403:
                wrong.append(f"{name} without {missing}")
            too_little.user_permissions.add(missing)
        if called(world, operation, customer)[0] != 403:
            wrong.append(f"{name} as nobody of the staff")

    assert wrong == []
    assert fingerprint() == before


@pytest.mark.parametrize("role", some_of(ROLES, each=5, but=1), ids=lambda role: role.name)
def test_a_role_does_what_its_permissions_say_and_nothing_else(world: World, role: OperatorRole) -> None:
    """What is addressed by an id is asked for with one of nothing: who may is told so, and it is not done again."""
    person, wrong = make.user(is_staff=True), {}
    person.user_permissions.add(*permissions(sorted(permissions_of(role))))
    client, before = logged_in(person), fingerprint()

    for name, operation in BY_NAME.items():
        may = permissions_of(role).issuperset(operation.permissions)
        # Not undone where it is refused: what it wrote would be seen.
        with undone() if may else nullcontext():
            status = called(world, operation, client, of_nothing=True)[0]
        if status != (403 if not may else 404 if "<" in operation.path else operation.status):
            wrong[name] = status

    assert wrong == {}
    assert fingerprint() == before


def test_staff_who_are_suspended_from_work_get_nothing(world: World) -> None:
    operator = make.operator()
    client = logged_in(operator)
    User.objects.filter(pk=operator.pk).update(is_active=False)

    statuses = {name: called(world, operation, client)[0] for name, operation in BY_NAME.items()}

    assert statuses == dict.fromkeys(BY_NAME, 401)


def test_the_table_of_the_tests_is_what_the_views_name() -> None:
    named = {}
    for route in routes():
        if route.startswith(staff.PREFIX):
            view = resolve("/" + re.sub(r"<int64:\w+>", "1", route)).func
            assert view.initkwargs.get("permission_classes", view.cls.permission_classes) == (IsOperator,), route
            for method, needed in operator_permissions_of(view.cls, view.actions).items():
                named[method, route] = needed

    assert named == {(operation.method, operation.route): operation.permissions for operation in staff.OPERATIONS}


def test_the_guide_shows_the_same_table() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| `admin/([^`]*)` \| (.+?) \|", GUIDE.read_text(encoding="utf-8"))
    shown = {(method, path): tuple(re.findall(r"`([\w.]+)`", needed)) for method, path, needed in rows}

    listed = {
        (operation.method, re.sub(r"<int64:\w+>", "{id}", operation.path)): operation.permissions
        for operation in staff.OPERATIONS
    }
    assert shown == listed


class Forgetful(ApiViewSet):
    """A ViewSet whose author added `destroy` and no permission for it."""

    permission_classes = (IsOperator,)
    operator_permissions = {"retrieve": "billing.view_payment"}

    def retrieve(self, request: Request) -> Response:
        return success()

    def destroy(self, request: Request) -> Response:
        return success()


def test_an_action_without_a_named_permission_serves_nobody(olga: User) -> None:
    view = Forgetful.as_view({"get": "retrieve", "delete": "destroy"})

    def status(method: str) -> int:
        request = APIRequestFactory().generic(method, "/")
        force_authenticate(request, Caller.of(olga))
        return int(view(request).status_code)

    answers = {method: status(method) for method in ("GET", "HEAD", "DELETE", "PUT", "OPTIONS")}

    assert answers == {"GET": 200, "HEAD": 200, "DELETE": 403, "PUT": 405, "OPTIONS": 200}


DECISIONS = [
    f"POST {staff.ACCOUNT}suspend/",
    f"POST {staff.ACCOUNT}activate/",
    f"POST {staff.ACCOUNT}adjust-credits/",
    "POST invoices/create/",
    f"POST {staff.INVOICE}void/",
    f"POST {staff.PAYMENT}approve/",
    f"POST {staff.PAYMENT}reject/",
    f"POST {staff.PAYMENT}refund/",
    f"POST {staff.SUBSCRIPTION}end/",
    f"POST {staff.SUBSCRIPTION}change/",
]


@pytest.mark.parametrize("name", DECISIONS)
def test_nobody_decides_for_an_account_that_they_belong_to(world: World, name: str) -> None:
    operation = BY_NAME[name]
    account = {
        f"POST {staff.ACCOUNT}activate/": world.c.account,
        "POST invoices/create/": world.b.account,
        f"POST {staff.PAYMENT}refund/": world.captured.account,
        f"POST {staff.SUBSCRIPTION}end/": world.captured.account,
        f"POST {staff.SUBSCRIPTION}change/": world.captured.account,
    }.get(name, world.a.account)
    insider = make.user(account=account, role=Role.VIEWER, is_staff=True, is_superuser=True)
    colleague = make.operator()
    before = fingerprint()

    with undone():
        status, content = call(world, operation, insider)
        assert status == 403
        assert json.loads(content)["code"] in {"own_account", "own_account_payment"}
    assert fingerprint() == before
    with undone():
        assert call(world, operation, colleague)[0] == operation.status


def test_reading_an_account_that_one_belongs_to_is_no_decision(world: World) -> None:
    insider = make.user(account=world.a.account, role=Role.VIEWER, is_staff=True, is_superuser=True)

    assert call(world, BY_NAME[f"GET {staff.ACCOUNT}"], insider)[0] == 200


MOVING = [name for name, operation in BY_NAME.items() if operation.moves_money]


@pytest.mark.parametrize("name", MOVING)
def test_a_repeat_with_the_same_key_does_nothing_again(world: World, name: str) -> None:
    operation = BY_NAME[name]
    client, path = world.client("operator"), address(operation.route, world.ids(operation.route, "operator"))
    right = body(world, operation.method, operation.route)

    first = client.post(path, right, format="json", HTTP_IDEMPOTENCY_KEY="7c4c2b1e")
    done = fingerprint()
    again = client.post(path, right, format="json", HTTP_IDEMPOTENCY_KEY="7c4c2b1e")
    other = client.post(path, {**(right or {}), "reason": "Another"}, format="json", HTTP_IDEMPOTENCY_KEY="7c4c2b1e")

    assert first.status_code == again.status_code == operation.status
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert other.status_code == 422
    assert fingerprint() == done
