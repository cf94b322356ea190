"""Who may do what to whom in a team, as one table (ROL-01, ROL-09, ROL-10)."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Plan, Role, User
from tests import make
from tests.api.world import fingerprint, refusal, undone
from tests.auth.team import INVITE, TEAM

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]

# One line per actor and action, one column per target: another owner, admin, editor or viewer of the account, or the
# actor's own id. There is a second owner, so that nobody is the last.
CUBE = """
actor   action       owner admin editor viewer oneself
owner   make owner   200   200   200    200    403
owner   make admin   200   200   200    200    403
owner   make editor  200   200   200    200    403
owner   make viewer  200   200   200    200    403
owner   remove       200   200   200    200    200
admin   make owner   403   403   403    403    403
admin   make admin   403   200   200    200    403
admin   make editor  403   200   200    200    403
admin   make viewer  403   200   200    200    403
admin   remove       403   200   200    200    200
editor  make owner   403   403   403    403    403
editor  make admin   403   403   403    403    403
editor  make editor  403   403   403    403    403
editor  make viewer  403   403   403    403    403
editor  remove       403   403   403    403    200
viewer  make owner   403   403   403    403    403
viewer  make admin   403   403   403    403    403
viewer  make editor  403   403   403    403    403
viewer  make viewer  403   403   403    403    403
viewer  remove       403   403   403    403    200
"""
INVITATIONS = """
actor   owner admin editor viewer
owner   201   201   201    201
admin   403   201   201    201
editor  403   403   403    403
viewer  403   403   403    403
"""
RANKS = {"owner": 4, "admin": 3, "editor": 2, "viewer": 1}


@dataclass(frozen=True)
class Cell:
    """One decision: what `actor` may do to `target`."""

    actor: str
    action: str
    target: str
    status: int

    @property
    def raises_rights(self) -> bool:
        """Whether it would give somebody a role above the actor's own."""
        return self.action.startswith("make ") and RANKS[self.action.removeprefix("make ")] > RANKS[self.actor]


def cells(table: str) -> list[Cell]:
    header, *lines = table.strip().splitlines()
    targets = header.replace("actor", "").replace("action", "").split()
    found = []
    for line in lines:
        words = line.split()
        actor, action, codes = words[0], " ".join(words[1 : -len(targets)]), words[-len(targets) :]
        found += [Cell(actor, action, target, int(code)) for target, code in zip(targets, codes, strict=True)]
    return found


def one_of_each_role(account: Account) -> dict[str, User]:
    """A member of every role, beside the owner."""
    return {role: make.user(account=account, role=role) for role in RANKS}


def do(client: APIClient, cell: Cell, target: User) -> Any:
    if cell.action == "remove":
        return client.delete(f"{TEAM}{target.pk}/")
    return client.patch(f"{TEAM}{target.pk}/role/", {"role": cell.action.removeprefix("make ")}, format="json")


def test_the_cube(account_a: Account, as_user: Login, caplog: pytest.LogCaptureFixture) -> None:
    actors, targets = one_of_each_role(account_a), one_of_each_role(account_a)
    clients = {role: as_user(actor) for role, actor in actors.items()}
    before, wrong = fingerprint(), []

    for cell in cells(CUBE):
        caplog.clear()
        target = actors[cell.actor] if cell.target == "oneself" else targets[cell.target]
        # What is refused is not undone: what it wrote would be seen at the end.
        with nullcontext() if cell.status == 403 else undone():
            answer = do(clients[cell.actor], cell, target)
            untouched = cell.status == 403 or fingerprint() == before
        attempts = [line for line in caplog.records if line.getMessage() == "privilege_permissions_changed"]
        is_same_role = cell.action == f"make {cell.target}"
        if answer.status_code != cell.status or untouched != (cell.status == 403 or is_same_role):
            wrong.append(f"{cell}: {answer.status_code}, {'nothing' if untouched else 'something'} changed")
        if len(attempts) != cell.raises_rights:
            wrong.append(f"{cell}: logged {len(attempts)} attempts to raise rights")
        if cell.status == 403:
            refusal(answer)

    assert len(cells(CUBE)) == 100
    assert not wrong, "\n".join(wrong)
    assert fingerprint() == before


def test_nobody_invites_above_their_own_role(
    account_a: Account, as_user: Login, caplog: pytest.LogCaptureFixture
) -> None:
    actors = one_of_each_role(account_a)
    Plan.objects.update(max_users=20)
    clients = {role: as_user(actor) for role, actor in actors.items()}
    before = fingerprint()

    for cell in cells(INVITATIONS):
        caplog.clear()
        with undone():
            answer = clients[cell.actor].post(INVITE, {"email": "new@example.com", "role": cell.target}, format="json")
        attempts = [line for line in caplog.records if line.getMessage() == "privilege_permissions_changed"]
        assert answer.status_code == cell.status, cell
        assert len(attempts) == (RANKS[cell.target] > RANKS[cell.actor]), cell
    assert fingerprint() == before


@pytest.mark.parametrize("role", ["", "Owner", "OWNER", "superuser", "staff", None, 1, True, ["owner"], {"role": "x"}])
def test_there_is_no_other_role(alice: User, bob: User, as_user: Login, role: Any) -> None:
    answer = as_user(alice).patch(f"{TEAM}{bob.pk}/role/", {"role": role}, format="json")

    assert answer.status_code == 400
    bob.refresh_from_db()
    assert bob.role == Role.VIEWER


def test_a_new_role_counts_with_the_next_request(alice: User, bob: User, as_user: Login) -> None:
    client, new_site = as_user(bob), {"name": "Shop", "industry": make.industry().pk}
    assert client.post("/api/v1/sites/", new_site, format="json").status_code == 403

    as_user(alice).patch(f"{TEAM}{bob.pk}/role/", {"role": "admin"}, format="json")
    assert client.post("/api/v1/sites/", new_site, format="json").status_code == 201
    as_user(alice).patch(f"{TEAM}{bob.pk}/role/", {"role": "viewer"}, format="json")

    assert client.post("/api/v1/sites/", new_site, format="json").status_code == 403
