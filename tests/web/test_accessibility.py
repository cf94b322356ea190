"""axe-core finds nothing serious on any page: desk and phone, light and dark, from the left and from the right.

Nor does anything run over the side, and what can be done on a desk can be done on a phone. A new page is one line in
PAGES. The pages of a group share a world, in which each has an owner of its own; a page is loaded once for each
language, and changes its width and its colours in place.
"""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Industry, Role, User
from igny8_core.auth.services.invitations import invitation_token, invite
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.page_sessions import open_page_session
from igny8_core.auth.services.second_factor import begin_enrolment
from igny8_core.auth.services.sites import create_site
from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType, PaymentMethodConfig
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits.spending import use_credits
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.web.accessibility import Scheme, serious_faults
from tests.web.browser import browser_page, with_chromium
from tests.web.people import COOKIE, browser_of

IBAN = "DE89370400440532013000"
pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


def plain(address: str) -> Callable[[User], str]:
    """A page whose address needs nothing that is made for the test."""
    return lambda owner: address


def reset(owner: User) -> str:
    return f"/new-password/{link_token(owner, Purpose.RESET, timezone.now())}"


def verification(owner: User) -> str:
    return f"/verify-email/{link_token(owner, Purpose.VERIFICATION, timezone.now())}"


def with_a_device_to_set_up(owner: User) -> str:
    User.objects.filter(pk=owner.pk).update(email_verified_at=timezone.now())
    owner.refresh_from_db()
    begin_enrolment(owner)
    return "/security"


def invitation(owner: User, email: str = "new@example.com") -> str:
    made = invite(owner.account, owner, email=email, role=Role.EDITOR, site_ids=[])  # type: ignore[arg-type]
    return f"/invitations/{invitation_token(made)}"


def invitation_on(address: str) -> Callable[[User], str]:
    """A page that lists an invitation."""

    def made(owner: User) -> str:
        invitation(owner)
        return address

    return made


def invitation_of_a_known_person(owner: User) -> str:
    return invitation(owner, make.user().email)


def with_credits(owner: User) -> str:
    assert owner.account
    kind, of = CreditGrantKind.PLAN, CreditTransactionType.TRIAL
    CreditService.grant(owner.account, 9, kind=kind, transaction_type=of, source="t", description="Trial credits")
    return "/home"


def with_open_invoices(owner: User) -> str:
    """A banner that waits, one that says why not, and one that is being checked."""
    assert owner.account
    waiting, rejected, checked = (make.invoice(owner.account) for _ in range(3))
    payment = make.submitted_payment(rejected)
    PaymentService.reject_manual_payment(payment, "No such transfer", make.operator())
    make.submitted_payment(checked)
    return f"/home?{waiting.pk}"


def with_a_site(address: str) -> Callable[[User], str]:
    def made(owner: User) -> str:
        assert owner.account
        site = create_site(owner.account, owner, name="Blog", industry=Industry.objects.all()[0])
        return address.format(site=site.pk)

    return made


def with_a_plan(address: str) -> Callable[[User], str]:
    """A running plan with a paid invoice and an open one, credits of each kind, and some that were spent."""

    def made(owner: User) -> str:
        tenant = owner.account
        assert tenant
        tenant.status = "pending_payment"
        tenant.save()
        paid = make.subscription(tenant, make.plan("starter")).invoices.get()
        PaymentService.approve_manual_payment(make.submitted_payment(paid), make.operator())
        make.credits(tenant, 100, source="adjustment:x")
        for operation in ("image_generation", "idea_generation"):
            use_credits(tenant, operation, 3, user=owner, key=operation)
        return address.format(invoice=paid.pk, open=make.invoice(tenant).pk)

    return made


# Name and details of each way to pay, in the order in which it is offered.
WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "bank_transfer": ("Bank Transfer", {"account_title": "igny8 GmbH", "iban": IBAN, "bank_name": "Musterbank AG"}),
    "local_wallet": ("JazzCash", {"wallet_type": "JazzCash", "wallet_id": "03001234567"}),
    "stripe": ("Card", {}),
    "paypal": ("PayPal", {}),
}


def to_pay(state: str) -> Callable[[User], str]:
    """The page that a pay link opens, of an invoice that can be paid in every way."""

    def made(owner: User) -> str:
        tenant = owner.account
        assert tenant
        for order, (method, (name, details)) in enumerate(WAYS.items()):
            values = {"display_name": name, "sort_order": order, "is_enabled": True, **details}
            key = {"country_code": tenant.billing_country or "*", "payment_method": method}
            PaymentMethodConfig.objects.update_or_create(**key, defaults=values)
        invoice = make.invoice(tenant)
        if state in {"confirmed", "rejected", "paid"}:
            payment = make.submitted_payment(invoice)
            if state == "rejected":
                PaymentService.reject_manual_payment(payment, "No such transfer", make.operator())
            elif state == "paid":
                PaymentService.approve_manual_payment(payment, make.operator())
        elif state == "void":
            InvoiceService.mark_void(invoice, "Made twice")
        return pay_link(invoice).removeprefix(settings.BASE_URL) + ("?unpaid" if state == "left" else "")

    return made


