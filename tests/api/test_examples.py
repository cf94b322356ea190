"""The examples of the API's description are true: those that are sent work, those that are answered fit."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from django.utils import timezone

from igny8_core.auth.models import SecondFactor, User
from igny8_core.auth.selectors import settings_version
from igny8_core.auth.services.invitations import invitation_token
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.one_time_codes import STEP_SECONDS, code_at, sealed
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.api.example_operations import ANSWERS, REQUESTS
from igny8_core.common.api.example_values import BY_COMPONENT, BY_NAME
from igny8_core.common.api.examples import example_of
from tests import make
from tests.api.world import WRITABLE, World, send, undone
from tests.contract import description

DEVICE = b"secret of a device.."
METHODS = {"get", "post", "put", "patch", "delete"}
# Only the payment service itself can sign what it sends.
SIGNED_BY_OTHERS = {"receive_paypal_webhook", "receive_stripe_webhook"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in description()["paths"].items():
        for method in item.keys() & METHODS:
            yield path, method, item[method]


def body_examples() -> dict[str, tuple[str, str, Any]]:
    """Method, route and body, by operation."""
    found = {}
    for path, method, operation in operations():
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if media:
            route = path.lstrip("/").replace("{", "<int64:").replace("}", ">")
            found[operation["operationId"]] = (method.upper(), route, media["example"])
    return found


# --- What is sent ---------------------------------------------------------------------------------------------------


def real(world: World) -> dict[str, dict[str, Any]]:
    """By operation: the ids, tokens and secrets that cannot stand in a document, because each world has its own."""
    later = {"until": str(timezone.now().date() + timedelta(days=30))}
    a, password = world.a, {"password": make.PASSWORD}
    user, refresh = {"user": a.member.pk}, {"refresh": world.sessions["owner"].refresh}
    reset, verification = (link_token(a.owner, purpose, timezone.now()) for purpose in Purpose)
    return {
        "change_role": {"present_role": a.member.role},
        "update_account_settings": {"version": settings_version(a.account)},
        "accept_invitation": {"token": invitation_token(a.invitation)},
        "change_password": {"current_password": make.PASSWORD},
        "confirm_password_reset": {"token": reset},
        "confirm_payment": {"invoice_id": a.invoice.pk, "proof": a.proof.pk},
        "confirm_login": password,
        "finish_second_factor": {"otp": code_at(DEVICE, int(timezone.now().timestamp()) // STEP_SECONDS)},
        "create_site": {"industry": world.industry.pk},
        "delete_account": password,
        "grant_site_access": user,
        "invite": {"sites": [a.site.pk]},
        "login": password,
        "logout": refresh,
        "refresh": refresh,
        "spend_credits": {"site": a.site.pk},
        "operator_exempt_account": later,
        "operator_extend_deadline": later,
        "operator_extend_trial": later,
        "operator_create_invoice": {"account": a.account.pk},
        "transfer_ownership": user | password,
        "update_site": {"industry": world.industry.pk},
        "verify_email": {"token": verification},
    }


def is_ayesha(world: World) -> None:
    User.objects.filter(pk=world.a.owner.pk).update(email="ayesha@example.com")


def waits_for_a_device(world: World) -> None:
    SecondFactor.objects.create(user=world.a.owner, pending=sealed(DEVICE))


def is_subscribed(slug: str) -> Callable[[World], None]:
    def subscribe(world: World) -> None:
        payment = make.submitted_payment(make.subscription(world.a.account, make.plan(slug)).invoices.get())
        PaymentService.approve_manual_payment(payment, world.users["operator"])

    return subscribe


def has_canceled(world: World) -> None:
    is_subscribed("starter")(world)
    assert send(world, "POST", "api/v1/billing/subscriptions/cancel/", "owner", {"at_period_end": False}).data


def owes_nothing(world: World) -> None:
    PaymentService.reject_manual_payment(world.a.payment, "No such transfer", world.users["operator"])
    for invoice in Invoice.objects.filter(account=world.a.account, status="pending"):
        InvoiceService.mark_void(invoice, "Agreed", world.users["operator"])


def nothing(world: World) -> None:
    """The world as it is will do."""


# What must have happened before, by operation.
PREPARED: dict[str, Callable[[World], None]] = {
    "cancel_subscription": is_subscribed("starter"),
    "delete_account": owes_nothing,
    "downgrade_subscription": is_subscribed("growth"),
    "finish_second_factor": waits_for_a_device,
    "login": is_ayesha,
    "reactivate_subscription": has_canceled,
    "operator_change_subscription": is_subscribed("starter"),
    "upgrade_subscription": is_subscribed("starter"),
}


@pytest.mark.django_db
def test_each_example_of_a_body_works_as_it_stands(world: World) -> None:
    make.plan("growth", price=Decimal("139.00"), included_credits=2000, max_sites=3)
    actors = {(method, route): actor for method, route, actor in WRITABLE}
    replaced = real(world)
    examples = body_examples()

    assert examples.keys() > SIGNED_BY_OTHERS | replaced.keys() | PREPARED.keys()
    refused = []
    for name in sorted(examples.keys() - SIGNED_BY_OTHERS):
        method, route, example = examples[name]
        # What is replaced is in the example.
        assert replaced.get(name, {}).keys() <= example.keys(), name
        with undone():
            PREPARED.get(name, nothing)(world)
            response = send(world, method, route, actors[method, route], {**example, **replaced.get(name, {})})
        operation = description()["paths"][address_template(route)][method.lower()]
        documented = {status for status in operation["responses"] if status.startswith("2")}
        # A batch answers 200 whatever becomes of its parts.
        if str(response.status_code) not in documented or b'"success":false' in response.content:
            refused.append(f"{name} {example}: {response.content.decode()}")
    assert refused == []


def address_template(route: str) -> str:
    return "/" + route.replace("<int64:", "{").replace(">", "}")


# --- What is answered -----------------------------------------------------------------------------------------------


def answer_examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Operation, schema and example of each answer."""
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                if status.startswith("2") and "example" in media:
                    yield operation["operationId"], media["schema"], media["example"]


