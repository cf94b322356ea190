"""What operators find by one text over everything: numbers, references, amounts, addresses, names, ids of gateways.

Each kind of thing is asked for apart, with conditions of which each has its index, and only for the first rows: so the
answer takes no longer among a million payments (benchmarks/console.py).
"""

import re
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet

from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.models import (
    GATEWAY_METHODS,
    AccountPaymentMethod,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceStatus,
    Payment,
    Refund,
    WebhookEvent,
)
from igny8_core.business.billing.models.webhook_event import PROVIDERS
from igny8_core.business.billing.payment_search import of_payer, of_reference, said_amount
from igny8_core.common.text import normalized, showable

LONGEST = 200
SHOWN = 8
# What an id of a gateway can look like; ours are numbers, which are too short.
GATEWAY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{5,99}", re.ASCII)
NUMBER_WITHOUT_SERIES = re.compile(r"[0-9]{1,18}-[0-9]{1,6}(-[0-9]{0,9})?", re.ASCII)
# The newest payments of an amount in every currency that it was paid in. The index begins with both, so that neither an
# amount that nearly all have nor one of long ago takes long.
NEWEST_OF_AMOUNT = """
WITH RECURSIVE paid_in AS (
    (SELECT currency FROM igny8_payments WHERE amount = %(amount)s ORDER BY currency LIMIT 1)
    UNION ALL
    SELECT (SELECT currency FROM igny8_payments WHERE amount = %(amount)s AND currency > paid_in.currency
            ORDER BY currency LIMIT 1)
    FROM paid_in WHERE paid_in.currency IS NOT NULL
)
SELECT newest.id FROM paid_in CROSS JOIN LATERAL (
    SELECT id FROM igny8_payments WHERE amount = %(amount)s AND currency = paid_in.currency
    ORDER BY id DESC LIMIT %(limit)s
) newest
ORDER BY 1 DESC LIMIT %(limit)s
"""


class Kind(StrEnum):
    """What can be found, as app_model, in the order in which it is shown."""

    INVOICE = "billing_invoice"
    PAYMENT = "billing_payment"
    ACCOUNT = "igny8_auth_account"
    USER = "igny8_auth_user"
    CREDIT_NOTE = "billing_creditnote"
    REFUND = "billing_refund"
    DISPUTE = "billing_dispute"
    SUBSCRIPTION = "igny8_auth_subscription"
    SAVED_METHOD = "billing_accountpaymentmethod"
    MESSAGE = "billing_webhookevent"


@dataclass(frozen=True)
class Found:
    """The first rows of a kind, newest first; whether there are more."""

    kind: Kind
    rows: list[Any]
    has_more: bool


def readable(text: str) -> str:
    """`text` as it is searched for: without control characters, marks of direction and white space around it."""
    return " ".join(normalized(showable(text)).split())


def find_everywhere(text: str, kinds: Collection[Kind]) -> list[Found]:
    """What `text` finds among `kinds`; a kind of which nothing is found is left out. An empty text finds nothing."""
    wanted = readable(text)
    if not wanted or len(wanted) > LONGEST:
        return []
    found = ((kind, FINDERS[kind](wanted)) for kind in Kind if kind in kinds)
    return [Found(kind, rows[:SHOWN], len(rows) > SHOWN) for kind, rows in found if rows]


def _invoices(text: str) -> list[Any]:
    rows = Invoice.objects.select_related("account")
    found = _first(rows, [Q(invoice_number__startswith=number) for number in _numbers("INV", text)])
    if _is_gateway_id(text):
        found += _first(rows, [Q(stripe_invoice_id=text) & ~Q(stripe_invoice_id="")])
    if said := said_amount(text):
        amount, currency = said
        of_amount = Q(total=amount, currency=currency) if currency else Q(total=amount)
        found += rows.filter(of_amount, status=InvoiceStatus.PENDING).order_by("-pk")[: SHOWN + 1]
    return _once(found)


def _credit_notes(text: str) -> list[Any]:
    conditions = [Q(credit_note_number__startswith=number) for number in _numbers("CN", text)]
    if _is_gateway_id(text):
        conditions.append(Q(gateway_refund_id=text) & ~Q(gateway_refund_id=""))
    return _once(_first(CreditNote.objects.select_related("account"), conditions))


def _payments(text: str) -> list[Any]:
    rows = Payment.objects.select_related("account", "invoice")
    conditions = [of_payer(text), *_of_our_id(text)]
    if _is_gateway_id(text):
        names = ("gateway_object_id", "gateway_capture_id")
        at_gateway = Q(payment_method__in=sorted(GATEWAY_METHODS))
        conditions += [at_gateway & Q((f"{name}__in", _spellings(text))) & ~Q((name, "")) for name in names]
    numbers = _numbers("INV", text)
    invoices = Invoice.objects.filter(invoice_number__in=numbers).order_by().values_list("pk", flat=True)
    conditions.append(Q(invoice_id__in=list(invoices)))
    found = [*rows.filter(of_reference(text)).order_by("-pk")[: SHOWN + 1], *_first(rows, conditions)]
    if said := said_amount(text):
        amount, currency = said
        of_amount = Q(amount=amount, currency=currency) if currency else Q(pk__in=_newest_of(amount))
        found += rows.filter(of_amount).order_by("-pk")[: SHOWN + 1]
    return _once(found)


