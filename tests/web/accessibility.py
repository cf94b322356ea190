"""What keeps people off a page: what axe finds, in light and in dark."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
# Rules whose findings are never grave are not asked: they take almost half of the time.
ONLY_GRAVE_RULES = """;{
  const light = axe._audit.rules.filter(({impact}) => ["minor", "moderate"].includes(impact));
  axe.configure({rules: light.map(({id}) => ({id, enabled: false}))});
}"""
# A page has a dozen colours and a thousand elements that are written in them: each colour is read once.
COLOURS_READ_ONCE = """;{
  const known = new Map(), colour = axe.commons.color.Color.prototype, read = colour.parseString;
  colour.parseString = function (text) {
    if (!known.has(text)) {
      const {r, g, b, alpha} = read.call(this, text);
      known.set(text, {r, g, b, alpha});
    }
    return Object.assign(this, known.get(text));
  };
}
undefined  // The browser would call a function that is left at the end.
"""
AXE = Axe().axe_script + ONLY_GRAVE_RULES + COLOURS_READ_ONCE
# What is in order is only counted: to hand over each of its elements takes longer than to find them.
FAULTS: dict[str, Any] = {"resultTypes": ["violations"]}
# Names, labels, order and sizes are the same in the dark; only these rules look at colours.
ABOUT_COLOURS = FAULTS | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Serious and critical findings outside of these are conventions, not barriers; the rest of axe takes half the time.
WCAG = FAULTS | {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# Only the grave faults leave the browser: all that axe has found takes longer to hand over than to find.
_RUN = """(options) => axe.run(document, options).then(({violations}) =>
  violations.filter(({impact}) => ["serious", "critical"].includes(impact)).flatMap(({id, help, nodes}) =>
    nodes.map(({target, html}) => `${id}: ${help}: ${target.join(" ")} ${html.slice(0, 200)}`)))"""
# Nobody sees it, so axe does not judge it, and it keeps its place. To tell axe what to leave out takes longer than to
# judge it: each element of the page is compared with each that is left out, for each rule.
_UNSEEN = """(selectors) => {
  const style = new CSSStyleSheet();
  style.replaceSync(`:is(${selectors}), :is(${selectors}) * { visibility: hidden !important }`);
  document.adoptedStyleSheets.push(style);
}"""
# What fades from one colour to the other has neither meanwhile. In what is folded up, it would do so for ever.
COLOURS_HAVE_CHANGED = "document.getAnimations().forEach((each) => each instanceof CSSTransition && each.finish())"


def serious_faults(page: Page, schemes: tuple[Scheme, ...] = ("dark", "light")) -> list[str]:
    """Each rule that the page breaks badly, with the elements that do: in dark as in light, where it is left."""
    found = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        page.evaluate(COLOURS_HAVE_CHANGED)
        options = FAULTS if scheme == schemes[-1] else ABOUT_COLOURS
        found += [f"{scheme}: {fault}" for fault in faults_now(page, options)]
    return found


def faults_now(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """The same for the page as it is shown now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return _grave(page, options or FAULTS)


def _grave(page: Page, options: dict[str, Any]) -> list[str]:
    """What breaks a rule badly, with the rule."""
    broken: list[str] = page.evaluate(_RUN, options)
    return broken


class AxeOnPage:
    """Axe, put on a page once, for a page that is looked at in several sizes and colours."""

    def __init__(self, page: Page, without: tuple[str, ...] = ()) -> None:
        """Elements `without` are left out: what is the same on another page, or as the row above."""
        self.page = page
        if without:
            page.evaluate(_UNSEEN, ", ".join(without))
        page.evaluate(AXE)

    def faults(self, *, colours_only: bool = False) -> list[str]:
        """Each grave fault of WCAG A and AA on the page as it is shown now: its rule and what breaks it."""
        return _grave(self.page, ABOUT_COLOURS if colours_only else WCAG)
