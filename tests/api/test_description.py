"""The API describes itself: what the document says, how it is served, and the pages made from it."""

import gzip
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from igny8_core.common.api import published
from igny8_core.common.api.openapi import operations
from igny8_core.common.api.published import whole_document, without_operators
from tests.api.world import World, address, refusal, routes
from tests.contract import description

pytestmark = pytest.mark.django_db

# A summary is an order: what this operation does, and not a name of a thing.
VERBS = {
    *(
        "Accept",
        "Activate",
        "Add",
        "Adjust",
        "Analyse",
        "Approve",
        "Begin",
        "Cancel",
        "Change",
        "Confirm",
        "Continue",
        "Count",
        "Create",
        "Disable",
        "Enable",
        "End",
    ),
    *(
        "Delete",
        "Download",
        "Downgrade",
        "Exempt",
        "Extend",
        "Go",
        "Grant",
        "Invite",
        "List",
        "Log",
        "Make",
        "Pay",
        "Preview",
        "Purchase",
    ),
    *(
        "Reactivate",
        "Receive",
        "Refresh",
        "Refund",
        "Reject",
        "Remove",
        "Renew",
        "Request",
        "Resend",
        "Retrieve",
        "Retry",
        "Revoke",
    ),
    *("Show", "Sign", "Spend", "Suspend", "Transfer", "Update", "Upgrade", "Upload", "Verify", "Void"),
}


# --- What the document says -----------------------------------------------------------------------------------------


def test_the_document_is_valid_and_its_paths_are_the_routes() -> None:
    document = description()

    validate_schema(document)
    assert document["openapi"].startswith("3.1")
    documented = {path.lstrip("/") for path in document["paths"]}
    real = {re.sub(r"<\w+:(\w+)>", r"{\1}", route) for route in routes() if route.startswith("api/v1/")}
    assert documented == real


def test_every_documented_operation_answers_with_a_documented_status(world: World) -> None:
    for path, method, operation in operations(description()):
        route = re.sub(r"\{(\w+)\}", r"<int64:\1>", path).lstrip("/")
        for actor in ("anonymous", "owner"):
            response = world.client(actor).generic(
                method.upper(), address(route, world.a.ids), "{}", content_type="application/json"
            )
            assert str(response.status_code) in operation["responses"], f"{method} {path}: {response.status_code}"


def test_each_operation_has_a_summary_of_its_own_in_english() -> None:
    summaries = {operation["operationId"]: operation["summary"] for _, _, operation in operations(description())}

    assert len(summaries) > 90
    assert len(set(summaries.values())) == len(summaries)
    for summary in summaries.values():
        assert summary.split()[0] in VERBS, summary
        assert len(summary) <= 60, summary
        assert re.fullmatch(r"[A-Z][A-Za-z' /,()-]+[A-Za-z)/]", summary), summary


def test_each_operation_has_a_heading_and_each_heading_operations() -> None:
    used = {tag for _, _, operation in operations(description()) for tag in operation["tags"]}

    assert used == {tag["name"] for tag in description()["tags"]}


def test_a_default_is_told_in_words_because_generated_clients_would_always_send_it() -> None:
    fields = {
        f"{schema}.{name}": field
        for schema, described in description()["components"]["schemas"].items()
        for name, field in described.get("properties", {}).items()
    }

    assert len(fields) > 500
    assert [name for name, field in fields.items() if "default" in field] == []
    assert fields["CancelInputRequest.at_period_end"]["description"].endswith("If left out: true.")


# --- Customers see their part ---------------------------------------------------------------------------------------


def test_in_production_only_operators_get_the_operators_part(world: World) -> None:
    assert not django_settings.DEBUG
    tags = {actor: tags_of(world.client(actor)) for actor in ("anonymous", "owner", "operator")}

    assert "operators" in tags["operator"]
    assert tags["anonymous"] == tags["owner"] == tags["operator"] - {"operators"}


def test_on_a_developer_s_machine_everybody_gets_the_whole(api: APIClient, settings: Any) -> None:
    settings.DEBUG = True

    assert "operators" in tags_of(api)


def tags_of(client: APIClient) -> set[str]:
    return {tag for _, _, operation in operations(client.get("/api/schema/").json()) for tag in operation["tags"]}


def test_a_dead_token_is_refused_rather_than_answered_with_less(api: APIClient) -> None:
    response = api.get("/api/schema/", HTTP_AUTHORIZATION="Bearer forged")

    assert response.status_code == 401
    refusal(response)


def test_the_customers_document_is_whole_and_holds_nothing_of_the_operators(api: APIClient) -> None:
    document = api.get("/api/schema/").json()
    text = json.dumps(document)

    # What it has is as in the whole one, which is valid.
    whole = description()
    parts = {name: whole[name] for name in ("paths", "components", "tags")}
    assert {**document, **parts} == whole
    for path, item in document["paths"].items():
        assert item.items() <= whole["paths"][path].items()
    for kind, components in document["components"].items():
        assert components.items() <= whole["components"][kind].items()
    assert all(tag in whole["tags"] for tag in document["tags"])
    assert not [path for path in document["paths"] if path.startswith("/api/v1/admin/")]
    assert not [name for name in document["components"]["schemas"] if f"schemas/{name}" not in text]
    left_out = description()["components"]["schemas"].keys() - document["components"]["schemas"].keys()
    assert len(left_out) > 20
    assert without_operators(document) == document


