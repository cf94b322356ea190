"""Stripe's test cards, under the names in Stripe's documentation."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TestCard:
    """How a card behaves.

    `asks` says when the bank asks the customer to authenticate: "" (never), "always" or "unless_set_up". `declines` is
    the decline code of each charge. With `only_charges` the card can still be saved. `refunds` is the first status of
    a refund.
    """

    __test__ = False

    brand: str = "visa"
    last4: str = "4242"
    declines: str = ""
    only_charges: bool = False
    asks: str = ""
    refunds: str = "succeeded"


CARDS = {
    "pm_card_visa": TestCard(),
    "pm_card_visa_debit": TestCard(last4="5556"),
    "pm_card_mastercard": TestCard(brand="mastercard", last4="4444"),
    "pm_card_amex": TestCard(brand="amex", last4="8431"),
    "pm_card_chargeDeclined": TestCard(last4="0002", declines="generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard(last4="9995", declines="insufficient_funds"),
    "pm_card_chargeDeclinedLostCard": TestCard(last4="9987", declines="lost_card"),
    "pm_card_chargeDeclinedStolenCard": TestCard(last4="9979", declines="stolen_card"),
    "pm_card_chargeDeclinedFraudulent": TestCard(last4="0019", declines="fraudulent"),
    "pm_card_chargeDeclinedExpiredCard": TestCard(last4="0069", declines="expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": TestCard(last4="0127", declines="incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": TestCard(last4="0119", declines="processing_error"),
    "pm_card_chargeCustomerFail": TestCard(last4="0341", declines="generic_decline", only_charges=True),
    "pm_card_authenticationRequired": TestCard(last4="3184", asks="always"),
    "pm_card_authenticationRequiredSetupForOffSession": TestCard(last4="3155", asks="unless_set_up"),
    "pm_card_threeDSecure2Required": TestCard(last4="3220", asks="always"),
    "pm_card_pendingRefund": TestCard(last4="5126", refunds="pending"),
    "pm_card_refundFail": TestCard(last4="3178", refunds="pending"),
}
# Stripe sends these codes as the `code`. For all others the `code` is card_declined, with a `decline_code`.
OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "processing_error", "authentication_required"})
