"""Every refusal has one shape, the right status, and tells nothing of the inside."""

import logging

import psycopg2
import psycopg2.errors
import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection
from django.http import Http404
from django.test import Client
from django.urls import path
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api import error_views
from igny8_core.common.api.envelope import success
from igny8_core.common.api.exceptions import exception_handler, flatten_errors
from igny8_core.common.api.permissions import DenyAll, PublicEndpoint
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.views import ApiView
from igny8_core.common.errors import DomainError, NotFound

pytestmark = pytest.mark.urls(__name__)

SECRET = "psycopg2 said: relation igny8_secret, password=hunter2"


class CardDeclined(DomainError):
    code = "card_declined"
    http_status = 402
    text = "The card was declined. Use another one."


class TokenDead(DomainError):
    code = "token_dead"
    http_status = 401
    text = "This token is no longer valid. Log in again."


def database_error(kind, cause):
    try:
        raise kind(SECRET) from cause
    except kind as error:
        return error


class Address(StrictSerializer):
    city = serializers.CharField()


class Person(StrictSerializer):
    industry = serializers.CharField()
    address = Address()
    addresses = Address(many=True, required=False)


RAISED = {
    "domain": (CardDeclined(), 402, "card_declined"),
    "domain-404": (NotFound(), 404, "not_found"),
    "http-404": (Http404(SECRET), 404, "not_found"),
    "drf-404": (drf.NotFound(), 404, "not_found"),
    "forbidden": (PermissionDenied(SECRET), 403, "permission_denied"),
    "suspicious": (SuspiciousOperation(SECRET), 400, "bad_request"),
    "too-big": (RequestDataTooBig(SECRET), 413, "payload_too_large"),
    "no-login": (drf.AuthenticationFailed(), 401, "authentication_failed"),
    "not-authenticated": (drf.NotAuthenticated(), 401, "not_authenticated"),
    "token-dead": (TokenDead(), 401, "token_dead"),
    "token-detail": (drf.AuthenticationFailed({"detail": ErrorDetail("Dead.", code="token_x")}), 401, "token_x"),
    "throttled": (drf.Throttled(wait=12.2), 429, "throttled"),
    "busy": (CardDeclined(retry_after=7), 402, "card_declined"),
    "lock": (database_error(OperationalError, psycopg2.errors.LockNotAvailable()), 503, "temporarily_unavailable"),
    "gone": (database_error(OperationalError, psycopg2.OperationalError(SECRET)), 503, "temporarily_unavailable"),
    "closed": (database_error(InterfaceError, psycopg2.InterfaceError(SECRET)), 503, "temporarily_unavailable"),
    "bug": (ValueError(SECRET), 500, "internal_error"),
    "data": (database_error(DataError, psycopg2.DataError(SECRET)), 500, "internal_error"),
    "integrity": (database_error(IntegrityError, psycopg2.IntegrityError(SECRET)), 500, "internal_error"),
}


class Raise(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)

    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name][0]


class SignUp(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)

    def post(self, request: Request) -> Response:
        return success(self.validated(Person), message="Welcome.", status=201)


class Nobody(ApiView):
    authentication_classes = ()
    permission_classes = (DenyAll,)


def broken_page(request):
    raise ValueError(SECRET)


urlpatterns = [
    path("api/raise/<str:name>/", Raise.as_view()),
    path("api/sign-up/", SignUp.as_view()),
    path("api/nobody/", Nobody.as_view()),
    path("api/broken/", broken_page),
    path("page/", broken_page),
]
handler400 = error_views.bad_request
handler403 = error_views.permission_denied
handler404 = error_views.not_found
handler500 = error_views.server_error


def get(name):
    return Client(raise_request_exception=False).get(f"/api/raise/{name}/")


def sign_up(body):
    return Client().post("/api/sign-up/", body, content_type="application/json")


@pytest.mark.parametrize("name", RAISED)
def test_each_exception_has_its_status_and_code_and_the_one_shape(name):
    _, status, code = RAISED[name]

    answer = get(name)

    assert answer.status_code == status
    assert answer.json() == {
        "success": False,
        "message": answer.json()["message"],
        "code": code,
        "errors": {},
        "request_id": answer["X-Request-ID"],
    }
    assert "hunter2" not in answer.content.decode()
    assert answer.json()["message"][0].isupper()


