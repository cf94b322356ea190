"""Every operation of the API's description, called with what it allows and with what it does not.

Nothing that is sent may be answered with a 5xx of ours or with something that the description does not say. Each call
is rolled back, so that one that ends a session or an account does not spoil the ones after it.

    bin/fuzz                    a few examples of each operation, as .ci/run does
    bin/fuzz --examples 200     as many as a night has time for
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.wsgi import application
from tests import make
from tests.api.world import World, build, undone
from tests.snapshots import restored

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

api = schemathesis.openapi.from_wsgi("/api/schema/", application)
# Methods that an address does not have are asked of each by tests/api/test_matrix.py.
api.config.phases.coverage.unexpected_methods = set()
if "/api/v1/admin/accounts/" not in api.raw_schema["paths"]:
    raise RuntimeError("The description has no operations for operators. Set DJANGO_DEBUG=1, as bin/test does.")


@pytest.fixture
def world(db: None, stripe: FakeStripe, paypal: FakePayPal) -> Iterator[World]:
    """Two tenants and operators, saved in the transaction of the test, which all its calls share.

    Card and PayPal are offered, with stand-ins at the other end.
    """
    # A request of its own would end the transaction together with its connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    world = restored("the API's world", build)
    make.payment_method(payment_method="stripe", display_name="Card")
    make.payment_method(payment_method="paypal", display_name="PayPal")
    yield world
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@api.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # CI must give the same answer twice; a night's run is to find what nobody thought of.
    derandomize="CI" in os.environ,
)
def test_every_answer_is_as_described(case: Any, world: World) -> None:
    actor = "operator" if "/admin/" in case.path and "confirm" not in case.path else "owner"
    for slot, number in world.a.ids.items():
        # Half of the addresses name something that is there, the other half whatever was made up.
        if slot in case.path_parameters and len(str(case.path_parameters[slot])) % 2:
            case.path_parameters[slot] = number
    headers = {"Authorization": f"Bearer {world.sessions[actor].access}"}
    with undone():
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)
