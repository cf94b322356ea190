"""A client cannot write what is not its to write, nor use what it has not paid for (MAS-01 to MAS-07)."""

import json
from contextlib import nullcontext
from itertools import cycle, product
from typing import Any

import pytest
from django.apps import apps
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, AccountStatus, Industry, Plan, Site, User
from igny8_core.business.billing.models import Invoice, InvoiceStatus, Payment, PaymentStatus
from tests import make
from tests.api import people, purchases, staff
from tests.api.world import WRITABLE, World, address, body, fingerprint, refusal, send, undone

pytestmark = pytest.mark.django_db

REGISTER = "/api/v1/auth/register/"
SIGNUP = {
    "email": "new@example.com",
    "password": make.PASSWORD,
    "password_confirm": make.PASSWORD,
    "first_name": "Nora",
    "last_name": "New",
}


def sign_up(**fields: Any) -> Any:
    return APIClient().post(REGISTER, {**SIGNUP, **fields}, format="json")


# --- MAS-01: which plans can be had by signing up -----------------------------------------------------------------


@pytest.mark.parametrize(("is_public", "is_active"), [(False, True), (True, False), (False, False)])
@pytest.mark.parametrize("price", [0, 89])
def test_a_plan_that_is_not_public_and_active_cannot_be_signed_up_for(
    defaults: None, is_public: bool, is_active: bool, price: int
) -> None:
    hidden = make.plan("hidden", price=price, is_public=is_public, is_active=is_active)
    before = fingerprint()

    for slug in ("hidden", "HIDDEN", " hidden ", str(hidden.pk), "internal", "Internal", "INTERNAL", "none", "*", "%"):
        response = sign_up(plan_slug=slug, billing_country="PK")

        assert response.status_code == 400, slug
        assert refusal(response)["code"] == "plan_not_offered"
    assert fingerprint() == before


def test_a_plan_slug_that_is_no_slug_is_400(defaults: None) -> None:
    before = fingerprint()

    for slug in (1, 1.5, True, None, ["starter"], {"slug": "starter"}, "x" * 51, "star\u200bter"):
        response = sign_up(plan_slug=slug)

        assert response.status_code == 400, ascii(slug)
        assert list(refusal(response)["errors"]) == ["plan_slug"], ascii(slug)
    assert fingerprint() == before


def test_every_other_name_for_a_plan_is_an_unknown_field(defaults: None) -> None:
    names = ["plan", "plan_id", "plan_name", "internal", "pending_plan", "trial", "coupon"]

    response = sign_up(**dict.fromkeys(names, "internal"))

    assert set(refusal(response)["errors"]) == set(names)
    assert not User.objects.exists()


def test_without_a_free_plan_on_offer_nobody_signs_up_for_free(defaults: None) -> None:
    Plan.objects.filter(slug="free").update(is_active=False)

    assert sign_up().status_code == 400
    assert not Account.objects.exists()


# --- MAS-02, 05: fields that are not part of an operation -----------------------------------------------------------

DANGEROUS = [
    "id", "pk", "credits", "balance", "status", "is_staff", "is_superuser", "is_active", "role", "account",
    "account_id", "plan", "trial_ends_at", "email_verified", "price_snapshot", "groups", "user_permissions",
    "price", "discount", "tax", "total", "subtotal", "currency", "quantity", "line_items", "metadata",
    "approved_by", "approved_at", "paid_at", "refunded_amount", "max_sites", "included_credits", "owner",
    "__class__", "constructor", "_state", "password_hash", "user.is_staff", "account[credits]", "",
]  # fmt: skip


