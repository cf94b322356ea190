"""Every page of the console in a real browser: nobody is kept out of it, and nothing leaves its box.

One page of each kind is looked at on a phone and on a desk, in light and in dark; of the others half in each run, and
what is new on them in one of these looks.
"""

import os
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import randrange, sample

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import Account, Plan, User
from igny8_core.auth.services.operators import invite_operator, operator_invitation_token
from igny8_core.business.billing.models import BulkDecision, Invoice, Payment
from igny8_core.console.access import pages_of_console, request_of
from igny8_core.events.models import Event
from tests import make
from tests.admin.business import half_a_year
from tests.admin.entering import signed_in
from tests.admin.samples import one_of_each
from tests.web.accessibility import AxeOnPage, Scheme
from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.stress, pytest.mark.django_db(transaction=True), with_chromium]

# Answers that are files, or that only a form is sent to.
NO_PAGES = re.compile(
    r"_(pdf|picture|preview|proof|proof_pages|switch|drop_selected|queue)$|_(payment|invoice)_decide$"
)
# One template draws all histories of the same rows of the log; one of them is among the kinds of pages.
HISTORY = "/*/history/"
WIDTHS = (390, 768, 1440, 1920)
# Phones and tablets, which leave less room than any desk.
NARROWEST = (390, 768)
# At which widths axe looks at a page, and in which themes there.
Looks = dict[int, tuple[Scheme, ...]]
ALL_LOOKS: Looks = {390: ("light", "dark"), 1440: ("light", "dark")}
# In turn; with which the first page begins is drawn for each run, so that each page comes in both.
IN_TURN: tuple[Looks, Looks] = ({390: ("light",)}, {1440: ("dark",)})
# What is done to a row is asked in a dialog; these are pages of their own.
DIALOG_OF_ROW = re.compile(r"^(/admin/\w+/\w+/[^/]+/)(?!change/|history/|delete/|password/|to-check/)[a-z_-]+/$")
DIALOG_OF_LIST = re.compile(r"^/admin/\w+/\w+/(order|send_now|invite)/$")
SHARES = 3
# What sticks out of the window or of its card, and is neither scrolled nor cut there on purpose.
OVERFLOWING = """() => {
  const held = (each) => {
    for (let box = each.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible") return true;
    return false;
  };
  const panels = [...document.querySelectorAll(".console-panel")];
  const cut = panels.filter((each) => each.scrollWidth > each.clientWidth + 1);
  const end = document.documentElement.clientWidth + 1;
  const out = [...document.querySelectorAll("#main *, body > main *, [role=dialog] *")].filter((each) => {
    const own = each.getBoundingClientRect();
    return own.width > 1 && (own.right > end || own.left < -1) && each.checkVisibility() && !held(each);
  });
  return [...cut, ...out].map((each) => each.outerHTML.slice(0, 160)).slice(0, 3);
}"""
# Looked at once: the menu, which stands on every page, and rows that are as those above them.
SAME_ELSEWHERE = (
    "#nav-sidebar-inner",
    "tbody tr:nth-child(n + 4)",
    "tbody:nth-of-type(n + 4)",
    "option:nth-child(n + 4)",
)
WITHOUT_THE_SAME = """document.querySelectorAll("#nav-sidebar-inner > *, option:nth-child(n + 4)").forEach(
  (each) => each.remove())"""
# What a page is made of, as far as axe can tell: each element with its class, the names of its attributes, whether it
# has a text of its own and a label, and in what it stands. The names of models and fields, which stand in classes, make
# no difference (but in lists of payments, which are among the kinds), nor does how often there is such an element.
MADE_OF = """() => {
  const known = new Map(), found = new Set();
  const own = (each) => [
    each.localName,
    (each.getAttribute("class") ?? "").replace(/\\b(app|model|field|column)-\\S+/g, ""),
    each.getAttributeNames().sort().join(),
    each.getAttribute("role"), each.getAttribute("style"), each.type, each.labels?.length > 0,
    [...each.childNodes].some((part) => part.nodeType === 3 && part.data.trim()),
  ].join("|");
  for (const each of document.querySelectorAll("body, body *:not(script, #nav-sidebar-inner *)")) {
    known.set(each, (known.get(each.parentElement)?.split(">").slice(-3).join(">") ?? "") + ">" + own(each));
    found.add(known.get(each));
  }
  return [...found];
}"""
SHOTS = os.environ.get("IGNY8_SHOTS", "")