@pytest.mark.parametrize(("name", "seconds"), [("throttled", "13"), ("busy", "7"), ("lock", "2"), ("gone", "2")])
def test_who_should_come_again_is_told_when(name, seconds):
    assert get(name)["Retry-After"] == seconds


@pytest.mark.parametrize("name", ["no-login", "not-authenticated", "token-dead", "token-detail"])
def test_a_401_names_the_scheme(name):
    assert get(name)["WWW-Authenticate"].startswith("Bearer")


def test_every_kind_of_missing_object_looks_the_same():
    bodies = [get(name).json() | {"request_id": ""} for name in ("domain-404", "http-404", "drf-404")]

    assert bodies[0] == bodies[1] == bodies[2]


def test_a_bug_is_logged_with_its_traceback(caplog):
    with caplog.at_level(logging.ERROR, "igny8_core.common.api.exceptions"):
        get("bug")

    record = next(record for record in caplog.records if record.name == "igny8_core.common.api.exceptions")
    assert record.exc_info[1] is RAISED["bug"][0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("55P03", 503),
        ("40P01", 503),
        ("40001", 503),
        ("57014", 503),
        ("57P01", 503),
        ("53300", 503),
        ("22012", 500),
        ("23505", 500),
    ],
)
def test_states_of_postgresql_that_pass_are_503_and_others_500(state, status):
    with connection.cursor() as cursor, pytest.raises(Exception, match="x") as caught:
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$")

    assert exception_handler(caught.value, {}).status_code == status


def test_a_success_has_its_message_and_status():
    answer = sign_up({"industry": "x", "address": {"city": "Lahore"}})

    assert answer.status_code == 201
    assert answer.json() == {
        "success": True,
        "message": "Welcome.",
        "data": {"industry": "x", "address": {"city": "Lahore"}},
    }


def test_one_missing_field_is_named_in_the_message():
    answer = sign_up({"address": {"city": "Lahore"}})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_input"
    assert answer.json()["message"] == "industry is required."
    assert answer.json()["errors"] == {"industry": ["This field is required."]}


def test_nested_errors_are_listed_by_path():
    answer = sign_up({"industry": "", "address": {}, "addresses": [{"city": "x"}, {"city": ""}, 5]})

    assert answer.json()["message"] == "industry: This field may not be blank. (3 more in errors.)"
    assert set(answer.json()["errors"]) == {"industry", "address.city", "addresses.1.city", "addresses.2"}
    assert all(isinstance(sentence, str) for sentences in answer.json()["errors"].values() for sentence in sentences)


@pytest.mark.parametrize(
    ("detail", "flat"),
    [
        (["a"], [("non_field_errors", "a")]),
        ({"x": "a"}, [("x", "a")]),
        ({"x": {"non_field_errors": ["a"]}}, [("x", "a")]),
        ({"non_field_errors": ["a"]}, [("non_field_errors", "a")]),
        ([{"x": ["a"]}, {}], [("0.x", "a")]),
        ({"x": [["a"], "b"]}, [("x.0", "a"), ("x", "b")]),
    ],
)
def test_details_are_flattened_to_paths(detail, flat):
    assert list(flatten_errors(detail)) == flat


def test_deny_all_denies():
    assert Client().get("/api/nobody/").status_code in (401, 403)


def test_outside_the_views_the_api_answers_json_too():
    client = Client(raise_request_exception=False)

    assert client.get("/api/broken/").json()["code"] == "internal_error"
    assert client.get("/api/nothing/").json()["code"] == "not_found"
    assert client.get("/api/nobody/", HTTP_HOST="evil.example.org").json()["code"] == "bad_request"


def test_other_pages_keep_djangos_own_errors():
    client = Client(raise_request_exception=False)

    assert client.get("/page/")["Content-Type"].startswith("text/html")
    assert client.get("/nothing/")["Content-Type"].startswith("text/html")