# Name, address made for an account's owner, who looks at it ("nobody", "owner", "loner": a login without an account),
# and whether the page's form is sent empty first.
PAGES: dict[str, list[tuple[str, Callable[[User], str], str, bool]]] = {
    "signing-in": [
        ("start", plain("/"), "nobody", False),
        ("login", plain("/login"), "nobody", False),
        ("login-refused", plain("/login"), "nobody", True),
        ("forgotten", plain("/forgotten-password"), "nobody", True),
        ("link-sent", plain("/forgotten-password/sent"), "nobody", False),
        ("new-password", reset, "nobody", True),
        ("new-password-cut", plain("/new-password/x"), "nobody", False),
        ("verify", verification, "nobody", False),
        ("verify-cut", plain("/verify-email/x"), "owner", False),
        ("no-page", plain("/nothing/here"), "nobody", False),
    ],
    "signing-up": [
        ("invitation", invitation, "nobody", True),
        ("invitation-known", invitation_of_a_known_person, "nobody", False),
        ("invitation-another", invitation, "owner", False),
        ("invitation-cut", plain("/invitations/x"), "nobody", False),
        ("own-account", plain("/own-account"), "loner", False),
        ("signup", plain("/signup"), "nobody", False),
        ("signup-paid", plain("/signup?plan=growth"), "nobody", True),
        ("order", plain("/plan"), "owner", True),
        ("terms", plain("/terms"), "nobody", False),
        ("privacy", plain("/privacy"), "nobody", False),
    ],
    "home": [
        ("home", plain("/home"), "owner", False),
        ("home-alone", plain("/home"), "loner", False),
        ("home-credits", with_credits, "owner", False),
        ("home-banners", with_open_invoices, "owner", False),
        ("sites-empty", plain("/sites"), "owner", False),
        ("sites", with_a_site("/sites"), "owner", False),
        ("site", with_a_site("/sites/{site}"), "owner", False),
        ("site-new", plain("/sites/new"), "owner", True),
        ("site-delete", with_a_site("/sites/{site}/delete"), "owner", False),
        ("security", plain("/security"), "owner", False),
        ("security-begun", with_a_device_to_set_up, "owner", False),
    ],
    "account": [
        ("billing", with_a_plan("/account/billing"), "owner", False),
        ("invoices", with_a_plan("/account/invoices"), "owner", False),
        ("invoices-none", plain("/account/invoices?first=x"), "owner", False),
        ("invoice", with_a_plan("/account/invoices/{invoice}"), "owner", False),
        ("usage", with_a_plan("/account/usage"), "owner", False),
        ("credits", with_a_plan("/account/credits/purchase"), "owner", False),
        ("credits-order", with_a_plan("/account/credits/purchase/{open}"), "owner", False),
        ("credits-paid", with_a_plan("/account/credits/purchase/{invoice}"), "owner", False),
        ("account-settings", plain("/account/settings"), "owner", False),
        ("account-team", invitation_on("/account/team"), "owner", False),
        ("account-activity", invitation_on("/account/activity"), "owner", False),
    ],
    "paying": [
        ("pay", to_pay("open"), "nobody", False),
        ("pay-told", to_pay("open"), "nobody", True),
        ("pay-signed-in", to_pay("open"), "owner", False),
        ("pay-left", to_pay("left"), "nobody", False),
        ("pay-confirmed", to_pay("confirmed"), "nobody", False),
        ("pay-rejected", to_pay("rejected"), "nobody", False),
        ("pay-paid", to_pay("paid"), "nobody", False),
        ("pay-void", to_pay("void"), "nobody", False),
        ("pay-cut", plain("/pay/x/"), "nobody", False),
    ],
    "faults": [
        ("forbidden", plain("/faults/forbidden"), "nobody", False),
        ("forbidden-owner", plain("/faults/forbidden"), "owner", False),
        ("broken", plain("/faults/broken"), "nobody", False),
        ("broken-owner", plain("/faults/broken"), "owner", False),
        ("busy", plain("/faults/busy"), "owner", False),
    ],
}
# Scripts that save a click or a load; tests without a browser do the same without them.
COMFORTS = {"signup/signup.js", "account/meter.js", "account/standing.js", "pay/copy.js", "pay/send.js", "pay/live.js"}
# Language, width and the colour schemes in which axe is asked: of each direction in another width. In the language with
# the longest words it is asked on the smallest screen only, as names come from the same templates.
Look = tuple[str, int, tuple[Scheme, ...]]
LOOKS: tuple[Look, ...] = (
    *(("en", 1440, ("light", "dark")), ("en", 390, ())),
    *(("ur", 1440, ()), ("ur", 390, ("light", "dark"))),
    *(("de", 1440, ()), ("de", 390, ("light",))),
)
PHONE_IN_THE_DARK: Look = ("ur", 390, ("dark",))