def addresses(person: User) -> Iterator[str]:
    """Each page of the console that is opened by its address, with the newest row of its model in it."""
    fixed = ["/admin/", "/admin/search/", "/admin/search/?q=89", "/admin/search/?q=zzzz", "/admin/second-factor/"]
    yield from [*fixed, "/admin/password_change/", "/admin/billing/payment/queue/"]
    seen = set()
    for page in pages_of_console():
        is_other = NO_PAGES.search(page.name) or page.shown.endswith(HISTORY)
        if is_other or page.shown in seen or not page.check(request_of(person)):
            continue
        seen.add(page.shown)
        app, model = page.shown.split("/")[1:3]
        if "*" not in page.shown:
            yield f"/{page.shown}"
            continue
        about = BulkDecision if "/decided/" in page.shown else apps.get_model(app, model)
        row = about._default_manager.order_by("pk").last()
        assert row, page.address
        yield "/" + page.shown.replace("*", str(row.pk))


def faults_of(page: Page, name: str, looks: Looks, seen: set[str] | None = None) -> list[str]:
    """What is wrong with the page that is open, one line for each fault, at all widths; axe is asked as `looks` say.

    `seen`: what pages before were made of. On a page that adds nothing to it, only texts can be too long for their
    place, and are so first where it is narrowest.
    """
    page.add_style_tag(content="*, *::before, *::after { transition: none !important; animation: none !important }")
    page.evaluate("document.fonts.ready.then(() => true)")
    widths = WIDTHS
    if seen is not None:
        page.evaluate(WITHOUT_THE_SAME)
        parts = set(page.evaluate(MADE_OF))
        widths, looks = (WIDTHS, looks) if parts - seen else (NARROWEST, {})
        seen |= parts
    axe = AxeOnPage(page, () if name in {"/admin/", "dashboard"} else SAME_ELSEWHERE) if looks else None
    found: list[str] = []
    # From the width that it has to the one at the other end.
    for width in sorted(widths, reverse=page.evaluate("innerWidth") > min(widths)):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{name} {width}: {wide} px too wide"] if wide > 0 else []
        found += [f"{name} {width}: sticks out {each}" for each in page.evaluate(OVERFLOWING)]
        themes = looks.get(width, ()) if axe else ()
        for theme in themes:
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
            found += [f"{name} {width} {theme}: {each}" for each in axe.faults(colours_only=theme != themes[-1])]
            if SHOTS:
                shot = f"{name.strip('/').replace('/', '-')}-{width}-{theme}.png"
                page.screenshot(path=Path(SHOTS) / shot, full_page=width == 390)
    return found


