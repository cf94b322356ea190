"""What ends a session ends it in every process, at the next request (threats.md AUT-05, AUT-06, AUT-08)."""

import contextlib
from collections.abc import Callable

import pytest

from igny8_core.auth.models import User
from igny8_core.auth.services import sessions, users
from igny8_core.auth.services.sessions import TokenPair, open_session
from tests import make
from tests.concurrency.server import Client, Server

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESSES = ["/api/v1/auth/me/", "/api/v1/billing/credits/balance/"]
# Enough to reach both of the server's processes, whichever takes a connection.
CONNECTIONS = 12


def log_out(user: User, pair: TokenPair) -> None:
    sessions.log_out(pair.refresh)


def change_password(user: User, pair: TokenPair) -> None:
    users.change_password(user, make.PASSWORD, "long and unusual 7")


def suspend(user: User, pair: TokenPair) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def statuses(server: Server, token: str) -> set[int]:
    """What all processes of the server answer to a token."""
    headers = {"Authorization": f"Bearer {token}"}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Client(server.port))) for _ in range(CONNECTIONS)]
        return {client.send("GET", address, headers=headers).status for client in clients for address in ADDRESSES}


@pytest.mark.parametrize("ending", [log_out, change_password, suspend])
def test_what_ends_a_session_in_one_process_ends_it_in_all(
    server: Server, ending: Callable[[User, TokenPair], None]
) -> None:
    owner = make.owner()
    pair = open_session(owner)
    before = statuses(server, pair.access)

    ending(owner, pair)

    assert (before, statuses(server, pair.access)) == ({200}, {401})
