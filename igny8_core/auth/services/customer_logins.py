"""Operators who look at the pages as a customer sees them: for a while, on the record, and changing nothing.

The operator's browser gets the cookie of a session of the customer's login. The cookie's secret begins with a mark,
which is part of what the session is found by, so nobody can leave it out: whoever sends it may only read
(web/frame/customer_login.py).
"""

from django.conf import settings

from igny8_core.auth.errors import AccountDeleted, NobodyToLookAs, PersonIsOperator
from igny8_core.auth.locks import lock_account, lock_customer_login
from igny8_core.auth.models import Account, CustomerLogin, CustomerLoginEnd, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.auth.selectors import active_owners_of
from igny8_core.auth.services.page_sessions import (
    end_page_session,
    is_open,
    open_operators_session,
    session_id_of_cookie,
)
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events


def person_to_look_as(account: Account) -> User:
    """The owner, who sees all of the account's pages. Raises NobodyToLookAs, PersonIsOperator."""
    owner = active_owners_of(account).first()
    if owner is None:
        raise NobodyToLookAs()
    if owner.is_staff or owner.is_superuser:
        raise PersonIsOperator()
    return owner


@service_transaction
def begin_customer_login(account: Account, operator: User, reason: str) -> str:
    """Let an operator look at the pages as the account's owner; returns the value of the cookie that does it.

    Raises AccountDeleted, OwnAccount, NobodyToLookAs, PersonIsOperator.
    """
    require_other_account(operator, account.pk)
    account = lock_account(account.pk)
    if account.deleted_at:
        raise AccountDeleted()
    person, now = person_to_look_as(account), clock.now()
    login = CustomerLogin(account=account, person=person, operator=operator, reason=reason, began_at=now)
    login.ends_at = now + settings.CUSTOMER_LOGIN_AGE
    login.save()
    events.record(events.about("customer_login.began", login, operator))
    return open_operators_session(person, login.session_id, login.ends_at)


@service_transaction
def end_customer_login(cookie: str, how: CustomerLoginEnd) -> CustomerLogin | None:
    """End the look that a cookie stands for, and its session; None where it has ended before, or is none."""
    login = lock_customer_login(session_id_of_cookie(cookie)) if is_open(cookie) else None
    if login is None:
        return None
    # First, while the session is still known by its look.
    end_page_session(cookie)
    login.ended_at, login.ended_how = min(clock.now(), login.ends_at), how
    login.save(update_fields=["ended_at", "ended_how"])
    events.record(events.about("customer_login.ended", login, login.operator_id))
    return login


def customer_login_of_cookie(cookie: str) -> CustomerLogin | None:
    """The look that a cookie stands for, with account, person and operator; None once it is over."""
    # The id alone is no key: the customer reads it in the list of their logins.
    if not is_open(cookie):
        return None
    running = CustomerLogin.objects.filter(
        session_id=session_id_of_cookie(cookie), ended_at=None, ends_at__gt=clock.now()
    )
    return running.select_related("account", "person", "operator").first()
