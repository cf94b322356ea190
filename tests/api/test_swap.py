"""Another account's data cannot be reached, changed, counted or guessed at (TEN-01, 02, 07, 08, 09)."""

import json
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import cycle, product
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from igny8_core.auth.models import Site
from igny8_core.business.billing.models import CreditGrant, CreditTransaction, Invoice, Payment
from tests.api import people, purchases
from tests.api.world import CANARY, LISTS, UNUSED_ID, WRITABLE, World, body, fingerprint, refusal, send

pytestmark = pytest.mark.django_db

# Method, route with an id of the tenant, and who may call it for their own account.
OWN_OBJECTS = [
    ("GET", "api/v1/sites/<int64:site_id>/", ["viewer", "editor", "admin", "owner", "suspended"]),
    ("PATCH", "api/v1/sites/<int64:site_id>/", ["editor", "admin", "owner", "suspended"]),
    ("DELETE", "api/v1/sites/<int64:site_id>/", ["admin", "owner", "suspended"]),
    ("GET", "api/v1/billing/invoices/<int64:invoice_id>/", ["viewer", "editor", "admin", "owner", "suspended"]),
    ("GET", "api/v1/billing/payment-proofs/<int64:proof_id>/", ["viewer", "editor", "admin", "owner", "suspended"]),
    ("GET", "api/v1/billing/payment-proofs/<int64:proof_id>/file/", ["anonymous", "owner", "suspended"]),
    *people.OWN_OBJECTS,
    *purchases.OWN_OBJECTS,
]
TENANT_LISTS = [route for route in LISTS if "auth/" not in route]
READS = [*TENANT_LISTS, "api/v1/billing/credits/balance/", "api/v1/auth/me/", *people.READS, *purchases.READS]


def headers_that_tell(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.items() if name != "X-Request-ID"}


@pytest.mark.parametrize(("method", "route", "actors"), OWN_OBJECTS)
def test_another_accounts_object_is_byte_identical_to_none(
    world: World, method: str, route: str, actors: list[str]
) -> None:
    before = fingerprint()
    unused = dict.fromkeys(world.b.ids, UNUSED_ID)

    for actor in actors:
        data = body(world, method, route, actor)
        foreign = send(world, method, route, actor, data, ids=world.b.ids, HTTP_X_REQUEST_ID="same-request-id")
        missing = send(world, method, route, actor, data, ids=unused, HTTP_X_REQUEST_ID="same-request-id")

        assert foreign.status_code == missing.status_code == 404, actor
        assert foreign.content == missing.content
        assert headers_that_tell(foreign) == headers_that_tell(missing)
    assert fingerprint() == before


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_an_operator_gets_the_same_404_for_every_id_that_is_no_payment(world: World, action: str) -> None:
    route = f"api/v1/billing/admin/payments/<int64:payment_id>/{action}/"

    answers = {
        send(
            world, "POST", route, "operator", {}, ids={"payment_id": payment}, HTTP_X_REQUEST_ID="same-request-id"
        ).content
        for payment in (UNUSED_ID, UNUSED_ID + 1, 999_999_999_999_999_999)
    }

    assert len(answers) == 1
    assert json.loads(answers.pop())["code"] == "payment_not_found"


WRONG_SLOTS = ["0", "-1", "+1", "01", "1.0", "1e3", "abc", "٥", "５", "1" * 19, "9" * 400, "None", "1;2", "1%20"]


@pytest.mark.parametrize("route", sorted({route for _, route, _ in [*WRITABLE, *OWN_OBJECTS] if "<int64" in route}))
def test_an_address_with_a_wrong_kind_of_id_is_404_in_json(world: World, route: str) -> None:
    """The method is not looked at before the address, so that each id is sent with one of them.

    Every id is sent to the address of an invoice; all addresses share one kind of slot, and each other gets three.
    """
    actor = "operator" if "admin" in route else "owner"
    slots = WRONG_SLOTS if route.endswith("invoices/<int64:invoice_id>/") else WRONG_SLOTS[len(route) % 5 :: 5]

    for slot, method in zip(slots, cycle(["GET", "POST", "PATCH", "DELETE"]), strict=False):
        response = send(world, method, route, actor, {}, ids=dict.fromkeys(world.a.ids, slot))

        assert response.status_code == 404, f"{method} {slot}"
        refusal(response)


