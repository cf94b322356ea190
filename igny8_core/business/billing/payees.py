"""Bank and wallet details as people read them: payment instructions are made from them here."""

import re

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from igny8_core.business.billing.default_data import PAYMENT_METHODS
from igny8_core.business.billing.models import PAYEE_DETAILS, PAYEE_NUMBERS, Payee
from igny8_core.common.bank_codes import why_not_bic, why_not_iban
from igny8_core.common.languages import translated
from igny8_core.common.marks import gettext_noop
from igny8_core.common.text import folded

LABELS = {
    "bank_name": gettext_noop("Bank"),
    "account_title": gettext_noop("Account holder"),
    "account_number": "Account",
    "routing_number": gettext_noop("Routing number"),
    "iban": "IBAN",
    "swift_code": "SWIFT",
}
# The values of the samples, by column. A sample's wallet type is a real one, so it is left out.
SAMPLE_DETAILS = {
    name: {folded(row[name]) for row in PAYMENT_METHODS if name in row} for name in {*PAYEE_DETAILS} - {"wallet_type"}
}
# What instructions can name in braces, and what stands there as long as there is no invoice.
PLACEHOLDERS = {
    "amount": gettext_noop("the amount of your invoice"),
    "invoice_number": gettext_noop("the number of your invoice"),
    "due_date": gettext_noop("the due date of your invoice"),
}
BRACED = re.compile(r"\{([^{}\n]*)\}")
WALLET = gettext_noop("Wallet")
SEND_TO = gettext_noop("Send payment to:")


def details_of(payee: Payee) -> list[tuple[str, str]]:
    """The details that are filled in, with their labels: `[("Bank", "ABC Bank"), ("Account", "1234567890")]`."""
    bank = [(_named(label), value) for name, label in LABELS.items() if (value := getattr(payee, name))]
    if payee.wallet_id:
        return [*bank, (payee.wallet_type or _(WALLET), payee.wallet_id)]
    return [*bank, (_(WALLET), payee.wallet_type)] if payee.wallet_type else bank


def _named(label: str) -> str:
    return pgettext("at a bank", "Account") if label == LABELS["account_number"] else _(label)


def instructions_of(payee: Payee) -> str:
    """Everything that a payer needs, as plain text: the details, one per line, then the operator's text."""
    details = [f"{label}: {value}" for label, value in details_of(payee)]
    heading = [_(SEND_TO)] if payee.wallet_id else []
    words = filled(text_without_details(payee))
    return "\n".join([*heading, *details, *([words] if words else [])])


def text_without_details(payee: Payee, *others: Payee) -> str:
    """The operator's text without lines that repeat a detail of `payee` or `others`, like "Account: 1234567890"."""
    said = {folded(getattr(each, name)) for each in (payee, *others) for name in PAYEE_DETAILS} - {""}
    kept = [line for line in payee.instructions.splitlines() if not _repeats(line, said)]
    return translated("\n".join(kept).strip())


def filled(text: str, **facts: str) -> str:
    """The operator's text with what its placeholders stand for. Without `facts` it is in words."""
    known = {name: _(words) for name, words in PLACEHOLDERS.items()} | facts
    return BRACED.sub(lambda found: known.get(found[1], found[0]), text)


def is_hidden(payee: Payee) -> bool:
    """Whether customers must not see these details, because they are samples (settings.OFFER_SAMPLE_PAYEES)."""
    return payee.is_sample and not settings.OFFER_SAMPLE_PAYEES


def holds_sample(payee: Payee) -> bool:
    """Whether any detail is still a sample's: a real account number at a sample's bank would not work either."""
    return any(folded(getattr(payee, name)) in values for name, values in SAMPLE_DETAILS.items())


def refused_details(before: Payee | None, after: Payee) -> dict[str, list[str]]:
    """What is wrong with details that are about to be saved, by column. `before`: the details that they replace.

    If one detail changes, all are checked, so a sample is checked when it is first edited.
    """
    are_same = before is not None and all(getattr(before, name) == getattr(after, name) for name in PAYEE_DETAILS)
    refusals = {
        "iban": None if are_same or not after.iban else why_not_iban(after.iban),
        "swift_code": None if are_same or not after.swift_code else why_not_bic(after.swift_code),
        "instructions": _why_text_refused(text_without_details(after, *([before] if before else [])), before, after),
    }
    return {name: [refusal] for name, refusal in refusals.items() if refusal}


def _why_text_refused(words: str, before: Payee | None, after: Payee) -> str | None:
    """Refuse text that repeats a number: when the number's field is changed, the text would keep the old one.

    A placeholder that nothing stands for is refused too: customers would read the braces.
    """
    unknown = next((name for name in BRACED.findall(words) if name not in PLACEHOLDERS), None)
    if unknown is not None and (before is None or before.instructions != after.instructions):
        return _("{%(name)s} stands for nothing. Use one of: %(known)s.") % {
            "name": unknown,
            "known": ", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
        }
    for payee in (after, *([before] if before else [])):
        for name in PAYEE_NUMBERS:
            number = getattr(payee, name)
            # Placeholders without digits, such as "-" or "n/a", may occur in any sentence.
            if any(map(str.isdigit, number)) and folded(number) in folded(words):
                return _("Remove %(number)s from the text. Customers see the numbers from their own fields.") % {
                    "number": number
                }
    return None


def _repeats(line: str, said: set[str]) -> bool:
    """Whether a line says nothing new: "Bank: ABC Bank, Account: 1234567890" if both are details anyway."""
    parts = [folded(part.rpartition(":")[2]) for part in re.split(r"[,;]", line)]
    return line.strip() == SEND_TO or (bool(line.strip()) and all(part in said for part in parts))
