"""What keeps people off a page: what axe finds, in light and in dark."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
# Rules whose findings are never grave are not asked: they take almost half of the time.
ONLY_GRAVE_RULES = """;{
  const light = axe._audit.rules.filter(({impact}) => ["minor", "moderate"].includes(impact));
  axe.configure({rules: light.map(({id}) => ({id, enabled: false}))});
}"""
AXE = Axe().axe_script + ONLY_GRAVE_RULES
# What is in order is only counted: to hand over each of its elements takes longer than to find them.
FAULTS: dict[str, Any] = {"resultTypes": ["violations"]}
# Names, labels, order and sizes are the same in the dark; only these rules look at colours.
ABOUT_COLOURS = FAULTS | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# Serious and critical findings outside of these are conventions, not barriers; the rest of axe takes half the time.
WCAG = FAULTS | {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
_RUN = """({context, options}) => axe.run({include: [["html"]], ...context}, options).then(({violations}) =>
  violations.flatMap(({id, impact, nodes}) => nodes.map(({target, html}) => ({
    id, impact, target: target.join(" "), html: html.slice(0, 200)}))))"""
# What fades from one colour to the other has neither meanwhile. In what is folded up, it would do so for ever.
COLOURS_HAVE_CHANGED = "document.getAnimations().forEach((each) => each instanceof CSSTransition && each.finish())"


def serious_faults(page: Page) -> list[str]:
    """Each rule that the page breaks badly in light, or in dark, with the elements that do; the page is light after."""
    found = []
    for scheme, options in (("dark", ABOUT_COLOURS), ("light", FAULTS)):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.evaluate(COLOURS_HAVE_CHANGED)
        found += [f"{scheme}: {fault}" for fault in faults_now(page, options)]
    return found


def faults_now(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """The same for the page as it is shown now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    answer = page.evaluate("(options) => axe.run(document, options)", options or FAULTS)
    grave = [rule for rule in answer["violations"] if rule["impact"] in SERIOUS]
    return [f"{rule['help']}: {node['html']}" for rule in grave for node in rule["nodes"]]


class AxeOnPage:
    """Axe, put on a page once, for a page that is looked at in several sizes and colours."""

    def __init__(self, page: Page, without: tuple[str, ...] = ()) -> None:
        """Elements `without` are left out: what is the same on another page, or as the row above."""
        self.page, self.without = page, [[each] for each in without]
        page.evaluate(AXE)

    def faults(self, *, colours_only: bool = False) -> list[str]:
        """Each grave fault of WCAG A and AA on the page as it is shown now: its rule and what breaks it."""
        asked = {"context": {"exclude": self.without}, "options": ABOUT_COLOURS if colours_only else WCAG}
        broken: list[dict[str, Any]] = self.page.evaluate(_RUN, asked)
        return [f"{rule['id']}: {rule['target']} {rule['html']}" for rule in broken if rule["impact"] in SERIOUS]