@pytest.mark.parametrize("actor", ["owner", "admin"])
def test_another_accounts_invoice_in_the_body_is_byte_identical_to_none(world: World, actor: str) -> None:
    route = "api/v1/billing/admin/payments/confirm/"
    before = fingerprint()

    answers = []
    for invoice in (world.b.invoice.pk, world.b.payment.invoice_id, world.c.invoice.pk, UNUSED_ID, 2**63 - 1):
        data = {**(body(world, "POST", route) or {}), "invoice_id": invoice}
        response = send(world, "POST", route, actor, data, HTTP_X_REQUEST_ID="same-request-id")
        answers.append((response.status_code, response.content))

    assert {status for status, _ in answers} == {404}
    assert len({content for _, content in answers}) == 1
    assert fingerprint() == before


WRONG_IDS = [
    None, "", "1", "abc", 0, -1, 1.0, 1.5, True, False, [], [1], {}, {"id": 1}, 2**63, 10**26, 1e308, "1 OR 1=1",
]  # fmt: skip


@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("api/v1/billing/admin/payments/confirm/", "invoice_id"),
        ("api/v1/billing/admin/payments/confirm/", "proof"),
        ("api/v1/sites/", "industry"),
        ("api/v1/sites/", "industry_id"),
        ("api/v1/sites/<int64:site_id>/access/", "user"),
        ("api/v1/account/transfer-ownership/", "user"),
    ],
)
def test_a_body_with_a_wrong_kind_of_id_is_400_for_that_field(world: World, route: str, field: str) -> None:
    before = fingerprint()

    for wrong in WRONG_IDS:
        response = send(world, "POST", route, "owner", {**(body(world, "POST", route) or {}), field: wrong})

        assert response.status_code == 400, repr(wrong)
        assert list(refusal(response)["errors"]) == [field]
    assert fingerprint() == before


@pytest.mark.parametrize("industry", ["inactive", UNUSED_ID])
def test_an_industry_that_is_not_offered_is_one_and_the_same_400(world: World, industry: Any) -> None:
    if industry == "inactive":
        world.industry.is_active = False
        world.industry.save()
        industry = world.industry.pk

    response = send(world, "POST", "api/v1/sites/", "owner", {"name": "Shop", "industry": industry})

    assert response.status_code == 400
    assert refusal(response)["errors"] == {"industry": ["No such industry. GET /api/v1/auth/industries/ lists them."]}


# --- Lists --------------------------------------------------------------------------------------------------------


def test_no_answer_to_anybody_of_a_holds_a_canary_of_b(world: World) -> None:
    for route, actor in product(READS, ["viewer", "editor", "admin", "owner", "suspended"]):
        response = send(world, "GET", route, actor)

        is_closed = route in people.FOR_MANAGERS and actor in {"viewer", "editor"}
        assert response.status_code == (403 if is_closed else 200)
        assert CANARY.lower() not in response.content.decode().lower(), f"{route} as {actor}"

    assert CANARY in send(world, "GET", "api/v1/sites/", "stranger").content.decode()


def test_a_thousand_rows_of_b_change_no_count_of_a(world: World) -> None:
    before = {route: send(world, "GET", route, "owner").json() for route in READS}
    _fill(world)

    after = {route: send(world, "GET", route, "owner").json() for route in READS}

    assert after == before
    assert send(world, "GET", "api/v1/sites/", "stranger").json()["count"] == 1001


def _fill(world: World) -> None:
    b, now, today, price = world.b, timezone.now(), date.today(), Decimal("89")
    Site.objects.bulk_create(
        Site(account=b.account, name=CANARY, slug=f"filler-{number}", industry=world.industry) for number in range(1000)
    )
    invoices = Invoice.objects.bulk_create(
        Invoice(
            account=b.account, invoice_number=f"FILLER-{number}", currency="USD", subtotal=price, total=price,
            invoice_date=today, due_date=today,
        )
        for number in range(1000)
    )  # fmt: skip
    Payment.objects.bulk_create(
        Payment(
            account=b.account, invoice=invoice, amount=price, currency="USD", payment_method="bank_transfer",
            status="pending_approval", manual_reference=CANARY,
        )
        for invoice in invoices
    )  # fmt: skip
    CreditTransaction.objects.bulk_create(
        CreditTransaction(
            account=b.account, transaction_type="adjustment", amount=1, balance_after=1, description=CANARY,
            source=f"filler:{number}", created_at=now,
        )
        for number in range(1000)
    )  # fmt: skip
    CreditGrant.objects.bulk_create(
        CreditGrant(
            account=b.account, kind="plan", source=f"filler:{number}", amount=1, remaining=1, created_at=now,
            expires_at=now + timedelta(days=1),
        )
        for number in range(1000)
    )  # fmt: skip


# --- Filters and orderings are no oracle --------------------------------------------------------------------------

