"""Inviting and accepting, for the tests of both."""

from typing import Any

from rest_framework.test import APIClient

from igny8_core.auth.models import Role, TeamInvitation, User
from igny8_core.auth.services import invitations
from igny8_core.auth.services.invitations import invitation_token
from tests import make

TEAM = "/api/v1/account/team/"
INVITE = f"{TEAM}invite/"
INVITATIONS = f"{TEAM}invitations/"
ACCEPT = f"{INVITATIONS}accept/"
PERSON = {
    "password": make.PASSWORD,
    "password_confirm": make.PASSWORD,
    "first_name": "Greta",
    "last_name": "Guest",
}


def invite(owner: User, email: str = "greta@example.com", role: str = Role.EDITOR, **extra: Any) -> TeamInvitation:
    """An invitation that the service made."""
    assert owner.account
    return invitations.invite(owner.account, owner, email=email, role=role, **{"site_ids": [], **extra})


def accept(token: str | TeamInvitation, client: APIClient | None = None, **fields: Any) -> Any:
    """The answer to an acceptance: with a client as who it is logged in as, else as a new person."""
    value = token if isinstance(token, str) else invitation_token(token)
    body = {"token": value, **(fields if fields or client else PERSON)}
    return (client or APIClient()).post(ACCEPT, body, format="json")
