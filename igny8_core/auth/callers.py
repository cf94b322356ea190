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
        SELECT person.id, person.account_id, person.role, person.is_staff,
            CASE WHEN person.language <> '' THEN person.language
                ELSE (SELECT account.language FROM igny8_accounts account WHERE account.id = person.account_id) END,
            person.password
        FROM igny8_login_sessions session JOIN igny8_users person ON person.id = session.user_id
        WHERE session.id = $1 AND session.ended_at IS NULL AND person.is_active
    """,
)


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


class Caller:
    """The owner of a valid token, with the columns that permissions need, as stored at this request.

    `user` is the User with account and plan. It is read when somebody asks for it. `session_id` names the login session
    that the request came with.
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


def caller_of_session(session_id: object, *, with_person: bool = False) -> Found | None:
    """The caller of a session that has not ended, if the user is active; else None, also for an invalid id.

    With `with_person` the same statement reads the user, account and plan.
    """
    try:
        key = str(uuid.UUID(str(session_id)))
    except ValueError:
        return None
    row = (PERSON_OF_SESSION if with_person else LIVE_SESSION).fetch_first([key])
    if row is None:
        return None
    if not with_person:
        found = Found(Caller(*row[:5]), row[5])
        found.caller.session_id = key
        return found
    user = _person(row)
    return Found(Caller.of(user, key), user.password)


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
