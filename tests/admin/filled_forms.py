"""What a browser would send of a page's form, so that a test can send the form of any page of the console."""

from html.parser import HTMLParser

Attributes = list[tuple[str, str | None]]
TICKED = {"checkbox", "radio"}
NOT_SENT = {"file", "submit", "button"}


def is_sent(field: dict[str, str]) -> bool:
    """Whether a browser sends an input as it stands."""
    kind = field.get("type")
    return kind not in NOT_SENT and (kind not in TICKED or "checked" in field)


class FilledForm(HTMLParser):
    """The fields of a page with what stands in them: the first choice of a list without one, "" where nothing does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._list = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Take a field, or a choice of the list that is open."""
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "option" and self._list:
            if "selected" in said or not self.fields[self._list]:
                self.fields[self._list] = said.get("value", "")
        elif tag in {"select", "textarea"} and name:
            self.fields.setdefault(name, "")
            self._list, self._area = (name, "") if tag == "select" else ("", name)
        elif tag == "input" and name and is_sent(said):
            self.fields.setdefault(name, said.get("value", "on" if said.get("type") in TICKED else ""))

    def handle_endtag(self, tag: str) -> None:
        """The list or text that was open ends."""
        if tag in {"select", "textarea"}:
            self._list = self._area = ""

    def handle_data(self, data: str) -> None:
        """What stands in a text that is open."""
        if self._area:
            self.fields[self._area] += data
