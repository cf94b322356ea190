"""Names and lines in the scripts of our customers on pages, also where the machine has no fonts for them."""

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Locator
from pytest_django.live_server_helper import LiveServer

from igny8_core.business.billing.services.invoices.pay_links import pay_link
from tests import make
from tests.languages import TEXTS
from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


# Two signs of cuneiform, which no font here has: both are drawn as the same box.
BOXES = "\U00012000\U00012001"
# The letters of a text that look like that box, each drawn by itself in the font of its place on the page.
FIND_BOXES = """(element) => {
  const canvas = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
  canvas.font = `24px ${getComputedStyle(element).fontFamily}`;
  const drawn = (letter) => {
    canvas.clearRect(0, 0, 64, 64);
    canvas.fillText(letter, 8, 40);
    return canvas.getImageData(0, 0, 64, 64).data.join();
  };
  const box = drawn("\\u{12000}");
  return [...element.textContent].filter((each) => /[\\p{L}\\p{N}\\p{S}]/u.test(each) && drawn(each) === box).join("");
}"""
# What a joiner makes of letters: the text, and what stands there where the joiner gets lost.
JOINED = {
    "eyelash of Marathi": ("\u0930\u200d\u094d\u092f", "\u0930\u094d\u200c\u092f"),
    "chillu of Malayalam": ("\u0d28\u0d4d\u200d", "\u0d28\u0d4d"),
    "conjunct of Sinhala": ("\u0d9a\u0dca\u200d\u0dc2", "\u0d9a\u0dca\u0dc2"),
}
LOOK_THE_SAME = """async (texts) => {
  const canvas = new OffscreenCanvas(128, 64).getContext("2d", { willReadFrequently: true });
  canvas.font = "24px 'Packaged Scripts'";
  const pictures = [];
  for (const text of texts) {
    await document.fonts.load(canvas.font, text);
    canvas.clearRect(0, 0, 128, 64);
    canvas.fillText(text, 8, 40);
    pictures.push(canvas.getImageData(0, 0, 128, 64).data.join());
  }
  return pictures[0] === pictures[1];
}"""
# A file that lacks a letter is known to only when it is there; then the next is asked for.
UNTIL_LOADED = """async () => {
  for (let round = 0; round < 6; round += 1) {
    await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
    await document.fonts.ready;
  }
}"""
# Joiners and the full stop of Indian scripts are in these as well, and may be looked for there before the text's own
# file has come.
WITH_JOINERS = {f"noto-sans-{script}" for script in ("bengali", "devanagari", "malayalam", "sinhala", "telugu")}
# What a browser may fetch for a text where the machine has no font for it; characters are in one file, or in several.
FETCHED = {
    "Latin": {"noto-sans-latin-ext"},
    "Persian": {"noto-naskh-arabic"},
    "Telugu": {"noto-sans-telugu"},
    "Bengali": WITH_JOINERS,
    "Sinhala": WITH_JOINERS,
    "Marathi": {"noto-sans-devanagari"},
    "Malayalam": {"noto-sans-malayalam"},
    "Thai": {"noto-sans-thai", "noto-sans-latin-ext"},
    "Hebrew": {"noto-sans-hebrew", "noto-sans-latin-ext"},
    "Korean": {"noto-sans-kr", "noto-sans-latin-ext"},
    "Simplified Chinese": {"noto-sans-sc-chinese"},
    "Japanese": {"noto-sans-sc-chinese", "noto-sans-jp"},
    "emoji": {"noto-emoji", "noto-sans-symbols-2"},
}


def boxes_in(text: Locator) -> str:
    return str(text.evaluate(FIND_BOXES))


@pytest.fixture(autouse=True)
def address(settings: Any, live_server: LiveServer) -> None:
    settings.BASE_URL = live_server.url


@pytest.mark.stress
def test_every_letter_of_every_script_is_drawn_and_none_is_a_box() -> None:
    name = " ".join(TEXTS[each] for each in ("Bengali", "Urdu", "Korean"))
    lines = [{"description": text, "quantity": 1, "amount": "1.00"} for text in [*TEXTS.values(), BOXES]]
    link = pay_link(make.invoice(make.owner({"name": name}).account, line_items=lines))

    with browser_page() as page:
        page.goto(link, wait_until="networkidle")
        rows = page.locator(".lines tbody bdi").all()
        found = {text: boxes_in(row) for text, row in zip([*TEXTS.values(), BOXES], rows, strict=True)}
        in_name = boxes_in(page.locator(".parties bdi"))

    assert found.pop(BOXES) == BOXES  # a box would be noticed
    assert in_name == ""
    assert set(found.values()) == {""}


def test_joiners_join_as_on_invoices() -> None:
    link = pay_link(make.invoice())

    with browser_page() as page:
        page.goto(link)
        lost = [name for name, texts in JOINED.items() if page.evaluate(LOOK_THE_SAME, list(texts))]

    assert lost == []


@pytest.mark.stress
def test_a_page_in_latin_fetches_no_font_and_another_only_those_of_its_script() -> None:
    link = pay_link(make.invoice(make.owner({"name": "Müller & Søn Ltd"}).account))
    fetched: dict[str, set[str]] = {}
    asked: list[str] = []

    with browser_page() as page:
        page.on("request", lambda request: asked.append(request.url) if request.resource_type == "font" else None)
        for address in (link, link.split("/pay/")[0]):
            page.goto(address, wait_until="networkidle")
        assert asked == []
        page.goto(link, wait_until="networkidle")
        for language in FETCHED:
            page.locator(".parties bdi").evaluate("(name, text) => { name.textContent = text; }", TEXTS[language])
            page.evaluate(UNTIL_LOADED)
            fetched[language] = {url.rsplit("/", 1)[1] for url in asked}
            asked.clear()

    before = dict(zip(list(FETCHED)[1:], FETCHED, strict=False))  # a busy browser may still ask for the last text's
    too_many = {
        language: needless
        for language, files in fetched.items()
        if (
            needless := {
                file
                for file in files
                if not file.startswith((*FETCHED[language], *FETCHED.get(before.get(language, ""), ())))
            }
        )
    }
    assert too_many == {}


def test_a_font_is_served_as_what_it_is_with_its_licence_beside_it() -> None:
    font = Client().get("/static/fonts/noto-sans-thai-thai-400-normal.ttf")
    licence = Client().get("/static/fonts/OFL-noto-sans-thai.txt")

    assert (font.status_code, font["Content-Type"]) == (200, "font/ttf")
    assert b"SIL Open Font License" in b"".join(licence.streaming_content)  # type: ignore[attr-defined]