@pytest.fixture(autouse=True)
def world(live_server: LiveServer, settings: Any, stripe: FakeStripe, paypal: FakePayPal, defaults: None) -> None:
    settings.BASE_URL = live_server.url
    settings.ROOT_URLCONF = "tests.web.faulty_urls"


def test_nobody_is_kept_out_of_paying(live_server: LiveServer) -> None:
    assert faults_of("paying", (PHONE_IN_THE_DARK,), live_server.url) == {}


def test_without_scripts_a_page_that_needs_them_says_so(live_server: LiveServer) -> None:
    silent = []
    for name, address, looks, _ in (page for group in PAGES.values() for page in group):
        owner = make.owner(email=f"{name}@example.com")
        person = {"owner": owner, "loner": make.user()}.get(looks)
        html = browser_of(person, raise_request_exception=False).get(address(owner)).content.decode()
        if set(re.findall(r'<script[^>]* src="/static/web/([^"]+)"', html)) - COMFORTS and "<noscript><p " not in html:
            silent.append(name)
    assert silent == []


@pytest.mark.stress
@pytest.mark.parametrize("group", PAGES)
def test_nobody_is_kept_out_of_any_page(group: str, live_server: LiveServer) -> None:
    assert faults_of(group, LOOKS, live_server.url) == {}


def faults_of(group: str, seen: tuple[Look, ...], site: str) -> dict[tuple[str, str, int], list[str]]:
    """What is wrong with which page, in which language and width; axe is asked in the colour schemes of the look."""
    pages = []
    for name, address, looks, is_sent in PAGES[group]:
        owner = make.owner({"name": "Karachi Content Company"}, email=f"{name}@example.com")
        person = {"owner": owner, "loner": make.user()}.get(looks)
        pages.append((name, f"{site}{address(owner)}", open_page_session(person) if person else "", is_sent))
    found, first_shown, open_now = {}, dict[str, list[str]](), ("", "")
    with browser_page(answered=(400, 401, 403, 404, 410, 500, 503)) as page:
        for (name, target, session, is_sent), (language, width, schemes) in product(pages, seen):
            page.set_viewport_size({"width": width, "height": 900})
            if (name, language) != open_now:
                cookies = {settings.LANGUAGE_COOKIE_NAME: language, COOKIE: session}
                page.context.clear_cookies()
                page.context.add_cookies(
                    [{"name": key, "value": cookies[key], "url": site} for key in cookies if cookies[key]]
                )
                page.goto(target)
                expect(page.locator("html")).to_have_attribute("lang", language)
                unfold(page, is_sent=is_sent)
                open_now = name, language
            shown = to_act_with(page)
            missing = set(first_shown.setdefault(name, shown)) ^ set(shown)
            faults = [*serious_faults(page, schemes), *over_the_side(page), *too_small(page), *missing]
            if faults:
                found[name, language, width] = faults
    return found


def unfold(page: Page, *, is_sent: bool) -> None:
    """Wait for what is loaded, open what is folded up, and send the form empty where it `is_sent`."""
    expect(page.locator("[data-state=loading]")).to_have_count(0)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    if is_sent:
        page.locator("main form button").last.click()
        page.locator("[role=alert]").first.wait_for()
        page.wait_for_load_state()


def over_the_side(page: Page) -> list[str]:
    """What is wider than the window, and cards with something that is wider than they are."""
    script = """() => [document.documentElement, ...document.querySelectorAll("main, .card, .choice, .account-page")]
        .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth)
        .map((each) => `wider than its place: ${each.cloneNode().outerHTML}`)"""
    wide: list[str] = page.evaluate(script)
    return wide


def to_act_with(page: Page) -> list[str]:
    """What leads on from the page, or is filled in, as far as it is shown."""
    script = """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea, summary)")]
        .filter((each) => each.checkVisibility())
        .map((each) => `${each.localName} ${each.getAttribute("href") ?? each.name ?? ""}`)"""
    shown: list[str] = page.evaluate(script)
    return shown


def too_small(page: Page) -> list[str]:
    """What a finger would miss on a phone: less than 44 pixels high. Links inside a sentence are as high as it."""
    if page.evaluate("innerWidth") > 500:
        return []
    controls = "button, a.button, header a, footer a, select, input:not([type=hidden], [type=radio], [type=checkbox])"
    script = """(controls) => [...document.querySelectorAll(controls)]
        .filter((each) => each.checkVisibility() && !each.matches(".visually-hidden, .skip"))
        .filter((each) => each.getBoundingClientRect().height < 43.9)
        .map((each) => each.outerHTML.slice(0, 120))"""
    small: list[str] = page.evaluate(script, controls)
    return small
