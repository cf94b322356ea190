"""Prints docs/console-access.md."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand

from igny8_core.auth.models import User
from igny8_core.auth.operator_roles import ROLES, OperatorRole, permissions_of
from igny8_core.console.access import ConsolePage, pages_of_console, permissions_asked, request_of

HEAD = """# Who may open what in the console

What `manage.py list_console_access` prints; tests compare, ask for each page, and send its form, as roles that may and
as roles that may not.
The roles are those of a new installation ([operators](operators.md#roles)); `*` stands for the id of a row. What a
row's own state forbids (a paid invoice, a deleted account, one's own account) is refused beside that. Every operator
may open the dashboard, the search, and the pages of their own login. What is not listed nobody may do, or superusers
alone: change groups, and other operators' logins.
"""


class Command(BaseCommand):
    help = "Print the page of the console's access as Markdown: manage.py list_console_access > docs/console-access.md"

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the roles, then each page with what it takes and who may open it."""
        self.stdout.write("\n".join([HEAD, *_roles(), "", *_pages()]))


def may_open(page: ConsolePage, role: OperatorRole) -> bool:
    """Whether somebody with the role and nothing else may open the page."""
    person = User(is_staff=True, is_active=True)
    # What Django's backend keeps with a user once it has read it.
    person._perm_cache = permissions_of(role)  # type: ignore[attr-defined]
    return bool(page.check(request_of(person)))


def _roles() -> Iterator[str]:
    yield "| role | for whom |"
    yield "|---|---|"
    for role in ROLES:
        yield f"| {role.name} | {role.says} |"


def _pages() -> Iterator[str]:
    yield f"| pages | does | takes | {' | '.join(role.name for role in ROLES)} |"
    yield f"|---|---|---|{'---|' * len(ROLES)}"
    rows: dict[tuple[str, ...], list[str]] = {}
    for page in pages_of_console():
        takes = ", ".join(f"`{name}`" for name in permissions_asked(page))
        who = ["yes" if may_open(page, role) else "–" for role in ROLES]
        if takes:
            rows.setdefault((page.does, takes, *who), []).append(f"`/{page.shown}`")
    for row, addresses in rows.items():
        yield f"| {'<br>'.join(addresses)} | {' | '.join(row)} |"
