"""The mail to all operators when somebody changes where customers send their money."""

from typing import Any

from django.conf import settings

from igny8_core.auth.models import User
from igny8_core.business.billing.models import GATEWAY_METHODS, PAYEE_COLUMNS
from igny8_core.business.billing.payees import LABELS
from igny8_core.common.mail import Mail
from igny8_core.common.names import without_links
from igny8_core.events.models import Event

PAYEE_NOTICES = {
    "payment_method_config.created": "New payment details",
    "payment_method_config.updated": "Payment details were changed",
    "payment_method_config.deleted": "Payment details were removed",
}


def payee_mail(event: Event) -> Mail | None:
    """The mail about new, changed or removed bank or wallet details; None if none of them changed."""
    details = _details(event)
    if not details:
        return None
    name = event.data["name"]
    context = {
        "heading": PAYEE_NOTICES[event.type],
        "method": without_links(name),
        "details": details,
        "actor": event.actor.email if event.actor else "unknown (nobody was logged in)",
        "at": event.created_at,
        "link": f"{settings.BASE_URL}/admin/events/event/{event.pk}/change/",
    }
    return Mail("payee_changed", f"{PAYEE_NOTICES[event.type]}: {name}", _all_operators(), context)


def _details(event: Event) -> list[tuple[str, str, str]]:
    """Label, old value and new value of each changed detail."""
    changed: dict[str, Any] = event.data["changed"]
    is_new, is_gone = event.type.endswith(".created"), event.type.endswith(".deleted")
    if changed.get("payment_method") in GATEWAY_METHODS and (is_new or is_gone):
        return []
    before: dict[str, Any] = changed if is_gone else event.data.get("before", {})
    after: dict[str, Any] = {} if is_gone else changed
    names = [name for name in PAYEE_COLUMNS if before.get(name, "") != after.get(name, "")]
    return [(_label(name), without_links(before.get(name, "")), without_links(after.get(name, ""))) for name in names]


def _label(column: str) -> str:
    return LABELS.get(column) or column.replace("_", " ").capitalize()


def _all_operators() -> list[str]:
    """Everybody who may log in to the console, whatever their permissions; if there is nobody, our own address."""
    operators = User.objects.filter(is_staff=True, is_active=True).order_by("email").values_list("email", flat=True)
    return list(operators) or [settings.DEFAULT_FROM_EMAIL]