def objects_in(example: Any) -> Iterator[dict[str, Any]]:
    if isinstance(example, dict):
        yield example
    for part in example.values() if isinstance(example, dict) else example if isinstance(example, list) else ():
        yield from objects_in(part)


def test_each_example_fits_its_schema() -> None:
    answers = list(answer_examples())
    bodies = [
        (operation["operationId"], media["schema"], media["example"])
        for _, _, operation in operations()
        for media in operation.get("requestBody", {}).get("content", {}).values()
        if "example" in media
    ]

    assert len(answers) > 80
    for name, schema, example in answers + bodies:
        checked = jsonschema.Draft202012Validator(
            {**schema, "components": description()["components"]},
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
        )
        assert [f"{name} {error.json_path}: {error.message}" for error in checked.iter_errors(example)] == []


def test_dates_amounts_and_states_of_an_example_fit_each_other() -> None:
    seen: set[str] = set()
    for name, _, example in answer_examples():
        for found in objects_in(example):
            assert problem_of(found, seen) is None, f"{name}: {problem_of(found, seen)} in {json.dumps(found)}"
    assert len(seen) == 10


def problem_of(found: dict[str, Any], seen: set[str]) -> str | None:
    """What cannot be of an object in an example, or None; `seen` gets the names of the rules that had something."""
    for rule, (fields, holds) in RULES.items():
        if fields <= found.keys() and all(found[field] is not None for field in fields):
            seen.add(rule)
            if not holds(found):
                return rule
    if "text" in found.values():
        return "nothing is said of a field"
    numbers = [value for value in found.values() if type(value) is int]
    return "no such number" if any(abs(number) >= 10**6 for number in numbers) else None


def days(found: dict[str, Any], first: str, last: str) -> bool:
    return date.fromisoformat(found[first]) <= date.fromisoformat(found[last])


def times(found: dict[str, Any], first: str, last: str) -> bool:
    return datetime.fromisoformat(found[first]) < datetime.fromisoformat(found[last])


def lines_total(found: dict[str, Any]) -> Decimal:
    return sum((Decimal(line["amount"]) * line["quantity"] for line in found["line_items"]), Decimal(0))


RULES: dict[str, tuple[set[str], Callable[[dict[str, Any]], bool]]] = {
    "due after it is made": ({"invoice_date", "due_date"}, lambda it: days(it, "invoice_date", "due_date")),
    "made on its day": ({"invoice_date", "created_at"}, lambda it: it["created_at"].startswith(it["invoice_date"])),
    "expires later": ({"created_at", "expires_at"}, lambda it: times(it, "created_at", "expires_at")),
    "a period has a length": (
        {"current_period_start", "current_period_end"},
        lambda it: times(it, "current_period_start", "current_period_end"),
    ),
    "a paid invoice has a time": ({"due_date", "status"}, lambda it: (it["status"] == "paid") == bool(it["paid_at"])),
    "the lines are the subtotal": (
        {"line_items", "subtotal"},
        lambda it: lines_total(it) == Decimal(it["subtotal"]),
    ),
    "subtotal and tax are the total": (
        {"subtotal", "tax", "total"},
        lambda it: Decimal(it["subtotal"]) + Decimal(it["tax"]) == Decimal(it["total"]),
    ),
    "not more is given back than was paid": (
        {"amount", "refunded_amount"},
        lambda it: Decimal(it["refunded_amount"]) <= Decimal(it["amount"]),
    ),
    "not more is left than was granted": ({"amount", "remaining"}, lambda it: it["remaining"] <= it["amount"]),
    "only who is suspended has a reason": (
        {"suspended_reason", "status"},
        lambda it: (it["status"] == "suspended") == bool(it["suspended_reason"]),
    ),
}


# --- The tables behind them -----------------------------------------------------------------------------------------


def test_everything_that_examples_are_made_of_is_in_the_description() -> None:
    schemas = description()["components"]["schemas"]
    fields: dict[str, set[str]] = {}
    for name, schema in schemas.items():
        base = name.removeprefix("Patched").removesuffix("Request")
        fields.setdefault(base, set()).update(schema.get("properties", {}))
    named = {operation["operationId"] for _, _, operation in operations()}

    assert BY_COMPONENT.keys() - fields.keys() == set()
    for name, values in BY_COMPONENT.items():
        assert values.keys() - fields[name] == set(), name
    assert (REQUESTS.keys() | ANSWERS.keys()) - named == set()
    assert BY_NAME.keys() - set().union(*fields.values()) == set()


def test_what_is_said_of_a_place_goes_before_what_is_said_of_its_component_and_its_name() -> None:
    components = {
        "SiteOutput": {"type": "object", "properties": {"name": {"type": "string"}, "slug": {"type": "string"}}}
    }
    schema = {"type": "object", "properties": {"site": {"$ref": "#/components/schemas/SiteOutput"}}}

    assert example_of(schema, components) == {"site": {"name": "My shop", "slug": "my-shop"}}
    assert example_of(schema, components, {"site": {"slug": "other"}}) == {"site": {"name": "My shop", "slug": "other"}}
    assert example_of(schema, components, {"site": None}) == {"site": None}
