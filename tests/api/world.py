"""Two tenants with one of everything, operators, and what the API's routes need to be called rightly."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.http import HttpResponse
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Industry, Role, Site, SiteUserAccess, TeamInvitation, User
from igny8_core.auth.services.invitations import invite
from igny8_core.auth.services.sessions import TokenPair, open_session
from igny8_core.business.billing.models import (
    AccountPaymentMethod,
    CreditCostConfig,
    CreditNote,
    Invoice,
    Payment,
    PaymentMethodConfig,
    PaymentProof,
    Renewal,
)
from igny8_core.business.billing.services.payment_methods.saved import add_method
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.proofs.links import link_token
from igny8_core.common.checks import api_routes
from tests import make
from tests.api import people, purchases, staff

CANARY = "CANARY-OF-TENANT-B"
UNUSED_ID = 987_654_321
ACTORS = ["anonymous", "viewer", "editor", "admin", "owner", "stranger", "suspended", "operator", "clerk"]

# The one operation that takes no JSON.
UPLOAD = ("POST", "api/v1/billing/payment-proofs/")
PLAN_ACTIONS = ("create", "preview", "upgrade", "downgrade")


@dataclass
class Tenant:
    """An account with a site, an invoice to pay, and an invoice whose payment waits for approval."""

    owner: User
    account: Account
    site: Site
    invoice: Invoice
    payment: Payment
    config: PaymentMethodConfig
    cost: CreditCostConfig
    member: User
    invitation: TeamInvitation
    proof: PaymentProof
    saved_method: AccountPaymentMethod
    credit_note: CreditNote

    @property
    def ids(self) -> dict[str, int]:
        """The ids that addresses name, by the name of their slot."""
        return {
            "account_id": self.account.pk,
            "site_id": self.site.pk,
            "invoice_id": self.invoice.pk,
            "payment_id": self.payment.pk,
            "config_id": self.config.pk,
            "cost_id": self.cost.pk,
            "user_id": self.member.pk,
            "invitation_id": self.invitation.pk,
            "proof_id": self.proof.pk,
            "method_id": self.saved_method.pk,
            "credit_note_id": self.credit_note.pk,
            # The tenants have none of these: World.ids names one that runs.
            "subscription_id": 987_654_321,
            "renewal_id": 987_654_321,
        }


@dataclass
class World:
    """Tenant A (the actors' own), tenant B (the stranger's, full of canaries), a suspended tenant, operators."""

    a: Tenant
    b: Tenant
    c: Tenant
    industry: Industry
    users: dict[str, User]
    sessions: dict[str, TokenPair]
    captured: Payment
    renewal: Renewal
    trial: Account
    clients: dict[str, APIClient] = field(default_factory=dict)

    def client(self, actor: str) -> APIClient:
        """An API client logged in as an actor of ACTORS; one per actor, because each loads the middleware anew."""
        if actor not in self.clients:
            self.clients[actor] = purchases.KeyedClient(raise_request_exception=False)
            if actor in self.sessions:
                self.clients[actor].credentials(HTTP_AUTHORIZATION=f"Bearer {self.sessions[actor].access}")
        return self.clients[actor]

    def tenant(self, actor: str) -> Tenant:
        """Whose ids an actor calls with: everybody those of A, so that B's owner is a stranger."""
        return self.c if actor == "suspended" else self.a

    def ids(self, route: str, actor: str) -> dict[str, int]:
        """The ids an actor calls a route with: of what is in a state in which the operation is possible."""
        ids = self.tenant(actor).ids
        if route.endswith("/activate/"):
            ids["account_id"] = self.c.account.pk
        if route.endswith("/extend-trial/"):
            ids["account_id"] = self.trial.pk
        if route.endswith("/refund/"):
            ids["payment_id"] = self.captured.pk
        if "<int64:subscription_id>" in route:
            ids["subscription_id"] = self.captured.invoice.subscription_id or 0
        if "<int64:renewal_id>" in route:
            ids["renewal_id"] = self.renewal.pk
        return ids