def opened(page: Page, server: LiveServer, address: str, cookie: str) -> None:
    """The page at the address, of the operator whose session the cookie is; of nobody without one."""
    page.context.clear_cookies()
    if cookie:
        session = {"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server.url}
        page.context.add_cookies([session])  # type: ignore[list-item]
    of_row, of_list = DIALOG_OF_ROW.match(address), DIALOG_OF_LIST.match(address)
    if of_row or of_list:
        _as_dialog(page, server.url + (f"{of_row[1]}change/" if of_row else address.rsplit("/", 2)[0] + "/"), address)
    else:
        page.goto(server.url + address)


def _as_dialog(page: Page, has_button: str, address: str) -> None:
    """A dialog is a piece of a page: put it where the button for it would. That page may be open already."""
    if page.url != has_button:
        page.goto(has_button)
    page.evaluate(
        """address => { document.querySelector("#dialog")?.remove();
        return htmx.ajax("GET", address, {source: "[hx-target='#modal-content']", target: "#modal-content",
        select: "#dialog"}) }""",
        address,
    )
    expect(page.locator("#dialog")).to_be_attached()


def kinds_of_pages(account: Account) -> dict[str, str]:
    """One page of each kind, by name."""
    paid = Payment.objects.filter(account=account, status="succeeded").latest("pk")
    waiting = Payment.objects.filter(status="pending_approval", manual_reference__startswith="MCB").earliest("pk")
    invoice = Invoice.objects.filter(account=account).latest("pk")
    group, event = Group.objects.get(name="Support"), Event.objects.latest("pk")
    return {
        "dashboard": "/admin/",
        "search": "/admin/search/?q=MCB-889201",
        "list": "/admin/billing/payment/",
        "review": f"/admin/billing/payment/queue/{waiting.pk}/",
        "decided": f"/admin/billing/payment/decided/{BulkDecision.objects.latest('pk').pk}/",
        "account": f"/admin/igny8_auth/account/{account.pk}/change/",
        "builder": f"/admin/billing/invoice/add/?account={account.pk}",
        "invoice": f"/admin/billing/invoice/{invoice.pk}/change/",
        "methods": "/admin/billing/paymentmethodconfig/",
        "deliveries": "/admin/events/delivery/",
        "event": f"/admin/events/event/{event.pk}/change/",
        "plan": f"/admin/igny8_auth/plan/{Plan.objects.latest('pk').pk}/change/",
        "role": f"/admin/auth/group/{group.pk}/change/",
        "history": f"/admin/billing/payment/{paid.pk}/history/",
        "delete": f"/admin/auth/group/{group.pk}/delete/",
        "dialog": f"/admin/billing/payment/{paid.pk}/refund/",
        "second-factor": "/admin/second-factor/",
        "password": "/admin/password_change/",
    }


def test_nobody_is_kept_out_of_any_kind_of_page(live_server: LiveServer, olga: User, defaults: None) -> None:
    pages = kinds_of_pages(half_a_year(olga))
    support = make.user(is_staff=True, email="sara@example.com", first_name="Sara")
    support.groups.add(Group.objects.get(name="Support"))
    invited = operator_invitation_token(invite_operator("i@example.com", support.groups.get(), olga))
    whole, few = signed_in(olga), signed_in(support)
    opens = {name: (address, whole) for name, address in pages.items()}
    opens["refused"] = ("/admin/auth/group/", few)
    opens["login"], opens["invitation"] = ("/admin/login/", ""), (f"/admin/operator-invitation/{invited}/", "")

    found = []
    with browser_page(answered=(403,)) as page:
        page.emulate_media(reduced_motion="reduce")
        for name, (address, cookie) in opens.items():
            opened(page, live_server, address, cookie)
            found += faults_of(page, name, ALL_LOOKS)
        assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize("share", range(SHARES))
def test_nobody_is_kept_out_of_any_page(share: int, live_server: LiveServer, olga: User, defaults: None) -> None:
    half_a_year(olga)
    one_of_each()
    make.invoice()
    make.submitted_payment(reference="BT-LAST")
    # Another half in each run; all, where pictures are asked for.
    each, all_pages = 1 if SHOTS else 2, share_of([*addresses(olga)], share)
    cookie, pages = signed_in(olga), all_pages[randrange(each) :: each]
    assert len(pages) > 20

    found, seen = [], set[str]()
    with browser_page() as page:
        page.emulate_media(reduced_motion="reduce")
        for address, looks in zip(pages, cycle(sample(IN_TURN, 2)), strict=False):
            opened(page, live_server, address, cookie)
            found += faults_of(page, address, looks, seen)
        assert found == [], "\n" + "\n".join(found)


def share_of(pages: list[str], share: int) -> list[str]:
    """One of the equal shares of the pages. What is about one row stays together, its page first, then its dialogs."""
    by_row = sorted(pages, key=lambda address: (address.rsplit("/", 2)[0], not address.endswith("/change/")))
    size = len(by_row) / SHARES
    return by_row[round(share * size) : round((share + 1) * size)]