def accepted(method: str, route: str) -> set[str]:
    """Fields that an operation takes: told by the operation itself when it refuses another one."""
    inputs = {
        "auth/register/": "email password password_confirm first_name last_name account_name plan_slug payment_method"
        " billing_email billing_address_line1 billing_address_line2 billing_city billing_state billing_postal_code"
        " billing_country tax_id",
        "auth/account/": "account_name plan_slug payment_method"
        " billing_email billing_address_line1 billing_address_line2 billing_city billing_state billing_postal_code"
        " billing_country tax_id",
        "auth/login/": "email password otp",
        "auth/refresh/": "refresh",
        "auth/logout/": "refresh",
        "auth/me/": "first_name last_name language",
        "auth/password/change/": "current_password new_password",
        "sites/": "name domain industry industry_id",
        "sites/<int64:site_id>/": "name domain industry industry_id status",
        "billing/admin/payments/confirm/": "invoice_id payment_method amount manual_reference manual_notes proof_url"
        " proof transferred_on payer_name",
        "billing/subscriptions/create/": "plan_slug payment_method",
        "billing/subscriptions/preview/": "plan_slug",
        "billing/subscriptions/upgrade/": "plan_slug expected_total expected_renewal_amount quote_token",
        "billing/subscriptions/downgrade/": "plan_slug expected_total expected_renewal_amount quote_token",
        "billing/subscriptions/cancel/": "at_period_end",
        "billing/subscriptions/reactivate/": "payment_method",
        "billing/admin/payments/<int64:payment_id>/approve/": "admin_notes override_duplicate",
        "billing/admin/payments/<int64:payment_id>/reject/": staff.REJECTION,
    }
    others = staff.accepted() | people.ACCEPTED | purchases.ACCEPTED
    named = others.get((method, route))
    return set((inputs[route.removeprefix("api/v1/")] if named is None else named).split())