def build() -> World:
    """The world, saved."""
    make.prepared_sessions()
    make.plan("free", price=0)
    make.plan(max_users=20)
    make.plan("growth", price=Decimal("139.00"), max_users=20)
    make.payment_method()
    make.payment_method(payment_method="local_wallet", display_name="Wallet")
    make.credit_package()
    a, b = _tenant("alice@example.com", "A"), _tenant("charlie@example.com", CANARY)
    c = _tenant("carol@example.com", "C")
    Account.objects.filter(pk=c.account.pk).update(status="suspended", suspended_reason="operator")
    operator = make.user(email="olga@example.com", is_staff=True)
    operator.user_permissions.add(*permissions(staff.PERMISSIONS))
    captured = PaymentService.approve_manual_payment(make.submitted_payment(), operator).payment
    users = {
        "viewer": make.user(email="bob@example.com", account=a.account, role=Role.VIEWER),
        "editor": make.user(email="ed@example.com", account=a.account, role=Role.EDITOR),
        "admin": make.user(email="ada@example.com", account=a.account, role=Role.ADMIN),
        "owner": a.owner,
        "stranger": b.owner,
        "suspended": c.owner,
        "operator": operator,
        "clerk": make.user(email="clerk@example.com", is_staff=True),
    }
    for actor in ("viewer", "editor"):
        SiteUserAccess.objects.create(user=users[actor], site=a.site, granted_by=a.owner)
    sessions = {actor: open_session(user) for actor, user in users.items()}
    trial = make.owner({"status": "trial"}).account
    assert trial
    return World(a, b, c, make.industry(), users, sessions, captured, make.renewal(), trial)


def permissions(names: Iterable[str]) -> list[Permission]:
    """Django's permissions by their names, such as billing.view_payment."""
    pairs = [name.split(".") for name in names]
    return [Permission.objects.get(content_type__app_label=app, codename=codename) for app, codename in pairs]


def _tenant(email: str, mark: str) -> Tenant:
    owner = make.owner({"name": f"Account {mark}", "slug": mark.lower(), "billing_city": mark}, email=email)
    assert owner.account
    owner.first_name = f"Owner {mark}"
    owner.save()
    make.credits(owner.account, 500, description=f"Credits {mark}")
    payment = make.submitted_payment(
        _invoice(owner.account, mark), f"BT-{mark}", notes=f"Notes {mark}", proof=make.proof(owner.account)
    )
    site = make.site(owner.account, name=f"Site {mark}", domain=f"{mark.lower()}.example.com")
    config, cost = make.payment_method(), make.credit_cost()
    member, guest = make.user(email=f"member.{mark}@example.com", account=owner.account), f"guest.{mark}@example.com"
    SiteUserAccess.objects.create(user=member, site=site, granted_by=owner)
    invitation = invite(owner.account, owner, email=guest.lower(), role="editor", site_ids=[site.pk])
    open_invoice, proof = _invoice(owner.account, mark), make.proof(owner.account)
    method = add_method(owner.account, "bank_transfer", f"Method {mark}", owner)
    note = make.refund(owner.account, reason=f"Refund {mark}")
    return Tenant(
        owner, owner.account, site, open_invoice, payment, config, cost, member, invitation, proof, method, note
    )


def _invoice(account: Account, mark: str) -> Invoice:
    return make.invoice(account, line_items=[{"description": f"Consulting {mark}", "quantity": 1, "amount": "89.00"}])


def routes() -> list[str]:
    """Every route of the API, as the URL resolver knows it."""
    return [route.lstrip("^/") for route, _ in api_routes()]


# Logins are their person's: what belongs to a tenant names none of them.
NOBODYS_SESSION = "00000000-0000-4000-8000-000000000000"


def address(route: str, ids: dict[str, Any]) -> str:
    """The address of a route with the ids of its slots."""
    path = route.replace("<path:address>", "v1/nothing/here/")
    path = re.sub(r"<\w+:session_id>", NOBODYS_SESSION, path)
    for slot, value in ids.items():
        path = path.replace(f"<int64:{slot}>", str(value))
    assert "<" not in path, f"{route} has a slot that world.py does not know"
    return f"/{path}"