# --- How it is served -----------------------------------------------------------------------------------------------


def test_eight_first_callers_have_it_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []

    def build() -> dict[str, Any]:
        built.append(1)
        return whole_document()

    monkeypatch.setattr(published, "whole_document", build)
    published._documents.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        documents = list(pool.map(lambda _: published.published(for_operators=True), range(8)))

    assert len(built) == 1
    assert all(document is documents[0] for document in documents)


def test_the_document_is_a_fraction_of_what_it_says() -> None:
    document = published.published(for_operators=True)

    assert json.loads(document.plain) == whole_document()
    assert len(document.plain) < len(json.dumps(whole_document(), indent=2)) * 0.6
    assert len(document.gzipped) < len(document.plain) / 5


def test_who_has_the_document_gets_no_second_one(api: APIClient) -> None:
    first = api.get("/api/schema/")
    tag = first["ETag"]

    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    assert api.get("/api/schema/", HTTP_IF_NONE_MATCH='"another"').status_code == 200
    again = api.get("/api/schema/", HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.content) == (304, b"")
    for header in ("ETag", "Cache-Control", "Vary"):
        assert again[header] == first[header]


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.5", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("", False),
    ],
)
def test_it_is_compressed_for_who_takes_that(api: APIClient, accepted: str, zipped: bool) -> None:
    plain = api.get("/api/schema/")
    response = api.get("/api/schema/", HTTP_ACCEPT_ENCODING=accepted)

    assert response.get("Content-Encoding") == ("gzip" if zipped else None)
    assert (gzip.decompress(response.content) if zipped else response.content) == plain.content
    assert (response["ETag"] != plain["ETag"]) == zipped


def test_caches_keep_the_public_document_apart_from_the_operators(world: World) -> None:
    public, own = (world.client(actor).get("/api/schema/") for actor in ("anonymous", "operator"))

    assert (public["Cache-Control"], own["Cache-Control"]) == ("public, max-age=300", "private, max-age=300")
    assert public["ETag"] != own["ETag"]
    for response in (public, own):
        assert {"Accept-Encoding", "Authorization"} <= set(response["Vary"].split(", "))


@pytest.mark.usefixtures("throttling")
def test_a_flood_from_one_network_is_told_to_wait(api: APIClient, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "schema": ["3/minute"]}

    statuses = [api.get("/api/schema/").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert api.get("/api/schema/", REMOTE_ADDR="198.51.100.7").status_code == 200
    refused = api.get("/api/schema/")
    assert int(refused["Retry-After"]) > 0
    refusal(refused)


# --- Pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/codes/"])
def test_a_page_of_the_documentation_names_no_other_server(api: APIClient, path: str) -> None:
    page = api.get(path)

    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    assert re.findall(r"https?://[^\"'\s]+", page.content.decode()) == []
    assert "<title>igny8_core API: " in page.content.decode()
    policy = page["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "http" not in policy


@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/codes/", "/api/schema/"])
@pytest.mark.parametrize("query", ["lang=de", "version=2", "foo=1", "script=1&script=2"])
def test_documentation_takes_no_parameters(api: APIClient, path: str, query: str) -> None:
    response = api.get(f"{path}?{query}")

    assert response.status_code == 400
    refusal(response)


def test_the_page_of_codes_is_what_the_code_says() -> None:
    with io.StringIO() as printed:
        call_command("list_error_codes", stdout=printed)
        text = printed.getvalue()

    page = Path(django_settings.BASE_DIR) / "docs" / "api-codes.md"
    assert page.read_text(encoding="utf-8") == text, "Run: manage.py list_error_codes > docs/api-codes.md"


def test_the_page_of_codes_has_every_code_that_the_description_has(api: APIClient) -> None:
    page = (Path(django_settings.BASE_DIR) / "docs" / "api-codes.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"(?m)^\| `([a-z_]+)` \| (\d{3}) \|", page))
    declared = {
        (code, status)
        for _, _, operation in operations(description())
        for status in operation["responses"]
        if status >= "4"
        for code in codes_at(operation, status)
    }

    assert len(declared) > 90
    assert {(code, rows.get(code)) for code, _ in declared} == declared
    shown = api.get("/api/docs/codes/").content.decode()
    assert "amount_mismatch" in shown
    assert "own_account_payment" not in shown


def codes_at(operation: dict[str, Any], status: str) -> list[str]:
    response = operation["responses"][status]
    if "$ref" in response:
        response = description()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    codes: list[str] = schema["properties"]["code"]["enum"]
    return codes
