"""Why a card was declined: Stripe's word for our records, and a sentence for the customer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from igny8_core.common.marks import gettext_noop

AUTHENTICATION_REQUIRED = "authentication_required"
GENERIC_DECLINE = "generic_decline"

# Somebody who tests stolen cards must not learn what the bank suspects, not even from an error code.
SUSPICIONS = frozenset(
    "fraudulent highest_risk_level elevated_risk_level lost_card merchant_blacklist pickup_card restricted_card "
    "security_violation stolen_card".split()
)
GENERIC_SENTENCE = gettext_noop("Your bank declined the card. Use another card, or ask your bank.")
SENTENCES = {
    AUTHENTICATION_REQUIRED: gettext_noop(
        "Your bank wants you to confirm this payment. Open the payment page and pay there."
    ),
    "card_not_supported": gettext_noop("This card cannot be used for this kind of payment. Use another card."),
    "card_velocity_exceeded": gettext_noop("The card's limit is reached. Use another card, or ask your bank."),
    "currency_not_supported": gettext_noop("This card does not take payments in this currency. Use another card."),
    "expired_card": gettext_noop("The card has expired. Use another card."),
    "incorrect_cvc": gettext_noop("The card's security code is not right. Check it and try again."),
    "incorrect_number": gettext_noop("The card number is not right. Check it and try again."),
    "insufficient_funds": gettext_noop("There is not enough money on the card. Use another card."),
    "invalid_cvc": gettext_noop("The card's security code is not right. Check it and try again."),
    "invalid_expiry_month": gettext_noop("The card's expiry date is not right. Check it and try again."),
    "invalid_expiry_year": gettext_noop("The card's expiry date is not right. Check it and try again."),
    "invalid_number": gettext_noop("The card number is not right. Check it and try again."),
    "payment_intent_authentication_failure": gettext_noop("The payment was not confirmed with your bank. Try again."),
    "processing_error": gettext_noop("The card could not be processed just now. Try again in a few minutes."),
    "try_again_later": gettext_noop("The card could not be processed just now. Try again in a few minutes."),
    "withdrawal_count_limit_exceeded": gettext_noop("The card's limit is reached. Use another card, or ask your bank."),
}

_DAYS = tuple(timedelta(days=days) for days in (1, 3, 5))
_HOURS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))
# Declines that can pass without another card. generic_decline is none of them: it also stands for stolen cards, which
# must not be tried again.
PASSING = {
    "do_not_honor": _DAYS,
    "insufficient_funds": _DAYS,
    "card_velocity_exceeded": _DAYS,
    "withdrawal_count_limit_exceeded": _DAYS,
    "processing_error": _HOURS,
    "issuer_not_available": _HOURS,
    "reenter_transaction": _HOURS,
    "try_again_later": _HOURS,
}


def decline_code(error: Mapping[str, Any]) -> str:
    """The most specific code of a card error or `last_payment_error`; a suspicion becomes generic_decline."""
    code, detail = error.get("code") or "", error.get("decline_code") or ""
    if AUTHENTICATION_REQUIRED in {code, detail}:
        return AUTHENTICATION_REQUIRED
    told = str(detail or code or GENERIC_DECLINE)
    return GENERIC_DECLINE if told in SUSPICIONS else told


def decline_sentence(code: str) -> str:
    """The sentence that the customer reads for a code; a neutral one for codes without a sentence of their own."""
    return SENTENCES.get(code, GENERIC_SENTENCE)
