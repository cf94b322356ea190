"""Every answer that any test gets from the API is held against the API's own description.

Loaded for the whole suite by conftest.py: a status, an error code or a field that the description does not have fails
the test that got it.
"""

import json
import re
from functools import cache, wraps
from typing import Any

import jsonschema
import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

DESCRIBED = "/api/v1/"
# What the frame answers to requests that are no operation of the description.
NOT_AN_OPERATION = {405, 411}


@cache
def description() -> dict[str, Any]:
    # Not at the top: pytest reads this file before it has read the settings.
    from igny8_core.common.api.published import whole_document

    return whole_document()


@cache
def operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Address patterns with their operations by method; those with fewer slots first."""
    paths = sorted(description()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[1-9][0-9]{0,17}", path)), item) for path, item in paths]


@cache
def validator(method: str, pattern: str, status: str) -> Any:
    operation = next(item[method] for found, item in operations() if found.pattern == pattern)
    schema = answer(operation, status)["content"]["application/json"]["schema"]
    return jsonschema.Draft202012Validator({**schema, "components": description()["components"]})


def answer(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """What the description says of one status of an operation; many operations share what it refers to."""
    described: dict[str, Any] = operation["responses"][status]
    if "$ref" not in described:
        return described
    shared: dict[str, Any] = description()["components"]["responses"][described["$ref"].rpartition("/")[2]]
    return shared


def problem_with(method: str, path: str, response: HttpResponse) -> str | None:
    """What the description does not say of an answer, or None."""
    found = next(((pattern, item) for pattern, item in operations() if pattern.fullmatch(path)), None)
    if found is None or method not in found[1] or response.status_code in NOT_AN_OPERATION:
        return None
    pattern, operation, status = found[0], found[1][method], str(response.status_code)
    if status not in operation["responses"]:
        return f"answered {status}, which is not described: {response.content[:300]!r}"
    if "application/json" not in answer(operation, status).get("content", {}) or response.streaming:
        return None
    if not response["Content-Type"].startswith("application/json"):
        return f"answered {response['Content-Type']}"
    errors = validator(method, pattern.pattern, status).iter_errors(json.loads(response.content))
    return next((f"answered {status} {error.json_path}: {error.message[:300]}" for error in errors), None)


@pytest.fixture(autouse=True, scope="session")
def every_answer_is_described() -> None:
    """Hold each answer of Django's and DRF's test clients against the description."""
    request = Client.request

    @wraps(request)
    def checked(self: Client, **environ: Any) -> Any:
        response = request(self, **environ)
        if settings.ROOT_URLCONF == "igny8_core.urls" and environ["PATH_INFO"].startswith(DESCRIBED):
            method = environ["REQUEST_METHOD"]
            problem = problem_with(method.lower(), environ["PATH_INFO"], response)
            assert problem is None, f"{method} {environ['PATH_INFO']} {problem}"
        return response

    Client.request = checked  # type: ignore[method-assign]
