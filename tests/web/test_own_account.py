"""Who was removed from a team, or left it, begins an account of their own: on a page and with the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, AccountStatus, Role, User
from igny8_core.auth.services.memberships import remove_member
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice
from igny8_core.business.signup.service import begin_account, register
from igny8_core.events.models import Event
from tests import make
from tests.web.people import browser_of, says, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("defaults")]

START = "/api/v1/auth/account/"


@pytest.fixture
def removed(alice: User, bob: User) -> User:
    """bob, whom alice has removed from her team."""
    remove_member(alice.account, bob.pk, alice)  # type: ignore[arg-type]
    bob.refresh_from_db()
    return bob


def post(person: User, **body: Any) -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(person).access}")
    return client.post(START, body, format="json")


def test_a_former_member_signs_in_and_begins_a_trial_of_their_own(client: Any, removed: User) -> None:
    assert sign_in(client, removed.email)["Location"] == "/home"
    assert 'href="/own-account"' in client.get("/home").content.decode()

    answer = client.post("/own-account", {"account_name": "Bob & Co", "plan_slug": "free", "billing_country": "PK"})

    assert (answer.status_code, answer["Location"]) == (303, "/home")
    assert says(client.get("/home"), "Bob & Co")
    removed.refresh_from_db()
    account = removed.account
    assert account is not None
    assert (removed.role, account.owner, account.status) == (Role.OWNER, removed, AccountStatus.TRIAL)
    assert (account.credits, account.billing_country) == (1000, "PK")
    assert broken_invariants() == []


def test_a_paid_plan_leads_to_its_payment(removed: User, settings: Any) -> None:
    settings.BASE_URL = "http://testserver"
    browser = browser_of(removed)

    answer = browser.post("/own-account", {"plan_slug": "starter"})

    removed.refresh_from_db()
    account = removed.account
    assert account is not None
    assert account.status == AccountStatus.PENDING_PAYMENT
    assert answer["Location"].startswith("http://testserver/pay/")
    assert says(browser.get(answer["Location"]), Invoice.objects.get(account=account).invoice_number)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"account_name": "x" * 201}, "At most 200 characters."),
        ({"plan_slug": "internal"}, "plan"),
        ({"plan_slug": "nothing"}, "plan"),
        ({"billing_country": "XX"}, "A country code of two letters"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_made(
    removed: User, typed: dict[str, str], expected: str
) -> None:
    before = Account.objects.count()

    answer = browser_of(removed).post("/own-account", {"account_name": "Bob & Co", **typed})

    assert answer.status_code == 400
    assert says(answer, expected)
    removed.refresh_from_db()
    assert (Account.objects.count(), removed.account) == (before, None)


def test_a_second_click_makes_no_second_account(removed: User) -> None:
    browser, before = browser_of(removed), Account.objects.count()

    answers = [browser.post("/own-account", {"plan_slug": "free"}) for _ in range(2)]

    assert [answer["Location"] for answer in answers] == ["/home", "/home"]
    assert Account.objects.count() == before + 1


def test_a_member_of_a_team_begins_none(alice: User) -> None:
    assert browser_of(alice).get("/own-account")["Location"] == "/home"
    before = Account.objects.count()

    answer = post(alice)

    assert (answer.status_code, answer.json()["code"]) == (409, "member_elsewhere")
    assert Account.objects.count() == before


def test_by_api_it_is_as_signing_up(removed: User) -> None:
    answer = post(removed, account_name="Bob & Co", plan_slug="starter", payment_method="bank_transfer")

    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["account"]["name"] == "Bob & Co"
    assert data["user"]["role"] == "owner"
    assert data["invoice"]["status"] == "pending"
    assert data["payment_instructions"]["payment_method"] == "bank_transfer"
    created = Event.objects.filter(type="account.created").latest("pk")
    assert (created.actor_id, created.account_id) == (removed.pk, data["account"]["id"])


def test_registering_anew_says_to_log_in_instead(removed: User) -> None:
    body = {
        "email": removed.email,
        "password": "a wholly different phrase",
        "password_confirm": "a wholly different phrase",
        "first_name": "B",
        "last_name": "B",
    }

    answer = APIClient().post("/api/v1/auth/register/", body, format="json")

    assert answer.json()["errors"] == {
        "email": ["This e-mail address cannot be used for a new account. If it is yours, log in instead."]
    }


def test_without_a_login_nobody_begins_one() -> None:
    assert APIClient().post(START, {}, format="json").status_code == 401


def test_the_credits_of_a_trial_are_given_once_to_a_person() -> None:
    first = register(email="pia@example.com", password=make.PASSWORD, first_name="Pia", last_name="P")
    pia = first.user
    heir = make.user(account=first.account, role=Role.OWNER)
    remove_member(first.account, pia.pk, heir)
    pia.refresh_from_db()

    assert says(browser_of(pia).get("/own-account"), "without credits: the free ones came with your first account")
    second = begin_account(pia)

    assert (second.account.status, second.account.credits) == (AccountStatus.TRIAL, 0)
    first.account.refresh_from_db()
    assert first.account.credits == 1000
    assert broken_invariants() == []


def test_who_joined_a_team_by_invitation_still_has_their_trial(removed: User) -> None:
    assert begin_account(removed).account.credits == 1000
