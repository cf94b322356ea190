"""Nobody has us write to strangers: unconfirmed addresses, open orders, floods, names that pose as ours (OUT-09)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, AccountStatus, User
from igny8_core.auth.services.accounts import update_account_settings
from igny8_core.auth.services.users import request_password_reset
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments.credit_orders import buy_credits
from igny8_core.business.signup.service import register
from igny8_core.common import clock, mail_caps
from igny8_core.common.models import SentMail
from igny8_core.events.deliveries import deliver_due
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]

Login = Callable[[User], APIClient]
SETTINGS, PURCHASE = "/api/v1/account/settings/", "/api/v1/billing/credits/purchase/"
STRANGER = "stranger@victim.example"


def mailed(to: str = "") -> list[Any]:
    deliver_due()
    return [sent for sent in mail.outbox if not to or to in sent.to]


def token_in(sent: Any) -> str:
    found = re.search(r"/verify-email/(\S+)", sent.body)
    assert found
    return found[1]


@pytest.fixture
def trial(defaults: None) -> User:
    """Who has signed up just now, and confirmed nothing."""
    make.credit_package()
    return register(email="eve@example.com", password=make.PASSWORD, first_name="Eve", last_name="Adams").user


def order(client: APIClient, package: str = "pro") -> Any:
    return client.post(PURCHASE, {"package": package, "payment_method": "bank_transfer"}, format="json")


# --- Confirmed addresses only -------------------------------------------------------------------------------------


def test_a_billing_address_gets_one_question_and_nothing_else(trial: User, as_user: Login) -> None:
    client = as_user(trial)
    assert client.patch(SETTINGS, {"billing_email": STRANGER}, format="json").status_code == 200
    order(client)

    (question,) = mailed(STRANGER)

    assert question.subject == "Confirm the address for invoices of igny8"
    assert not question.attachments
    assert "eve" not in (question.body + str(question.alternatives)).lower()
    assert [sent.subject[:11] for sent in mailed("eve@example.com") if "Invoice" in sent.subject] == ["Invoice INV"]


@pytest.mark.parametrize("door", ["api", "page"])
def test_whose_it_is_confirms_it_and_documents_go_there(trial: User, as_user: Login, client: Client, door: str) -> None:
    as_user(trial).patch(SETTINGS, {"billing_email": STRANGER}, format="json")
    token = token_in(mailed(STRANGER)[0])

    if door == "api":
        answer = APIClient().post("/api/v1/auth/email/verify/", {"token": token}, format="json")
        assert answer.json()["message"] == "E-mail address verified."
    else:
        assert STRANGER in client.get(f"/verify-email/{token}").content.decode()
        assert client.post(f"/verify-email/{token}").status_code == 303

    assert as_user(trial).get(SETTINGS).json()["data"]["billing_email_confirmed"] is True
    order(as_user(trial))
    assert [sent.subject[:7] for sent in mailed(STRANGER)][1:] == ["Invoice"]
    again = APIClient().post("/api/v1/auth/email/verify/", {"token": token}, format="json")
    assert again.status_code == 410


def test_the_token_of_an_address_that_was_replaced_confirms_nothing(trial: User, as_user: Login) -> None:
    as_user(trial).patch(SETTINGS, {"billing_email": STRANGER}, format="json")
    token = token_in(mailed(STRANGER)[0])
    as_user(trial).patch(SETTINGS, {"billing_email": "other@victim.example"}, format="json")

    assert APIClient().post("/api/v1/auth/email/verify/", {"token": token}, format="json").status_code == 410
    assert not Account.objects.exclude(confirmed_billing_email="").exists()


def test_an_address_given_at_signup_is_asked_too(defaults: None) -> None:
    register(
        email="eve@example.com", password=make.PASSWORD, first_name="Eve", last_name="Adams", plan_slug="starter",
        payment_method="bank_transfer", billing={"billing_country": "PK", "billing_email": STRANGER},
    )  # fmt: skip

    assert [sent.subject for sent in mailed(STRANGER)] == ["Confirm the address for invoices of igny8"]
    invoice = Invoice.objects.get()
    assert invoice.metadata["billing_snapshot"]["email"] == STRANGER, "what stands on the document"
    assert any(invoice.invoice_number in sent.subject for sent in mailed("eve@example.com"))


def test_a_confirmed_member_s_address_needs_no_question(alice: User, account_a: Account, as_user: Login) -> None:
    make.user(email="books@example.com", account=account_a, email_verified_at=clock.now())

    as_user(alice).patch(SETTINGS, {"billing_email": "books@example.com"}, format="json")

    account_a.refresh_from_db()
    assert account_a.address_for_mail == "books@example.com"
    assert mailed("books@example.com") == []


def test_what_an_operator_enters_is_confirmed(console: Client, account_a: Account) -> None:
    from tests.admin.test_both_doors import as_sent, page_of

    body = {**as_sent(page_of(console, account_a)), "billing_email": "books@example.com"}
    assert console.post(f"/admin/igny8_auth/account/{account_a.pk}/change/", body).status_code == 302

    account_a.refresh_from_db()
    assert account_a.address_for_mail == "books@example.com"


def test_the_question_can_be_asked_again_but_not_often(trial: User, as_user: Login, throttling: None) -> None:
    client = as_user(trial)
    client.patch(SETTINGS, {"billing_email": STRANGER}, format="json")
    for _ in range(8):
        assert client.post("/api/v1/auth/email/verify/resend/").status_code == 200

    assert len(mailed(STRANGER)) == mail_caps.PER_RECIPIENT["billing_address"]


def test_deleting_the_account_writes_to_no_stranger(alice: User, account_a: Account, olga: User) -> None:
    update_account_settings(account_a, alice, billing_email=STRANGER)
    invoice = make.invoice(account_a)
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)
    unpaid = make.invoice(account_a)
    Invoice.objects.filter(pk=unpaid.pk).update(status=InvoiceStatus.VOID, void_reason="x")
    assert [sent.subject for sent in mailed(STRANGER)] == ["Confirm the address for invoices of igny8"]
    delete_account(account_a, alice, make.PASSWORD)

    assert len(mailed(STRANGER)) == 1


# --- Floods -------------------------------------------------------------------------------------------------------


def test_thirty_orders_of_a_package_are_one_invoice_and_one_mail(trial: User, as_user: Login) -> None:
    client = as_user(trial)

    ids = {order(client).json()["data"]["invoice"]["id"] for _ in range(30)}

    assert len(ids) == Invoice.objects.count() == 1
    assert len([sent for sent in mailed() if "Invoice" in sent.subject]) == 1


def test_another_package_or_price_is_another_order(trial: User) -> None:
    make.credit_package(slug="business", credits=5000)
    assert trial.account
    first = buy_credits(trial.account, "pro", "bank_transfer", trial).invoice
    other = buy_credits(trial.account, "business", "bank_transfer", trial).invoice
    make.credit_package().__class__.objects.filter(slug="pro").update(price="30.00")

    dearer = buy_credits(trial.account, "pro", "bank_transfer", trial).invoice

    assert len({first.pk, other.pk, dearer.pk}) == 3


def test_a_customer_buys_more_while_a_transfer_is_looked_for(alice: User, account_a: Account, defaults: None) -> None:
    first = buy_credits(account_a, "pro", "bank_transfer", alice).invoice
    make.submitted_payment(first)

    assert buy_credits(account_a, "pro", "bank_transfer", alice).invoice.pk != first.pk


def test_a_trial_causes_so_many_mails_a_day(settings: Any, trial: User, as_user: Login, throttling: None) -> None:
    settings.TRIAL_MAILS_PER_DAY = 4
    client = as_user(trial)
    for number in range(10):
        client.patch(SETTINGS, {"billing_email": f"victim{number}@victim.example"}, format="json")

    assert len(mailed()) == 4
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=False):
        client = as_user(trial)
        client.patch(SETTINGS, {"billing_email": STRANGER}, format="json")
        assert len(mailed(STRANGER)) == 1


def test_invitations_of_many_teams_reach_somebody_five_times_a_day(throttling: None) -> None:
    from tests.auth.team import invite

    for _ in range(8):
        invite(make.owner(), STRANGER)

    assert len(mailed(STRANGER)) == 5


def test_nobody_asks_away_somebody_s_link_for_a_new_password(alice: User, throttling: None) -> None:
    begin = clock.now().replace(minute=0, second=0, microsecond=0)
    with time_machine.travel(begin, tick=False) as traveller:
        for _ in range(24):
            for _ in range(3):
                request_password_reset(alice.email)
            deliver_due()
            traveller.shift(timedelta(hours=1))
        # Whoever asks now has got a link within the last half hour, or gets one.
        count = len(mailed(alice.email))
        request_password_reset(alice.email)
        assert len(mailed(alice.email)) == count + 1
        request_password_reset(alice.email)
        assert len(mailed(alice.email)) == count + 1

    assert count <= 5 + 24


def test_a_second_try_of_the_same_mail_is_no_second_mail(throttling: None) -> None:
    for _ in range(3):
        assert mail_caps.may_send("verification", STRANGER, "<1>")
    assert [mail_caps.may_send("verification", STRANGER, f"<{number}>") for number in range(2, 6)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert len(set(SentMail.objects.values_list("recipient", flat=True))) == 1
    assert STRANGER not in SentMail.objects.values_list("recipient", flat=True)


# --- Names --------------------------------------------------------------------------------------------------------

POSING = ["URGENT: call +1 800 555 0100", "Visit https://evil.example/login", "www.evil.example", "a@evil.example"]


@pytest.mark.parametrize("name", POSING)
def test_no_door_takes_a_name_that_poses_as_ours(alice: User, as_user: Login, client: Client, name: str) -> None:
    person = {"first_name": "Eve", "last_name": "Adams", "email": "eve@example.com", "password": make.PASSWORD}
    doors = [
        as_user(alice).patch("/api/v1/auth/me/", {"first_name": name}, format="json"),
        as_user(alice).patch("/api/v1/auth/me/", {"last_name": name}, format="json"),
        as_user(alice).patch(SETTINGS, {"name": name}, format="json"),
        *(
            APIClient().post(
                "/api/v1/auth/register/", {**person, "password_confirm": make.PASSWORD, field: name}, format="json"
            )
            for field in ("first_name", "last_name", "account_name")
        ),
        client.post("/signup", {**person, "first_name": name, "terms_accepted": "on", "terms_version": "1"}),
    ]

    assert [door.status_code for door in doors] == [400] * len(doors)
    assert all("A name cannot" in door.content.decode() for door in doors)


@pytest.mark.parametrize("name", [*POSING, "Line\nBcc: x@evil.example"])
def test_what_got_in_before_leads_nowhere_in_a_mail(alice: User, name: str) -> None:
    from tests.auth.team import invite

    Account.objects.filter(pk=alice.account_id).update(name=name, status=AccountStatus.ACTIVE)
    User.objects.filter(pk=alice.pk).update(first_name=name, last_name="")
    alice.refresh_from_db()
    invite(alice, STRANGER)

    (sent,) = mailed(STRANGER)

    for part in (sent.body, str(sent.alternatives[0][0])):
        said = part.replace("https://app.example.com", "").replace("http://localhost:8011", "")
        assert "evil.example" not in said
        assert "555 0100" not in said
        assert "URGENT" not in said
    assert sent.subject == "You are invited to a team on igny8"
    assert "bcc" not in {header.lower() for header, _ in sent.message().items()}
