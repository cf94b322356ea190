"""The moment of a preview, signed: whoever sends it with the order pays what was shown, for some minutes."""

from datetime import datetime, timedelta

from igny8_core.auth.models import Account, Plan
from igny8_core.common.signed_texts import BadSignature, opened, signed

SALT = "moment of a preview"
HOLDS = timedelta(minutes=10)


def quote_token(account: Account, plan: Plan, moment: datetime) -> str:
    """A token that says that the account was shown at this moment what the plan costs."""
    return signed(f"{account.pk} {plan.pk} {moment.isoformat()}", salt=SALT)


def quoted_at(token: str, account: Account, plan: Plan) -> datetime | None:
    """The moment of a token; None if it is old, of another account or plan, or not ours."""
    try:
        account_id, plan_id, moment = opened(token, salt=SALT, lifetime=HOLDS).split(" ")
    except BadSignature:
        return None
    is_theirs = (account_id, plan_id) == (str(account.pk), str(plan.pk))
    return datetime.fromisoformat(moment) if is_theirs else None
