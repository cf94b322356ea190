"""The security log (ADM-05): what may be an attack, or helps to look into one. Names are OWASP's logging vocabulary.

Each event is one line with its name as the message, with who it was, from which network and with which program, and
how it ended. docs/alerts.md lists all of them, and says on which to alert.
"""

import hashlib
import hmac
import logging
from typing import Any, Literal

from django.conf import settings

from igny8_core.common.network import client_network
from igny8_core.common.request_id import current_request

logger = logging.getLogger("igny8_core.security")

Outcome = Literal["success", "failure", "denied"]
LONGEST_AGENT = 200
# Each name with what has happened. A name that is not here is refused, so that no alert waits for a misspelt one.
EVENTS = {
    "authn_login_success": "Somebody logged in.",
    "authn_login_fail": "A login failed: no such address, a wrong password or code, or a login that is closed.",
    "authn_password_change": "A password was changed or reset.",
    "authn_password_change_fail": "A password was not changed, because the present one was wrong.",
    "authn_token_reuse": "An old refresh token was sent again. The session was ended.",
    "authn_token_revoked": "Somebody ended logins of their own.",
    "authz_fail": "Somebody asked for what their role may not do, or sent a form from another site.",
    "excess_rate_limit_exceeded": "A rate limit was hit.",
    "input_validation_fail": "Input was refused as not valid.",
    "malicious_direct_reference": "Somebody asked for an object that is not theirs or does not exist.",
    "privilege_permissions_changed": "Rights were changed, or somebody tried to give more than they may.",
    "sequence_fail": "Something was asked for before the step that has to come first: a feature before its payment.",
    "upload_validation": "An uploaded file was refused.",
    "user_created": "A login was made.",
    "user_updated": "An operator changed somebody's login.",
    "user_deleted": "An account was deleted by its owner, or a member was removed.",
}
# Ordinary life; everything else is a warning.
USUAL = {"authn_login_success", "authn_password_change", "authn_token_revoked", "input_validation_fail"}
USUAL |= {"user_created", "user_updated"}


def security_event(name: str, outcome: Outcome, *, user: object = None, account: object = None, **facts: Any) -> None:
    """Write one line. `user` and `account` are ids; network and program are those of the request.

    Raises ValueError for a name that EVENTS does not list.
    """
    if name not in EVENTS:
        raise ValueError(f"{name!r} is no event of the security log. EVENTS lists those that are.")
    request = current_request()
    caller = (
        {"network": client_network(request), "agent": request.META.get("HTTP_USER_AGENT", "")[:LONGEST_AGENT]}
        if request
        else {"network": "", "agent": ""}
    )
    level = logging.INFO if name in USUAL else logging.WARNING
    logger.log(level, name, extra={"outcome": outcome, "user": user, "account": account, **caller, **facts})


def mark_of(text: str) -> str:
    """A mark by which lines about the same address can be found, and which does not tell the address."""
    return hmac.digest(settings.SECRET_KEY.encode(), text.encode(errors="replace"), hashlib.sha256).hex()[:16]
