"""The pages of sites: listing, adding, changing and deleting them, and who may."""

from typing import Any

import pytest
from django.test import Client

from igny8_core.auth.models import AccountStatus, Industry, Role, Site, SiteUserAccess, SuspendedReason, User
from tests import make
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def industry(db: None) -> Industry:
    return Industry.objects.create(name="Technology", slug="technology")


@pytest.fixture
def browser(alice: User, industry: Industry) -> Client:
    return browser_of(alice)


def adds(browser: Client, technology: Industry, **said: Any) -> Any:
    return browser.post("/sites/new", {"name": "Blog", "industry": technology.pk, "domain": "blog.example", **said})


def test_the_first_site_is_invited_added_and_listed(browser: Client, industry: Industry, alice: User) -> None:
    assert says(browser.get("/sites"), "Add your first site")  # type: ignore[arg-type]

    assert adds(browser, industry)["Location"] == "/sites"

    site = Site.objects.get()
    assert (site.name, site.industry, site.domain, site.account) == ("Blog", industry, "blog.example", alice.account)
    assert SiteUserAccess.objects.filter(site=site, user=alice).exists()
    page: Any = browser.get("/sites")
    assert says(page, "Blog is added.")
    assert says(page, "blog.example")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"name": ""}, "Give the site a name"),
        ({"industry": ""}, "Choose the industry of the site."),
        ({"industry": "999"}, "Choose one of the industries in the list."),
        ({"domain": "https://blog.example/x"}, "Write a domain name such as example.com, without https:// and path."),
    ],
)
def test_a_wrong_field_is_said_and_nothing_is_added(
    browser: Client, industry: Industry, said: dict[str, str], text: str
) -> None:
    answer = adds(browser, industry, **said)

    assert answer.status_code == 400
    assert says(answer, text)
    assert not Site.objects.exists()


def test_a_full_plan_says_what_to_do_and_takes_no_more(browser: Client, industry: Industry) -> None:
    for _ in range(2):
        adds(browser, industry)

    page: Any = browser.get("/sites")
    assert says(page, "has room for 2 sites, and you have 2.")
    assert says(page, "delete a site that you no longer need")
    assert not says(page, "Add a site")
    assert browser.get("/sites/new")["Location"] == "/sites"
    assert adds(browser, industry).status_code == 409
    assert Site.objects.count() == 2


def test_a_site_is_changed_and_deleted(browser: Client, industry: Industry) -> None:
    adds(browser, industry)
    site = Site.objects.get()
    Industry.objects.update(is_active=False)  # its own can stay

    said = {"name": "Shop", "industry": industry.pk, "domain": ""}
    assert browser.post(f"/sites/{site.pk}", said)["Location"] == "/sites"
    site.refresh_from_db()
    assert (site.name, site.domain) == ("Shop", "")

    assert browser.get(f"/sites/{site.pk}/delete").status_code == 200
    assert Site.objects.exists()
    assert browser.post(f"/sites/{site.pk}/delete")["Location"] == "/sites"
    assert not Site.objects.exists()


def test_a_viewer_looks_and_an_editor_changes_what_is_open_to_them(alice: User, bob: User, industry: Industry) -> None:
    adds(browser_of(alice), industry)
    site = Site.objects.get()
    editor = make.user(account=alice.account, role=Role.EDITOR)
    SiteUserAccess.objects.create(site=site, user=editor)
    SiteUserAccess.objects.create(site=site, user=bob)

    viewed, edited = browser_of(bob).get("/sites"), browser_of(editor).get("/sites")
    assert says(viewed, "Blog")  # type: ignore[arg-type]
    assert not says(viewed, "Edit")  # type: ignore[arg-type]
    assert says(edited, "Edit")  # type: ignore[arg-type]
    for person in (bob, editor):
        for address in ("/sites/new", f"/sites/{site.pk}/delete"):
            assert browser_of(person).post(address, {"name": "X", "industry": industry.pk}).status_code == 403
    assert browser_of(bob).post(f"/sites/{site.pk}", {"name": "X", "industry": industry.pk}).status_code == 403
    assert Site.objects.get().name == "Blog"
    assert browser_of(editor).post(f"/sites/{site.pk}", {"name": "X", "industry": industry.pk}).status_code == 303


def test_another_account_s_site_is_not_there(browser: Client, industry: Industry, charlie: User) -> None:
    adds(browser, industry)
    site = Site.objects.get()

    for address in (f"/sites/{site.pk}", f"/sites/{site.pk}/delete", "/sites/999999"):
        assert browser_of(charlie).get(address).status_code == 404
        assert browser_of(charlie).post(address).status_code == 404
    assert not says(browser_of(charlie).get("/sites"), "Blog")  # type: ignore[arg-type]
    assert Site.objects.exists()


@pytest.mark.parametrize(
    ("status", "reason", "text"),
    [
        (AccountStatus.PENDING_PAYMENT, "", "Your account is waiting for payment."),
        (
            AccountStatus.SUSPENDED,
            SuspendedReason.OPERATOR,
            "Your account is suspended. Contact support to have it reactivated.",
        ),
        (AccountStatus.CANCELED, "", "Your account is canceled. Order a plan to use it again."),
    ],
)
def test_an_account_that_may_not_be_used_says_so_and_takes_no_site(
    browser: Client, industry: Industry, alice: User, status: str, reason: str, text: str
) -> None:
    assert alice.account
    alice.account.status, alice.account.suspended_reason = status, reason
    alice.account.save()

    assert says(browser.get("/sites"), text)  # type: ignore[arg-type]
    assert adds(browser, industry).status_code in {402, 403}
    assert not Site.objects.exists()


def test_strangers_and_people_without_an_account_are_led_on(db: None) -> None:
    assert Client().get("/sites")["Location"] == "/login?next=%2Fsites"
    assert browser_of(make.user()).get("/sites")["Location"] == "/home"
