"""Who is calling: the session of a request's token, and behind it the person, found by prepared statements.

Every request asks for its session. The ORM would build that query anew each time, which takes ten times as long as
PostgreSQL needs to answer it. The plain forms are `live_session` and a `select_related`; tests hold these against them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.db import connection, models
from django.utils.crypto import salted_hmac

from igny8_core.auth.models import Account, Plan, User
from igny8_core.common.db import PreparedStatement

Row = TypeVar("Row", bound=models.Model)

# What Django's own get_session_auth_hash() takes, so that tokens of earlier releases stay good.
FINGERPRINT_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"

LIVE_SESSION = PreparedStatement(
    name="igny8_live_session",
    types=("uuid",),
    sql="""
        SELECT person.id, person.account_id, person.role, person.is_staff, person.password
        FROM igny8_login_sessions session JOIN igny8_users person ON person.id = session.user_id
        WHERE session.id = $1 AND session.ended_at IS NULL AND person.is_active
    """,
)


def _columns(alias: str, model: type[models.Model]) -> str:
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


_PERSON = f"""
    SELECT {_columns("person", User)}, {_columns("account", Account)}, {_columns("plan", Plan)}
    FROM igny8_users person
    LEFT JOIN igny8_accounts account ON account.id = person.account_id
    LEFT JOIN igny8_plans plan ON plan.id = account.plan_id
"""  # noqa: S608 - names of columns, from the models
PERSON = PreparedStatement(name="igny8_person", types=("bigint",), sql=f"{_PERSON} WHERE person.id = $1")
PERSON_OF_SESSION = PreparedStatement(
    name="igny8_person_of_session",
    types=("uuid",),
    sql=f"""
        {_PERSON} JOIN igny8_login_sessions session ON session.user_id = person.id
        WHERE session.id = $1 AND session.ended_at IS NULL AND person.is_active
    """,
)


class Caller:
    """Whoever a good token belongs to, as their row says at this request: enough for every permission.

    `user` is the person with account and plan; they are read when somebody asks.
    """

    is_authenticated = True
    is_anonymous = False

    def __init__(self, user_id: int, account_id: int | None, role: str, is_staff: bool) -> None:
        self.pk = user_id
        self.account_id = account_id
        self.role = role
        self.is_staff = is_staff

    @classmethod
    def of(cls, user: User) -> "Caller":
        """The caller that a person who was read already is."""
        caller = cls(user.pk, user.account_id, user.role, user.is_staff)
        caller.user = user
        return caller

    @cached_property
    def user(self) -> User:
        return _person(PERSON.fetch_one([self.pk]))


@dataclass(frozen=True)
class Found:
    """A session's caller, and the hash of the password that their tokens must have been made under."""

    caller: Caller
    password: str


def caller_of_session(session_id: object, *, with_person: bool = False) -> Found | None:
    """Who a session belongs to that has not ended, while they are active; None also for what is no session's id.

    `with_person`: `user` is read by the same statement.
    """
    try:
        key = str(uuid.UUID(str(session_id)))
    except ValueError:
        return None
    row = (PERSON_OF_SESSION if with_person else LIVE_SESSION).fetch_first([key])
    if row is None:
        return None
    if not with_person:
        return Found(Caller(*row[:4]), row[4])
    user = _person(row)
    return Found(Caller.of(user), user.password)


def _person(row: Sequence[Any] | None) -> User:
    if row is None:
        raise User.DoesNotExist()
    first, second = len(User._meta.concrete_fields), len(Account._meta.concrete_fields)
    user = _from_row(User, row[:first])
    if user.account_id is None:
        user.account = None
        return user
    account = _from_row(Account, row[first : first + second])
    account.plan = _from_row(Plan, row[first + second :])
    user.account = account
    return user


def password_fingerprint(password_hash: str) -> str:
    """What a token says of the password that it was made under: it changes whenever the password is set."""
    return salted_hmac(FINGERPRINT_SALT, password_hash, algorithm="sha256").hexdigest()[:32]


def _from_row(model: type[Row], values: Sequence[Any]) -> Row:
    fields = model._meta.concrete_fields
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, values, strict=True)
    ]
    return model.from_db("default", [field.attname for field in fields], read)