def batched(names: list[str], size: int) -> list[list[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]


def column_names() -> set[str]:
    fields = {field for model in apps.get_models() for field in model._meta.get_fields()}
    return {field.name for field in fields} | {getattr(field, "attname", field.name) for field in fields}


@pytest.mark.stress
def test_every_column_of_every_table_is_refused_where_it_is_not_part_of_the_operation(world: World) -> None:
    """All names fifty at a time, and two of them alone at each operation, in turn."""
    names_of_columns, before = column_names() | set(DANGEROUS), fingerprint()
    single = cycle(["is_staff", "credits", "role", "account", "price", "metadata", ""])

    for method, route, actor in WRITABLE:
        right = body(world, method, route, actor) or {}
        for names in batched(sorted(names_of_columns - accepted(method, route)), 50):
            together = send(world, method, route, actor, {**right, **dict.fromkeys(names, 1)})
            assert together.status_code == 400, f"{method} {route}"
            assert set(refusal(together)["errors"]) == {name or "non_field_errors" for name in names}
        for name in (next(single), next(single)):
            alone = send(world, method, route, actor, {**right, name: True})
            assert alone.status_code == 400, f"{name} to {method} {route}"
    assert fingerprint() == before


FORMS = [
    ("application/x-www-form-urlencoded", "is_staff=1&credits=1000"),
    ("multipart/form-data; boundary=b", '--b\r\nContent-Disposition: form-data; name="role"\r\n\r\nowner\r\n--b--\r\n'),
]


def test_fields_do_not_slip_in_as_a_form_or_nested(world: World) -> None:
    """One form and one name at each operation, in turn."""
    before, forms, names = fingerprint(), cycle(FORMS), cycle(["user", "account", "invoice", "data"])

    for method, route, actor in WRITABLE:
        right, path = body(world, method, route, actor) or {}, address(route, world.ids(route, actor))
        content_type, content = next(forms)
        response = world.client(actor).generic(method, path, content, content_type=content_type)
        assert response.status_code == 415, f"{content_type} to {route}"
        refusal(response)
        name = next(names)
        nested = {**right, name: {"is_staff": True, "credits": 9}}
        assert send(world, method, route, actor, nested).status_code == 400, f"{name} to {method} {route}"
    assert fingerprint() == before


def test_what_a_member_sends_about_themselves_changes_their_names_only(world: World) -> None:
    assert send(world, "PATCH", "api/v1/auth/me/", "viewer", {"first_name": "Bob", "last_name": ""}).status_code == 200

    bob = User.objects.get(email="bob@example.com")
    assert (bob.first_name, bob.role, bob.is_staff, bob.is_superuser) == ("Bob", "viewer", False, False)


# --- MAS-03: what is paid for ---------------------------------------------------------------------------------------

GATED = [("POST", "api/v1/sites/"), ("PATCH", "api/v1/sites/<int64:site_id>/"), *purchases.GATED]
STATES = [
    ("trial", "", True, ""),
    ("active", "", True, ""),
    ("past_due", "", True, ""),
    ("pending_payment", "", False, "payment_required"),
    ("suspended", "non_payment", False, "payment_required"),
    ("suspended", "operator", False, "account_suspended"),
    ("canceled", "", False, "account_canceled"),
]


@pytest.mark.parametrize(("status", "reason", "is_usable", "code"), STATES)
def test_gated_routes_follow_the_state_of_the_account(
    world: World, status: str, reason: str, is_usable: bool, code: str
) -> None:
    Account.objects.filter(pk=world.a.account.pk).update(status=status, suspended_reason=reason)
    assert {row[0] for row in STATES} == set(AccountStatus.values)

    before = fingerprint()

    for method, route in GATED:
        # Not undone where it is refused: what it wrote would be seen.
        with undone() if is_usable else nullcontext():
            response = send(world, method, route, "owner", body(world, method, route))
            assert not is_usable or fingerprint() != before
        if is_usable:
            assert response.status_code in {200, 201}
        else:
            assert response.status_code == (402 if code == "payment_required" else 403)
            assert refusal(response)["code"] == code
    assert fingerprint() == before


def test_an_unpaid_account_reads_and_pays_but_has_no_credits(defaults: None, api: APIClient) -> None:
    data = sign_up(plan_slug="starter", billing_country="PK").json()["data"]
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {data['token']}")

    assert api.get("/api/v1/billing/credits/balance/").json()["data"]["credits"] == 0
    assert api.get("/api/v1/billing/invoices/").json()["count"] == 1
    assert api.post("/api/v1/sites/", {"name": "S", "industry": make.industry().pk}, format="json").status_code == 402
    assert not Site.objects.exists()


STEPS = {
    "sign up": set[str](),
    "log in": {"sign up"},
    "confirm": {"log in"},
    "approve": {"confirm"},
    "site": {"log in", "approve"},
}


def test_no_order_of_the_signup_steps_gives_anything_before_it_is_paid(defaults: None, olga: User) -> None:
    """Tries every step from every state that any of the 120 orders of the steps can reach."""
    operator = APIClient()
    operator.force_authenticate(olga)

    reached = _explore(frozenset(), APIClient(), operator)

    assert reached == {
        frozenset(),
        frozenset({"sign up"}),
        frozenset({"sign up", "log in"}),
        frozenset({"sign up", "log in", "confirm"}),
        frozenset({"sign up", "log in", "confirm", "approve"}),
        frozenset({"sign up", "log in", "confirm", "approve", "site"}),
    }


def _explore(done: frozenset[str], customer: APIClient, operator: APIClient) -> set[frozenset[str]]:
    account = Account.objects.first()
    assert (account.credits if account else 0) == (1000 if "approve" in done else 0), done
    assert Site.objects.count() == ("site" in done), done
    reached = {done}
    for step in STEPS.keys() - done:
        with undone():
            before = fingerprint()
            response = _take(step, customer, operator)
            assert (response.status_code < 300) == (STEPS[step] <= done), f"{step} after {sorted(done)}"
            if response.status_code >= 300:
                refusal(response)
                assert fingerprint() == before, f"{step} after {sorted(done)}"
                continue
            walker = customer
            if step == "log in":
                walker = APIClient()
                walker.credentials(HTTP_AUTHORIZATION=f"Bearer {response.json()['data']['token']}")
            reached |= _explore(done | {step}, walker, operator)
    return reached


def _take(step: str, customer: APIClient, operator: APIClient) -> Any:
    invoice, payment = Invoice.objects.first(), Payment.objects.first()
    confirmation = {
        "invoice_id": invoice.pk if invoice else 1,
        "payment_method": "bank_transfer",
        "amount": "89.00",
        "manual_reference": "BT-1",
    }
    login = {"email": SIGNUP["email"], "password": make.PASSWORD}
    approval = f"/api/v1/billing/admin/payments/{payment.pk if payment else 1}/approve/"
    client, path, data = {
        "sign up": (APIClient(), REGISTER, {**SIGNUP, "plan_slug": "starter"}),
        "log in": (APIClient(), "/api/v1/auth/login/", login),
        "confirm": (customer, "/api/v1/billing/admin/payments/confirm/", confirmation),
        "approve": (operator, approval, {}),
        "site": (customer, "/api/v1/sites/", {"name": "Shop", "industry": Industry.objects.first().pk}),
    }[step]
    return client.post(path, data, format="json")


# --- MAS-04: free credits once per address ------------------------------------------------------------------------


def case_variants(email: str, count: int) -> list[str]:
    letters = [(letter.lower(), letter.upper()) for letter in email.split("@")[0]]
    return ["".join(choice) + "@" + email.split("@")[1] for choice in product(*letters)][:count]


def test_variants_of_one_address_get_one_account(defaults: None) -> None:
    assert sign_up(email="freebie@example.com").status_code == 201
    variants = [
        *case_variants("freebie@example.com", 10),
        "freebie@EXAMPLE.com", "FREEBIE@EXAMPLE.COM", " freebie@example.com", "freebie@example.com ",
        "\tfreebie@example.com",
        "freebie@example.com\n",
    ]  # fmt: skip

    for email in variants:
        response = sign_up(email=email)
        assert response.status_code == 400, email
        answer = refusal(response)
        assert list(answer["errors"]) == ["email"]

    assert Account.objects.count() == User.objects.count() == 1


LOOK_ALIKES: list[Any] = [
    "frеebie@example.com", "freebıe@example.com", "FREEBİE@example.com", "ｆreebie@example.com",
    "freebie@exámple.com",
    "freebie\u200b@example.com", "freebie@example。com", "freebie\0@example.com", "\u202efreebie@example.com",
    "freebie@example.com\r\nBcc: x@example.com", "freebie", "@example.com", "freebie@", "freebie@@example.com",
    "free bie@example.com", "freebie@localhost", "freebie@example", "Free <freebie@example.com>",
    "a" * 250 + "@example.com",
    "", None, 1, ["freebie@example.com"], {"email": "freebie@example.com"},
]  # fmt: skip


def test_a_look_alike_of_an_address_is_no_address(defaults: None) -> None:
    before = fingerprint()

    for email in LOOK_ALIKES:
        response = sign_up(email=email)

        assert response.status_code == 400, ascii(email)
        refusal(response)
    assert fingerprint() == before


# --- MAS-06: statuses move by named actions only --------------------------------------------------------------------


READ_ONLY = ["api/v1/billing/payments/", "api/v1/billing/invoices/", "api/v1/billing/invoices/<int64:invoice_id>/"]


def test_no_status_of_money_can_be_sent(world: World) -> None:
    before = fingerprint()

    for route, method, actor in product(READ_ONLY, ("PATCH", "PUT", "POST"), ("owner", "operator")):
        assert send(world, method, route, actor, {"status": "paid"}).status_code in {403, 405}
    for status in {*PaymentStatus.values, *InvoiceStatus.values}:
        for method, path, actor in WRITABLE[-3:]:
            data = {**(body(world, method, path, actor) or {}), "status": status}
            assert list(refusal(send(world, method, path, actor, data))["errors"]) == ["status"]
    assert fingerprint() == before


# --- MAS-07: nothing is said twice ----------------------------------------------------------------------------------


def test_a_field_given_twice_is_400(world: World) -> None:
    """Each field of the first operation, and one of each other's: with another value and with the same, in turn."""
    before, is_other, asked = fingerprint(), cycle([True, False]), 0

    for method, route, actor in WRITABLE:
        right, path = body(world, method, route, actor) or {}, address(route, world.ids(route, actor))
        for name in list(right)[: 1 if asked else None]:
            asked += 1
            second = json.dumps("other" if next(is_other) else right[name])
            doubled = json.dumps(right)[:-1] + f', "{name}": {second}}}'
            response = world.client(actor).generic(method, path, doubled, content_type="application/json")
            assert response.status_code == 400, f"{name} to {method} {route}"
            assert "twice" in refusal(response)["message"]
    assert asked > len(WRITABLE) / 2
    assert fingerprint() == before


@pytest.mark.parametrize("query", ["page=1&page=2", "status=paid&status=void", "search=a&search="])
def test_a_query_parameter_given_twice_is_400(world: World, query: str) -> None:
    response = world.client("owner").get(f"/api/v1/billing/invoices/?{query}")

    assert response.status_code == 400
    assert list(refusal(response)["errors"].values()) == [
        ["This query parameter is given more than once. Give it once."]
    ]
