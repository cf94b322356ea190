"""The OpenAPI document says what clients really get: envelopes, errors, filters."""

import jsonschema
import pytest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.validation import validate_schema
from rest_framework import serializers
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.common.api.envelope import success
from igny8_core.common.api.fields import MoneyField
from igny8_core.common.api.openapi import BARE, add_envelopes
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.query import date_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.schema import ApiSchema
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.views import ApiView, ListViewSet
from igny8_core.common.errors import DomainError
from igny8_core.common.models import RateCounter


class OpenApiBill(StrictSerializer):
    amount = MoneyField()


class OpenApiBills(ListViewSet):
    schema = ApiSchema()
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    serializer_class = OpenApiBill
    filters = {"from": date_filter("x__gte")}
    orderings = {"amount": "amount"}
    default_ordering = "-amount"

    def rows(self):
        return RateCounter.objects.none()


class BillPaid(DomainError):
    code = "bill_paid"
    http_status = 409
    text = "This bill is paid."


class OpenApiPay(ApiView):
    schema = ApiSchema()
    authentication_classes = (BasicAuthentication,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(request=OpenApiBill, responses={201: OpenApiBill})
    @refuses(BillPaid)
    def post(self, request: Request, id: int) -> Response:
        return success()


class OpenApiBare(ApiView):
    schema = ApiSchema()
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    is_limited = False

    @extend_schema(responses=serializers.ListSerializer(child=OpenApiBill()), extensions={BARE: True})
    def get(self, request: Request) -> Response:
        return Response([])


PATTERNS = [
    path("api/bills/", OpenApiBills.as_view({"get": "list"})),
    path("api/bills/<int:id>/pay/", OpenApiPay.as_view()),
    path("api/bare/", OpenApiBare.as_view()),
]


@pytest.fixture
def document():
    raw = SchemaGenerator(patterns=PATTERNS).get_schema(request=None, public=True)
    return raw if "ErrorEnvelope" in raw["components"]["schemas"] else add_envelopes(raw, None, None, True)


def answers(document, address, method):
    """By status, with those that are shared in their place."""
    return {
        status: document["components"]["responses"][described["$ref"].rpartition("/")[2]]
        if "$ref" in described
        else described
        for status, described in document["paths"][address][method]["responses"].items()
    }


def schema_of(document, address, method, status):
    schema = answers(document, address, method)[status]["content"]["application/json"]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def test_the_document_is_valid(document):
    validate_schema(document)


def test_an_object_is_wrapped_in_the_envelope(document):
    schema = schema_of(document, "/api/bills/{id}/pay/", "post", "201")

    assert schema["required"] == ["success", "message", "data"]
    assert schema["properties"]["data"]["$ref"] == "#/components/schemas/OpenApiBill"


def test_a_page_is_described_once_with_its_count_and_links(document):
    schema = schema_of(document, "/api/bills/", "get", "200")

    assert list(schema["properties"]) == ["success", "data", "count", "next", "previous"]
    assert schema["properties"]["data"]["items"] == {"$ref": "#/components/schemas/OpenApiBill"}


def test_a_bare_array_stays_bare_and_the_mark_is_gone(document):
    assert schema_of(document, "/api/bare/", "get", "200")["type"] == "array"
    assert BARE not in document["paths"]["/api/bare/"]["get"]


def test_a_list_names_its_filters_and_orderings(document):
    parameters = {
        parameter["name"]: parameter["schema"] for parameter in document["paths"]["/api/bills/"]["get"]["parameters"]
    }

    assert set(parameters) == {"page", "page_size", "from", "ordering"}
    assert parameters["from"] == {"type": "string", "format": "date"}
    assert parameters["ordering"]["enum"] == ["amount", "-amount"]


def test_every_refusal_is_the_error_envelope(document):
    expected = {"201", "400", "401", "403", "404", "406", "409", "413", "415", "429", "503"}
    responses = answers(document, "/api/bills/{id}/pay/", "post")

    assert set(responses) == expected
    for status in expected - {"201"}:
        schema = schema_of(document, "/api/bills/{id}/pay/", "post", status)
        assert schema["allOf"] == [{"$ref": "#/components/schemas/ErrorEnvelope"}]
        assert responses[status]["description"]
    assert "Retry-After" in responses["503"]["headers"]


def test_a_refusal_names_the_codes_that_it_can_have(document):
    codes = {
        status: schema_of(document, "/api/bills/{id}/pay/", "post", status)["properties"]["code"]["enum"]
        for status in document["paths"]["/api/bills/{id}/pay/"]["post"]["responses"]
        if status >= "4"
    }

    assert codes["409"] == ["bill_paid"]
    assert codes["400"] == ["bad_request", "invalid_input", "parse_error"]
    assert codes["401"] == ["authentication_failed", "not_authenticated"]


def test_only_an_operation_that_is_counted_says_that_it_can_be_throttled(document):
    assert "429" in document["paths"]["/api/bills/"]["get"]["responses"], "the general limits"
    assert "429" not in document["paths"]["/api/bare/"]["get"]["responses"], "is_limited = False"


def test_bodies_and_answers_have_an_example(document):
    operation = document["paths"]["/api/bills/{id}/pay/"]["post"]

    assert operation["responses"]["201"]["content"]["application/json"]["example"]["success"] is True
    jsonschema.validate(
        operation["responses"]["201"]["content"]["application/json"]["example"],
        {**schema_of(document, "/api/bills/{id}/pay/", "post", "201"), "components": document["components"]},
    )


def test_a_public_operation_needs_no_credential(document):
    operation = document["paths"]["/api/bare/"]["get"]

    assert "security" not in operation
    assert "401" not in operation["responses"]


def test_every_answer_carries_the_request_id(document):
    responses = [
        response
        for address, item in document["paths"].items()
        for method in item
        for response in answers(document, address, method).values()
    ]

    assert len(responses) > 10
    assert all("X-Request-ID" in response["headers"] for response in responses)
