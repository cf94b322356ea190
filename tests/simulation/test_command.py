"""manage.py simulate: on a database of its own, and with a sentence where it cannot run."""

import os
import sys
from collections.abc import Iterator
from io import StringIO
from secrets import token_hex
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from igny8_core.business.billing.invariants import INVARIANTS
from simulation import scratch
from simulation.report import Bar
from simulation.scratch import scratch_database

pytestmark = pytest.mark.django_db(transaction=True)
ROLE = f"simulation_without_rights_{os.getpid()}"


@pytest.fixture
def role_without_rights() -> Iterator[None]:
    """This process speaks to the server as a role that may make no databases."""
    before = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'simulation'")
    connection.settings_dict.update(USER=ROLE, PASSWORD="simulation")
    yield
    connection.settings_dict.update(before)
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP ROLE {ROLE}")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of this test's scratch databases; other processes of the run make theirs meanwhile."""
    names: list[str] = []

    def noted(length: int) -> str:
        names.append(token_hex(length))
        return names[-1]

    monkeypatch.setattr("simulation.scratch.secrets", SimpleNamespace(token_hex=noted))
    return names


def left_over(made: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT datname FROM pg_database WHERE datname = ANY (%s)", [[f"simulation_{name}" for name in made]]
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.usefixtures("role_without_rights")
def test_a_role_that_may_make_no_database_is_told_what_to_do() -> None:
    name = connection.settings_dict["NAME"]

    with pytest.raises(CommandError, match=r"permission denied to create database(.|\n)*ALTER ROLE … CREATEDB"):
        call_command("simulate", accounts=1, days=1)

    assert connection.settings_dict["NAME"] == name


@pytest.mark.parametrize("missing", ["simulation", "fake_gateways"])
def test_without_the_source_the_command_says_where_it_runs(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the production image, which has neither folder."""
    for name in [name for name in sys.modules if name.partition(".")[0] in {"simulation", "fake_gateways"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(CommandError, match="production image has no folders simulation and fake_gateways"):
        call_command("simulate")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"accounts": 0}, "--accounts is 0. Give a number from 1 to 10000."),
        ({"days": 4000}, "--days is 4000. Give a number from 1 to 3650."),
        ({"schedulers": 99}, "--schedulers is 99. Give a number from 1 to 32."),
        ({"kill": True}, "--kill needs --schedulers of 2 or more"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("simulate", **options)


class Terminal(StringIO):
    """What somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_a_bar_shows_on_a_terminal_how_far_it_is_and_elsewhere_nothing() -> None:
    shown, piped = Terminal(), StringIO()

    for out in (shown, piped):
        bar = Bar(out, 4)
        for day in (1, 2, 3, 4):
            bar.show(day)

    assert [part.split()[1:6] for part in shown.getvalue().split("\r")[1:4]] == [
        ["day", f"{day}", "of", "4,", "0:00"] for day in (1, 2, 3)
    ]
    assert shown.getvalue().split("\r")[2].count("█") == shown.getvalue().split("\r")[2].count("░")
    assert shown.getvalue().endswith(" \r")
    assert piped.getvalue() == ""


@pytest.fixture
def filled_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that fill the scratch database.

    It is a copy of the one that is migrated for tests, so that `migrate` finds its work done.
    """
    template, on_server = connection.settings_dict["TEST"]["TEMPLATE"], scratch._on_server
    called: list[str] = []

    def copying(statement: str) -> None:
        on_server(f'{statement} TEMPLATE "{template}"' if statement.startswith("CREATE DATABASE") else statement)

    def noting(name: str, **options: Any) -> None:
        called.append(name)
        call_command(name, **options)

    monkeypatch.setattr(scratch, "_on_server", copying)
    monkeypatch.setattr("simulation.scratch.call_command", noting)
    return called


@pytest.mark.stress
def test_the_command_works_on_a_database_of_its_own_and_drops_it(made: list[str], filled_by: list[str]) -> None:
    out = StringIO()

    call_command("simulate", accounts=2, days=3, stdout=out)

    assert f"holds  all {len(INVARIANTS)} invariants hold" in out.getvalue()
    assert filled_by == ["migrate", "seed_defaults"]
    assert (len(made), left_over(made)) == (1, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM igny8_accounts")
        assert cursor.fetchone() == (0,)


@pytest.mark.stress
@pytest.mark.usefixtures("filled_by")
def test_a_simulation_that_was_stopped_leaves_no_database(made: list[str]) -> None:
    name = connection.settings_dict["NAME"]

    with pytest.raises(KeyboardInterrupt), scratch_database():
        raise KeyboardInterrupt

    assert (len(made), left_over(made), connection.settings_dict["NAME"]) == (1, [], name)
