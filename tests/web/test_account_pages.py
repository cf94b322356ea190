"""The pages of an account as the server draws them: the menu, what each role sees, and who is led elsewhere."""

from datetime import timedelta
from typing import Any

import pytest

from igny8_core.auth.models import Role, Site, SiteUserAccess, User
from igny8_core.events.models import Event
from igny8_core.events.registry import all_types
from igny8_core.web.activity.words import DONE
from igny8_core.web.frame.account_pages import MENU
from tests import make
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db

PAGES = [
    *("/account/settings", "/account/billing", "/account/invoices", "/account/credits/purchase"),
    *("/account/team", "/account/usage", "/account/activity"),
]
# Subjects that belong to no account, so that no member ever reads of them.
OF_OPERATORS = ("plan", "industry", "group", "credit_cost", "credit_package", "payment_method_config", "business_day")
OF_OPERATORS += (
    "operator_invitation",
    "delivery",
    "plan_price_change",
    "webhook",
    "gateway.difference",
    "signups",
    "payment.left_undecided",
    "books",
)


def drawn(person: User, address: str) -> str:
    answer: Any = browser_of(person).get(address)
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_for_members_and_the_others_are_led_on(address: str, alice: User) -> None:
    assert browser_of().get(address)["Location"] == f"/login?next={address.replace('/', '%2F')}"
    assert browser_of(make.user()).get(address)["Location"] == "/home"
    assert browser_of(alice).post(address).status_code == 405
    assert browser_of(alice).get(f"{address}/").status_code == 200


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.EDITOR, Role.VIEWER])
def test_the_menu_leads_to_all_pages_that_a_role_may_open_and_marks_this_one(alice: User, role: Role) -> None:
    person = make.user(account=alice.account, role=role)

    for entry, address in zip(MENU, PAGES, strict=True):
        if role not in entry.roles:
            assert browser_of(person).get(address).status_code == 403
            continue
        page = drawn(person, address)
        assert page.count('aria-current="page"') == 1
        assert f'href="{address}" aria-current="page"' in page
        for other in MENU:
            assert (str(other.label) in page) == (role in other.roles)


def test_owners_and_admins_edit_what_the_others_read(alice: User, bob: User) -> None:
    tenant = alice.account
    assert tenant
    tenant.billing_city, tenant.tax_id = "Karachi", "PK-77"
    tenant.save()
    viewer = make.user(account=tenant, role=Role.VIEWER)

    for reader in (bob, viewer):
        page = drawn(reader, "/account/settings")
        assert "data-settings" not in page
        assert "Owners and admins of your account can change this." in page
        assert "Karachi" in page
        assert "PK-77" in page
    for manager in (alice, make.user(account=tenant, role=Role.ADMIN)):
        assert drawn(manager, "/account/settings").count("data-settings") == 2


def test_everybody_chooses_their_own_language_and_reads_that_of_the_account(alice: User, bob: User) -> None:
    assert alice.account
    alice.account.language, bob.language = "ur", "en"
    alice.account.save()
    bob.save()

    page = drawn(bob, "/account/settings")

    assert '<bdi lang="ur">اردو</bdi>' in page
    assert '<option value="en" lang="en" selected>English</option>' in page
    assert '<option value="ur" lang="ur" selected>' not in page
    assert '<option value="ur" lang="ur" selected>اردو</option>' in drawn(alice, "/account/settings")


def test_only_owners_are_shown_how_to_give_the_account_away_and_the_others_how_to_leave(alice: User) -> None:
    admin = make.user(account=alice.account, role=Role.ADMIN)

    assert 'id="transfer"' in drawn(alice, "/account/settings")
    assert 'id="leave"' not in drawn(alice, "/account/settings")
    page = drawn(admin, "/account/settings")
    assert 'id="leave"' in page
    assert 'id="transfer"' not in page
    assert 'id="delete"' not in page


def test_without_confirmations_the_password_is_asked_for_with_the_form(alice: User, settings: Any) -> None:
    for age, fields in ((timedelta(0), 2), (timedelta(minutes=5), 0)):
        settings.CONFIRMATION_AGE = age
        assert drawn(alice, "/account/settings").count('name="password" type="password"') - 1 == fields


def test_the_limits_are_drawn_with_bars(alice: User) -> None:
    assert alice.account
    Site.objects.create(account=alice.account, name="Blog", industry=make_industry())

    answer: Any = browser_of(alice).get("/account/settings")

    assert says(answer, "1 of 2")
    assert '<rect class="used" width="50" height="1"/>' in answer.content.decode()


def make_industry() -> Any:
    from igny8_core.auth.models import Industry

    return Industry.objects.get_or_create(name="Technology", slug="technology")[0]


def test_a_role_sees_of_the_team_what_it_may_do(alice: User, bob: User) -> None:
    assert alice.account
    site = Site.objects.create(account=alice.account, name="Blog of Karachi", industry=make_industry())
    SiteUserAccess.objects.create(site=site, user=bob)
    admin = make.user(account=alice.account, role=Role.ADMIN)

    page = drawn(bob, "/account/team")
    assert 'id="invitations"' not in page
    assert 'id="invite"' not in page
    assert "data-do=" not in page
    page = drawn(admin, "/account/team")
    assert 'id="invitations"' in page
    assert "Blog of Karachi" in page
    assert '<input type="radio" name="role" value="admin"' in page
    assert '<input type="radio" name="role" value="owner"' not in page
    assert '<input type="radio" name="role" value="owner"' in drawn(alice, "/account/team")


def test_nothing_of_another_account_is_on_a_page(alice: User) -> None:
    stranger = make.owner({"name": "Strangers Ltd", "billing_city": "Elsewhere"}, email="stranger@example.com")
    assert stranger.account
    Site.objects.create(account=stranger.account, name="Secret shop", industry=make_industry())

    for address in PAGES:
        page = drawn(alice, address)
        assert not [text for text in ("Strangers", "Elsewhere", "stranger@", "Secret shop") if text in page]


def test_everything_that_happens_to_an_account_has_words() -> None:
    worded = {name for _, types in DONE for name in types}
    ours = {kind.name for kind in all_types() if not kind.name.startswith(OF_OPERATORS)}

    assert worded == ours


def test_the_log_draws_as_many_rows_as_it_will_have(alice: User) -> None:
    known = Event.objects.filter(account=alice.account).count()

    assert drawn(alice, "/account/activity").count('class="bone"') == min(known, 20)


def test_an_invoice_says_the_customers_purchase_order_where_there_is_one(alice: User) -> None:
    plain, ordered = make.invoice(alice.account), make.invoice(alice.account, purchase_order_number="PO-2026-117")

    assert "PO-2026-117" in drawn(alice, f"/account/invoices/{ordered.pk}")
    assert "Purchase order" not in drawn(alice, f"/account/invoices/{plain.pk}")
