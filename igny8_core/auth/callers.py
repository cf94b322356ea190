"""The caller of a request: the session of its token and the user behind it, read by prepared statements.

Every request reads its session. The ORM would build that query each time, which takes ten times as long as PostgreSQL
needs to answer. `live_session` and `select_related` are the plain forms; tests compare the results.
"""

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.conf import settings

from igny8_core.auth.models import Account, Plan, User
from igny8_core.common.db import PreparedStatement
from igny8_core.common.prepared_rows import Columns, joined_rows

# The salt of Django's get_session_auth_hash(), so that tokens of earlier releases stay valid.
FINGERPRINT_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"

LIVE_SESSION = PreparedStatement(
    name="igny8_live_session",
    types=("uuid",),
    sql="""
        SELECT person.id AS user_id, person.account_id, person.role, person.is_staff,
            CASE WHEN person.language <> '' THEN person.language
                ELSE (SELECT account.language FROM igny8_accounts account WHERE account.id = person.account_id) END
                AS language,
            person.password
        FROM igny8_login_sessions session JOIN igny8_users person ON person.id = session.user_id
        WHERE session.id = $1 AND session.ended_at IS NULL AND person.is_active
    """,
)
SESSION_COLUMNS = 6

_USER, _ACCOUNT, _PLAN = Columns(User), Columns(Account), Columns(Plan)
_PERSON = f"""
    SELECT {_USER.sql("person")}, {_ACCOUNT.sql("account")}, {_PLAN.sql("plan")}
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


class CallerRead:
    """What a view answers with, read by the statement that finds the caller's session: one round trip, not two."""

    def __init__(self, *, name: str, types: tuple[str, ...], sql: str) -> None:
        """`sql` starts from `caller.account_id` or `caller.user_id`; `$2`, `$3`, … are its own parameters, of `types`.

        Its rows are joined to the one row of the caller, so they keep their order. Where it finds nothing, there is one
        row of NULL.
        """
        person = "SELECT id AS user_id, account_id FROM igny8_users WHERE id = $1"
        answer = f"LEFT JOIN LATERAL ({sql}) answer ON TRUE"
        self.with_session = PreparedStatement(
            name=f"{name}_of_session",
            types=("uuid", *types),
            # With OFFSET 0, PostgreSQL finds the caller once. Without, it would look for parts of it with each row.
            sql=f"SELECT caller.*, answer.* FROM ({LIVE_SESSION.sql} OFFSET 0) caller {answer}",  # noqa: S608 - our texts
        )
        self.alone = PreparedStatement(
            name=name,
            types=("bigint", *types),
            sql=f"SELECT answer.* FROM ({person}) caller {answer}",  # noqa: S608 - our texts
        )


@dataclass(frozen=True)
class Reading:
    """A CallerRead with its parameters of this request."""

    read: CallerRead
    parameters: Sequence[Any] = ()

    def rows(self, caller: "Caller") -> list[tuple[Any, ...]]:
        """What was read with the caller's session. If that was not by this Reading's statement, it is read now."""
        if caller.read is self.read:
            return caller.rows
        return self.read.alone.fetch_all([caller.pk, *self.parameters])


class Caller:
    """The owner of a valid token, with the columns that permissions need, as stored at this request.

    `user` is the User with account and plan. It is read when somebody asks for it. `session_id` names the login session
    that the request came with. `rows` is what `read` found together with the session.
    """

    is_authenticated = True
    is_anonymous = False

    def __init__(self, user_id: int, account_id: int | None, role: str, is_staff: bool, language: str | None) -> None:
        self.pk = user_id
        self.account_id = account_id
        self.role = role
        self.is_staff = is_staff
        # The person's choice, else their account's.
        self.language = language or ""
        self.session_id = ""
        self.read: CallerRead | None = None
        self.rows: list[tuple[Any, ...]] = []

    @classmethod
    def of(cls, user: User, session_id: str = "") -> "Caller":
        """The caller for a user that is already loaded."""
        caller = cls(user.pk, user.account_id, user.role, user.is_staff, user.spoken_language)
        caller.user = user
        caller.session_id = session_id
        return caller

    @cached_property
    def user(self) -> User:
        return _person(PERSON.fetch_one([self.pk]))


@dataclass(frozen=True)
class Found:
    """The caller of a session, and the user's password hash, against which the token is checked."""

    caller: Caller
    password: str


def caller_of_session(session_id: object, *, with_person: bool = False, reading: Reading | None = None) -> Found | None:
    """The caller of a session that has not ended, if the user is active; else None, also for an invalid id.

    The same statement reads what the `reading` asks for; without one and with `with_person` the user, account and plan.
    """
    try:
        key = str(uuid.UUID(str(session_id)))
    except ValueError:
        return None
    if reading is not None:
        rows = reading.read.with_session.fetch_at_start([key, *reading.parameters])
    else:
        rows = (PERSON_OF_SESSION if with_person else LIVE_SESSION).fetch_at_start([key])
    if not rows:
        return None
    if reading is None and with_person:
        user = _person(rows[0])
        return Found(Caller.of(user, key), user.password)
    *known, password = rows[0][:SESSION_COLUMNS]
    caller = Caller(*known)
    caller.session_id = key
    if reading is not None:
        caller.read, caller.rows = reading.read, [row[SESSION_COLUMNS:] for row in rows]
    return Found(caller, password)


def _person(row: Sequence[Any] | None) -> User:
    if row is None:
        raise User.DoesNotExist()
    user, account, plan = joined_rows(row, _USER, _ACCOUNT, _PLAN)
    if account is not None:
        account.plan = plan
    user.account = account
    return user  # type: ignore[no-any-return]


def password_fingerprint(password_hash: str) -> str:
    """The fingerprint of a password hash that tokens carry. It changes whenever the password is set."""
    return hmac.digest(_fingerprint_key(settings.SECRET_KEY), password_hash.encode(), "sha256").hex()[:32]


@lru_cache
def _fingerprint_key(secret: str) -> bytes:
    # As Django's salted_hmac does, but once instead of at every request.
    return hashlib.sha256((FINGERPRINT_SALT + secret).encode()).digest()