def _accounts(text: str) -> list[Any]:
    conditions = [Q(name__istartswith=text), Q(billing_email__istartswith=text), Q(slug__startswith=text.lower())]
    if _is_gateway_id(text):
        conditions.append(Q(stripe_customer_id=text) & ~Q(stripe_customer_id=""))
    if "@" in text:
        owners = User.objects.filter(email__startswith=text.lower()).order_by().values_list("pk", flat=True)
        conditions.append(Q(owner_id__in=list(owners[: SHOWN + 1])))
    return _once(_first(Account.objects.select_related("owner"), conditions))


def _users(text: str) -> list[Any]:
    conditions = [Q(email__startswith=text.lower())]
    conditions += [Q((f"{name}__gt", ""), (f"{name}__istartswith", text)) for name in ("first_name", "last_name")]
    first, _, last = text.rpartition(" ")
    if first:
        conditions.append(Q(first_name__gt="", last_name__gt="", first_name__iexact=first, last_name__istartswith=last))
    return _once(_first(User.objects.select_related("account"), conditions))


def _refunds(text: str) -> list[Any]:
    conditions = _of_our_id(text)
    if _is_gateway_id(text):
        conditions.append(Q(gateway_refund_id__in=_spellings(text)) & ~Q(gateway_refund_id=""))
    return _once(_first(Refund.objects.select_related("account"), conditions))


def _disputes(text: str) -> list[Any]:
    of_id = Q(gateway__in=sorted(GATEWAY_METHODS), gateway_dispute_id__in=_spellings(text))
    rows = Dispute.objects.select_related("account")
    return _once(_first(rows, [of_id])) if _is_gateway_id(text) else []


def _subscriptions(text: str) -> list[Any]:
    of_id = Q(stripe_subscription_id=text) & ~Q(stripe_subscription_id="")
    rows = Subscription.objects.select_related("account", "plan")
    return _once(_first(rows, [of_id])) if _is_gateway_id(text) else []


def _saved_methods(text: str) -> list[Any]:
    of_id = Q(type__in=sorted(GATEWAY_METHODS), gateway_method_id=text) & ~Q(gateway_method_id="")
    rows = AccountPaymentMethod.objects.select_related("account")
    return _once(_first(rows, [of_id])) if _is_gateway_id(text) else []


def _messages(text: str) -> list[Any]:
    of_id = Q(provider__in=sorted(PROVIDERS), event_id=text)
    return _once(_first(WebhookEvent.objects.defer("body"), [of_id])) if _is_gateway_id(text) else []


FINDERS: dict[Kind, Callable[[str], list[Any]]] = {
    Kind.INVOICE: _invoices,
    Kind.PAYMENT: _payments,
    Kind.ACCOUNT: _accounts,
    Kind.USER: _users,
    Kind.CREDIT_NOTE: _credit_notes,
    Kind.REFUND: _refunds,
    Kind.DISPUTE: _disputes,
    Kind.SUBSCRIPTION: _subscriptions,
    Kind.SAVED_METHOD: _saved_methods,
    Kind.MESSAGE: _messages,
}


def _first(rows: QuerySet[Any], conditions: list[Q]) -> list[Any]:
    """The first rows of each condition, in no order: of a beginning that nearly all have, any will do."""
    return [row for condition in conditions for row in rows.filter(condition).order_by()[: SHOWN + 1]]


def _once(rows: list[Any]) -> list[Any]:
    """Each row once, newest first."""
    kept: dict[int, Model] = {row.pk: row for row in rows}
    return [kept[pk] for pk in sorted(kept, reverse=True)]


def _newest_of(amount: object) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(NEWEST_OF_AMOUNT, {"amount": str(amount), "limit": SHOWN + 1})
        return [row[0] for row in cursor.fetchall()]


def _numbers(series: str, text: str) -> list[str]:
    """How a number can begin that is typed as `text`, with its series or without."""
    typed = text.upper()
    return [typed, f"{series}-{typed}"] if NUMBER_WITHOUT_SERIES.fullmatch(typed) else [typed]


def _is_gateway_id(text: str) -> bool:
    return GATEWAY_ID.fullmatch(text) is not None


def _spellings(text: str) -> list[str]:
    """An id as typed, and in capitals, as PayPal's are."""
    return sorted({text, text.upper()})


def _of_our_id(text: str) -> list[Q]:
    try:
        return [Q(uuid=uuid.UUID(text))] if len(text) >= 32 else []
    except ValueError:
        return []
