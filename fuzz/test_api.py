"""Every operation of the API's description, called with what it allows and with what it does not.

Nothing that is sent may be answered with a 5xx of ours or with something that the description does not say. Each call
is rolled back, so that one that ends a session or an account does not spoil the ones after it.

    bin/fuzz                    a few examples of each operation, as .ci/run does
    bin/fuzz --examples 200     as many as a night has time for
"""

import os
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from igny8_core.wsgi import application
from tests.api import world as worlds

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

api = schemathesis.openapi.from_wsgi("/api/schema/", application)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Two tenants and operators, saved for all calls and taken away at the end."""
    # All calls share a transaction, which a request of its own would end together with its connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with django_db_blocker.unblock(), transaction.atomic():
        yield worlds.build()
        transaction.set_rollback(True)


@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="FUZZ_SEED" not in os.environ,
)
def test_every_answer_is_as_described(case: Any, world: Any) -> None:
    actor = "operator" if "/admin/" in case.path and "confirm" not in case.path else "owner"
    for slot, number in world.a.ids.items():
        # Half of the addresses name something that is there, the other half whatever was made up.
        if slot in case.path_parameters and case.path_parameters[slot] % 2:
            case.path_parameters[slot] = number
    headers = {"Authorization": f"Bearer {world.sessions[actor].access}"}
    with worlds.undone():
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)
