"""What operators find a payment by: its reference in any spelling, invoice, amount, and whom it came from."""

import re
from decimal import Decimal

from django.db.models import Q, QuerySet

from igny8_core.auth.models import Account, PaymentMethodType, User
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.common.db import among
from igny8_core.common.money import MAX_AMOUNT
from igny8_core.common.references import as_number, folded_reference
from igny8_core.common.text import folded

# 89.00, 89.00 USD or PKR 25,000
AMOUNT = re.compile(r"(?:(?P<before>[A-Za-z]{3})\s*)?(?P<number>[^A-Za-z]+?)(?:\s*(?P<after>[A-Za-z]{3}))?")


def payments_matching(payments: QuerySet[Payment], text: str) -> QuerySet[Payment]:
    """Those whose reference is `text`, however it is written, whose amount it is, with a currency or without, whose
    invoice's number, payer's name, or billing or owner's e-mail address begins with it.
    """
    return payments.filter(matches(text))


def matches(text: str) -> Q:
    """The condition of payments_matching. PostgreSQL has an index for each part."""
    numbered = Invoice.objects.filter(invoice_number__startswith=text.upper())
    found = among("invoice_id", numbered) | of_payer(text) | of_reference(text)
    if "@" in text:
        found |= _of_address(text)
    return found | _of_amount(text)


def of_payer(text: str) -> Q:
    """The condition that the payer's name begins with `text`."""
    return Q(payer_name__gt="", payer_name__istartswith=text)


def of_reference(text: str) -> Q:
    """The condition that the reference is `text`, however it is written."""
    found = Q(pk__in=[])
    if fold := folded_reference(text):
        found |= Q(reference_fold__gt="", reference_fold=fold)
    if key := folded(text)[:100]:
        # What the release before wrote meanwhile is not folded yet, but has its key. Every method is named, because the
        # index begins with it.
        found |= Q(payment_method__in=PaymentMethodType.values, reference_key=key) & ~Q(reference_key="")
    return found


def said_amount(text: str) -> tuple[Decimal, str] | None:
    """The amount and currency in `text`, such as 89, 89,00 or USD 89; the currency is empty if none is said.

    None if `text` is no amount.
    """
    said = AMOUNT.fullmatch(text.strip())
    number = as_number(said["number"]) if said else ""
    if not said or not number or (said["before"] and said["after"]) or Decimal(number) > MAX_AMOUNT:
        return None
    return Decimal(number), (said["before"] or said["after"] or "").upper()


def _of_address(text: str) -> Q:
    billed = Account.objects.filter(billing_email__istartswith=text)
    owners = User.objects.filter(email__startswith=text.lower(), account__isnull=False)
    return among("account_id", billed) | among("account_id", owners, "account_id")


def _of_amount(text: str) -> Q:
    said = said_amount(text)
    if said is None:
        return Q(pk__in=[])
    amount, currency = said
    return Q(amount=amount, currency=currency) if currency else Q(amount=amount)
