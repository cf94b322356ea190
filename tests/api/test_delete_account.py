"""Deleting an account: only its owner, only when nothing is owed, all of it or nothing, and the books stay."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, AccountStatus, LoginSession, Role, Subscription, TeamInvitation, User
from igny8_core.auth.services.invitations import invitation_token, invite
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.account_deletion import service as account_deletion
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import AccountPaymentMethod, CreditTransaction, Invoice, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.signup.service import register
from igny8_core.common.errors import NotFound
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal
from tests.billing import stripe_subscribers

pytestmark = pytest.mark.django_db

DELETE = "/api/v1/account/delete/"
Login = Callable[[User], APIClient]


def delete(client: APIClient, password: str = make.PASSWORD) -> Any:
    return client.post(DELETE, {"password": password}, format="json")


def subscriber(olga: User) -> User:
    """The owner of an account whose subscription is paid and runs."""
    payment = make.submitted_payment(make.subscription().invoices.get())
    PaymentService.approve_manual_payment(payment, olga)
    owner = Account.objects.get(pk=payment.account_id).owner
    assert owner
    return owner


# --- What goes and what stays -------------------------------------------------------------------------------------


def test_everything_personal_goes_and_the_books_stay(olga: User, as_user: Login) -> None:
    owner = subscriber(olga)
    owner.first_name, owner.last_name = "Personal", "Data"
    owner.save()
    account = owner.account
    assert account
    personal = {"billing_email": "personal@data.example", "billing_city": "Personal City", "tax_id": "PERSONAL-1"}
    Account.objects.filter(pk=account.pk).update(name="Personal Ltd", **personal)
    bob = make.user(email="bob@personal.example", account=account, role=Role.VIEWER)
    invite(account, owner, email="guest@personal.example", role="viewer", site_ids=[])
    invoice, ledger, told = Invoice.objects.get(), CreditTransaction.objects.count(), Event.objects.count()

    answer = delete(as_user(owner))

    assert answer.status_code == 200, answer.content
    account = Account.objects.get(pk=account.pk)
    assert (account.status, account.name, account.slug) == (
        "canceled", f"Deleted account {account.pk}", f"deleted-{account.pk}",
    )  # fmt: skip
    assert account.deleted_at
    assert {getattr(account, column) for column in account_deletion.BILLING_DETAILS} == {""}
    for person in (owner, bob):
        erased = User.objects.get(pk=person.pk)
        assert (erased.email, erased.full_name, erased.is_active) == (f"deleted-{person.pk}@deleted.invalid",) * 2 + (
            False,
        )
        assert not erased.has_usable_password()
    assert Subscription.objects.get().status == "canceled"
    assert TeamInvitation.objects.get().status == "canceled"
    assert not AccountPaymentMethod.objects.exists()
    kept = Invoice.objects.get()
    assert (kept.status, kept.metadata, kept.total) == (invoice.status, invoice.metadata, invoice.total)
    assert CreditTransaction.objects.count() == ledger
    assert Event.objects.count() > told
    assert broken_invariants() == []


def test_no_table_but_invoices_names_the_people_any_more(as_user: Login, defaults: None) -> None:
    signup = register(
        email="zebedee@quux.example",
        password=make.PASSWORD,
        first_name="Zebedee",
        last_name="Quux",
        account_name="Quux Ltd",
        billing={"billing_city": "Quuxville", "tax_id": "Quux-1"},
    )
    client = as_user(signup.user)
    client.patch("/api/v1/auth/me/", {"first_name": "Zebediah"}, format="json")
    client.patch("/api/v1/account/settings/", {"billing_state": "Quux State"}, format="json")

    assert delete(client).status_code == 200

    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'igny8%'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" r WHERE r::text ~* %s', ["quux|zebed"])
            assert cursor.fetchone() == (0,), table


def test_everybody_is_out_at_once(alice: User, bob: User, as_user: Login) -> None:
    owner, viewer, refresh = as_user(alice), as_user(bob), open_session(bob).refresh

    assert delete(owner).status_code == 200

    assert owner.get("/api/v1/auth/me/").status_code == viewer.get("/api/v1/auth/me/").status_code == 401
    assert viewer.post("/api/v1/auth/refresh/", {"refresh": refresh}, format="json").status_code == 401
    for email in ("alice@example.com", "bob@example.com"):
        login = {"email": email, "password": make.PASSWORD}
        assert APIClient().post("/api/v1/auth/login/", login, format="json").status_code == 401
    assert {session.ended_reason for session in LoginSession.objects.all()} == {"account_deleted"}


def test_the_address_can_sign_up_anew(alice: User, as_user: Login, defaults: None) -> None:
    delete(as_user(alice))

    signup = register(email="alice@example.com", password=make.PASSWORD, first_name="Alice", last_name="Anew")

    assert signup.account.pk != alice.account_id
    assert signup.account.status == "trial"


def test_an_open_invitation_is_withdrawn(alice: User, as_user: Login) -> None:
    invitation = invite(alice.account, alice, email="greta@example.com", role="viewer", site_ids=[])
    token = invitation_token(invitation)
    delete(as_user(alice))

    answer = APIClient().post("/api/v1/account/team/invitations/accept/", {"token": token}, format="json")

    assert answer.status_code == 410


@pytest.mark.parametrize("status", ["trial", "pending_payment", "active", "past_due", "canceled"])
def test_an_account_can_be_deleted_from_every_state(as_user: Login, status: str) -> None:
    owner = make.owner({"status": status})

    assert delete(as_user(owner)).status_code == 200

    account = Account.objects.get(pk=owner.account_id)
    assert (account.status, account.deleted_at is None) == ("canceled", False)
    event = Event.objects.get(type="account.deleted")
    assert (event.actor_id, event.data) == (owner.pk, {"members": 1})


def test_a_suspension_for_non_payment_can_be_left_and_one_by_an_operator_cannot(as_user: Login) -> None:
    unpaid = make.owner({"status": AccountStatus.SUSPENDED, "suspended_reason": "non_payment"})
    held = make.owner({"status": AccountStatus.SUSPENDED, "suspended_reason": "operator"})
    client = as_user(held)

    assert delete(as_user(unpaid)).status_code == 200
    before = fingerprint()
    assert refusal(delete(client))["code"] == "account_suspended"
    assert fingerprint() == before


def test_an_operator_who_is_a_member_keeps_the_operator_s_login(alice: User, as_user: Login) -> None:
    staff = make.user(email="staff@example.com", account=alice.account, is_staff=True)

    assert delete(as_user(alice)).status_code == 200

    staff.refresh_from_db()
    assert (staff.email, staff.is_active, staff.account, staff.role) == ("staff@example.com", True, None, "")


def test_an_operator_who_owns_the_account_leaves_it(alice: User, as_user: Login) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)

    assert delete(as_user(alice)).status_code == 200

    assert Account.objects.get(pk=alice.account_id).owner is None
    assert broken_invariants() == []


# --- Orders that nobody paid for ----------------------------------------------------------------------------------


def test_an_unpaid_order_is_voided_with_it(as_user: Login) -> None:
    subscription = make.subscription()
    owner = subscription.account.owner
    assert owner

    assert delete(as_user(owner)).status_code == 200

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.void_reason) == ("void", "The account was deleted")
    assert Subscription.objects.get().status == "canceled"
    assert broken_invariants() == []


def test_an_unpaid_credit_package_is_voided_too(alice: User, as_user: Login) -> None:
    line = {"description": "500 credits", "quantity": 1, "amount": "9.00", "kind": "credit_package", "credits": 500}
    line["package"] = make.credit_package()
    make.invoice(alice.account, line_items=[line])

    assert delete(as_user(alice)).status_code == 200
    assert Invoice.objects.get().status == "void"


# --- What stands in the way ---------------------------------------------------------------------------------------


def refused(client: APIClient) -> str:
    before = fingerprint()
    answer = delete(client)
    body = refusal(answer)
    assert (answer.status_code, body["code"]) == (409, "money_open")
    assert fingerprint() == before
    return str(body["message"])


@pytest.mark.parametrize("status", ["pending_approval", "pending", "processing", "unknown"])
def test_a_payment_under_way_stands_in_the_way(as_user: Login, status: str) -> None:
    payment = make.submitted_payment()
    Payment.objects.filter(pk=payment.pk).update(status=status, next_check_at=timezone.now())
    owner = payment.account.owner
    assert owner

    assert payment.invoice.invoice_number in refused(as_user(owner))


def test_a_subscription_that_stripe_bills_has_to_end_there_first(stripe: FakeStripe, as_user: Login) -> None:
    account = stripe_subscribers.mirrored(stripe, stripe_subscribers.subscriber(stripe)).account
    assert account.owner
    client = as_user(account.owner)
    before = fingerprint()

    answer = delete(client)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "subscription_billed_by_stripe")
    assert fingerprint() == before


def test_an_invoice_for_something_delivered_stands_in_the_way(alice: User, as_user: Login) -> None:
    invoice = make.invoice(alice.account)

    assert invoice.invoice_number in refused(as_user(alice))


def test_an_order_mixed_with_something_delivered_stands_in_the_way(alice: User, as_user: Login) -> None:
    lines = [
        {"description": "Starter", "quantity": 1, "amount": "89.00", "kind": "plan", "plan": "starter"},
        {"description": "Consulting", "quantity": 1, "amount": "10.00"},
    ]
    make.invoice(alice.account, line_items=lines)

    refused(as_user(alice))


def test_the_invoice_of_a_subscription_that_is_past_due_is_owed(olga: User, as_user: Login) -> None:
    owner = subscriber(olga)
    subscription = Subscription.objects.get()
    renewal = make.invoice(
        owner.account,
        subscription=subscription,
        line_items=[
            {"description": "Starter", "quantity": 1, "amount": Decimal(89), "kind": "plan", "plan": "starter"}
        ],
    )
    past = timezone.now() - timedelta(days=40)
    Subscription.objects.update(
        status="past_due", current_period_start=past, current_period_end=past + timedelta(days=31)
    )

    assert renewal.invoice_number in refused(as_user(owner))
    Subscription.objects.update(status="active")
    assert delete(as_user(owner)).status_code == 200


def test_it_needs_the_password(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    before = fingerprint()

    answer = delete(client, "wrong")

    assert (answer.status_code, list(refusal(answer)["errors"])) == (400, ["password"])
    assert fingerprint() == before


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
def test_only_an_owner_deletes(alice: User, as_user: Login, role: str) -> None:
    client = as_user(make.user(account=alice.account, role=role))
    before = fingerprint()

    assert delete(client).status_code == 403
    assert fingerprint() == before


def test_a_failure_at_the_end_leaves_everything_as_it_was(
    alice: User, bob: User, as_user: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = as_user(alice)
    before = fingerprint()

    def fail(member: User) -> None:
        raise NotFound()

    monkeypatch.setattr(account_deletion, "_erase", fail)

    assert delete(client).status_code == 404
    assert fingerprint() == before