SUFFIXES = ["", *(f"__{lookup}" for lookup in "id exact iexact startswith icontains regex gt lt in isnull".split())]
KNOWN = set("page page_size ordering status search date_from date_to payment_method transaction_type type".split())
# Filters of one list alone, which are columns too.
OFFERED = {"api/v1/billing/payments/": {"invoice"}}


@cache
def generated_lookups() -> list[str]:
    fields = {field.name for model in apps.get_models() for field in model._meta.get_fields()}
    paths = {f"{first}__{second}" for first in ("account", "invoice", "user", "owner", "plan") for second in fields}
    lookups = {name + suffix for name, suffix in product(fields, SUFFIXES)} | paths
    return sorted(lookups - KNOWN)


def lookups_at(turn: int) -> list[str]:
    """All of them on the first of many lists; on each other one every column, and some ways from it, in turn.

    A list refuses what it does not offer by the name alone, whatever stands behind it.
    """
    lookups = generated_lookups()
    return [
        lookup for number, lookup in enumerate(lookups) if not turn or "__" not in lookup or (number + turn) % 12 == 0
    ]


def test_every_generated_filter_is_400_on_every_list(world: World) -> None:
    assert len(generated_lookups()) >= 200

    for turn, route in enumerate(LISTS):
        lookups = lookups_at(turn)
        refused: set[str] = set()
        for start in range(0, len(lookups), 400):
            query = dict.fromkeys(lookups[start : start + 400], CANARY)
            response = world.client("owner").get(f"/{route}", query)
            assert response.status_code == 400, route
            refused |= set(refusal(response)["errors"])
        assert refused == set(lookups) - OFFERED.get(route, set()), route


def test_a_filter_alone_answers_the_same_whether_it_would_match_or_not(world: World) -> None:
    """One of these filters on each list, in turn."""
    filters = cycle(["account__name", "account__owner__password__startswith", "id__gte"])

    for route, lookup in zip(TENANT_LISTS, filters, strict=False):
        answers = {
            world.client("owner").get(f"/{route}", {lookup: value}, HTTP_X_REQUEST_ID="same-request-id").content
            for value in (CANARY, "nothing", str(world.b.account.pk), "", "%")
        }
        assert len(answers) == 1, f"{route} {lookup}"
        assert json.loads(answers.pop())["code"] == "invalid_input"


@pytest.mark.parametrize("route", LISTS)
def test_every_ordering_outside_the_list_is_400(world: World, route: str) -> None:
    client = world.client("owner")
    crafted = ["id", "pk", "?", "-", "--name", "name,id", "account__name", "-account__owner__password", ""]
    # A column's own name may be on a list; a way through other tables never is.
    orderings = [*(lookup for lookup in generated_lookups()[::200] if "__" in lookup), *crafted]

    for ordering in orderings:
        response = client.get(f"/{route}", {"ordering": ordering})

        assert response.status_code == 400, ordering
        assert list(refusal(response)["errors"]) == ["ordering"]


# --- The tenant comes from the credential -------------------------------------------------------------------------


def test_a_tenant_in_a_header_or_cookie_is_ignored(world: World) -> None:
    b = str(world.b.account.pk)
    names = ["HTTP_X_ACCOUNT_ID", "HTTP_X_TENANT", "HTTP_X_ACCOUNT", "HTTP_ACCOUNT", "HTTP_X_USER_ID", "HTTP_X_USER"]

    for route in READS:
        plain = send(world, "GET", route, "owner")
        claims = {**dict.fromkeys(names, b), "HTTP_COOKIE": f"account={b}; tenant={b}; account_id={b}"}
        claimed = send(world, "GET", route, "owner", **claims)

        assert claimed.json() == plain.json()


def test_a_tenant_in_the_query_or_body_is_400(world: World) -> None:
    before = fingerprint()
    claims = dict.fromkeys("account account_id tenant tenant_id user user_id as owner".split(), world.b.account.pk)

    for route in READS:
        response = world.client("owner").get(f"/{route}", claims)
        assert response.status_code == 400, route
        assert set(refusal(response)["errors"]) == set(claims)
    for method, route, actor in WRITABLE:
        right = body(world, method, route, actor) or {}
        foreign = {name: value for name, value in claims.items() if name not in right}
        response = send(world, method, route, actor, {**right, **foreign})
        assert response.status_code == 400, f"{method} {route}"
        assert set(refusal(response)["errors"]) == set(foreign)
        assert send(world, method, f"{route}?account={world.b.account.pk}", actor, right).status_code == 400, route
    assert fingerprint() == before