def body(world: World, method: str, route: str, actor: str = "owner") -> dict[str, Any] | None:
    """What a caller sends who does everything right; None where nothing is sent."""
    user, session = world.users.get(actor), world.sessions.get(actor)
    refresh = {"refresh": session.refresh if session else "no-token"}
    passwords = {"password": make.PASSWORD, "password_confirm": make.PASSWORD}
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", "auth/register/"): {"email": "new@example.com", "first_name": "Nora", "last_name": "New", **passwords},
        ("POST", "auth/account/"): {"account_name": "On my own"},
        ("POST", "auth/login/"): {"email": user.email if user else "nobody@example.com", "password": make.PASSWORD},
        ("POST", "auth/refresh/"): refresh,
        ("POST", "auth/logout/"): refresh,
        ("PATCH", "auth/me/"): {"first_name": "Ann"},
        ("POST", "auth/password/change/"): {"current_password": make.PASSWORD, "new_password": "long and unusual 7"},
        ("POST", "sites/"): {"name": "Second", "domain": "second.example.com", "industry": world.industry.pk},
        ("PATCH", "sites/<int64:site_id>/"): {"name": "Renamed"},
        ("POST", "billing/payment-proofs/"): {"file": make.png()},
        ("POST", "billing/admin/payments/confirm/"): {
            "invoice_id": world.tenant(actor).invoice.pk,
            "payment_method": "bank_transfer",
            "amount": "89.00",
            "manual_reference": "BT-20251208-12345",
        },
        **{("POST", f"billing/subscriptions/{action}/"): {"plan_slug": "starter"} for action in PLAN_ACTIONS},
        ("POST", "billing/admin/payments/<int64:payment_id>/approve/"): {"admin_notes": "Seen"},
        ("POST", "billing/admin/payments/<int64:payment_id>/reject/"): {"admin_notes": "Not seen"},
    }
    others = staff.bodies(world) | people.bodies(world, actor) | purchases.bodies(world, actor)
    return bodies.get((method, route.removeprefix("api/v1/"))) or others.get((method, route))


# Every operation that takes a body, with an actor who may use it.
WRITABLE = [
    ("POST", "api/v1/auth/register/", "anonymous"),
    ("POST", "api/v1/auth/account/", "operator"),
    ("POST", "api/v1/auth/login/", "owner"),
    ("POST", "api/v1/auth/refresh/", "owner"),
    ("POST", "api/v1/auth/logout/", "owner"),
    ("PATCH", "api/v1/auth/me/", "owner"),
    ("POST", "api/v1/auth/password/change/", "owner"),
    ("POST", "api/v1/sites/", "owner"),
    ("PATCH", "api/v1/sites/<int64:site_id>/", "owner"),
    *people.WRITABLE,
    *purchases.WRITABLE,
    *staff.WRITABLE,
    ("POST", "api/v1/billing/admin/payments/confirm/", "owner"),
    *(("POST", f"api/v1/billing/subscriptions/{action}/", "owner") for action in PLAN_ACTIONS),
    ("POST", "api/v1/billing/subscriptions/cancel/", "owner"),
    ("POST", "api/v1/billing/subscriptions/reactivate/", "owner"),
    ("POST", "api/v1/billing/admin/payments/<int64:payment_id>/approve/", "operator"),
    ("POST", "api/v1/billing/admin/payments/<int64:payment_id>/reject/", "operator"),
]
LISTS = [
    "api/v1/auth/plans/",
    "api/v1/auth/industries/",
    "api/v1/sites/",
    "api/v1/billing/invoices/",
    "api/v1/billing/payments/",
    "api/v1/billing/credits/transactions/",
    *people.LISTS,
    *purchases.LISTS,
]


def send(world: World, method: str, route: str, actor: str, data: dict[str, Any] | None = None, **extra: Any) -> Any:
    """One request of an actor to a route with its own tenant's ids."""
    ids = extra.pop("ids", world.ids(route, actor))
    if route.endswith("/file/"):
        # The link of the tenant's owner: whoever has it opens it.
        extra.setdefault("QUERY_STRING", f"token={link_token(ids['proof_id'], world.tenant(actor).owner.pk)}")
    content_type, content = _encoded(method, route, data)
    return world.client(actor).generic(method, address(route, ids), content, content_type=content_type, **extra)


def _encoded(method: str, route: str, data: dict[str, Any] | None) -> tuple[str, bytes | str]:
    if (method, route) == UPLOAD and data:
        return MULTIPART_CONTENT, encode_multipart(BOUNDARY, {"file": BytesIO(data["file"])})
    return "application/json", json.dumps(data) if data is not None else ""


@contextmanager
def undone() -> Iterator[None]:
    """Roll back what the block writes. It counts as the test's own transaction, not as one of the code under test."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


def fingerprint() -> dict[str, str]:
    """A digest of every table of ours: equal before and after means that nothing was changed."""
    models = [model for model in apps.get_models() if model._meta.app_label in {"igny8_auth", "billing", "events"}]
    digest = "SELECT '{0}', coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') FROM {0} r"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(digest.format(model._meta.db_table) for model in models))
        return dict(cursor.fetchall())


def refusal(response: HttpResponse) -> dict[str, Any]:
    """The envelope of a refusal, checked to be one, without the request id."""
    answer: dict[str, Any] = json.loads(response.content)
    assert set(answer) == {"success", "message", "code", "errors", "request_id"}, answer
    assert answer["success"] is False
    assert answer["message"]
    assert answer.pop("request_id") == response["X-Request-ID"]
    return answer
