"""Checks a request as PayPal does, and refuses it with PayPal's error codes.

One check is stricter than PayPal: an unknown key is refused, because here it can only be a typing mistake.
"""

import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

LISTED_FOR = 180 * 24 * 3600  # seconds; a list of disputes goes back no further
NO_DECIMALS = frozenset({"HUF", "JPY", "TWD"})
TWO_DECIMALS = frozenset("AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD".split())
USER_ACTIONS = frozenset({"CONTINUE", "PAY_NOW"})
SHIPPING_PREFERENCES = frozenset({"GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"})
ORDER_KEYS = frozenset({"intent", "purchase_units", "payment_source"})
UNIT_KEYS = frozenset({"reference_id", "custom_id", "invoice_id", "description", "amount"})
CONTEXT_KEYS = frozenset(
    "return_url cancel_url user_action shipping_preference brand_name landing_page locale "
    "payment_method_preference".split()
)
REFUND_KEYS = frozenset({"amount", "custom_id", "invoice_id", "note_to_payer"})
NAMES = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    404: "RESOURCE_NOT_FOUND",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
    500: "INTERNAL_SERVER_ERROR",
}


class Refusal(Exception):
    """An error answer from PayPal."""

    def __init__(self, status: int, issue: str = "", *, field: str = "", links: Iterable[Json] = ()) -> None:
        super().__init__(f"{status} {issue}")
        self.status = status
        self.issue = issue
        self.field = field
        self.links = list(links)

    def as_json(self, debug_id: str) -> Json:
        """The body of the answer."""
        body: Json = {
            "name": NAMES.get(self.status, "ERROR"),
            "message": "The stand-in for PayPal refuses this.",
            "debug_id": debug_id,
            "links": self.links,
        }
        if self.issue:
            detail = {"issue": self.issue, "description": self.issue.replace("_", " ").capitalize()}
            body["details"] = [{**detail, "field": self.field} if self.field else detail]
        return body


def check_order(body: Json) -> None:
    """Refuse a body that is not a valid order with one purchase unit."""
    _keys(body, ORDER_KEYS, required={"intent", "purchase_units"}, at="")
    if body["intent"] != "CAPTURE":
        raise Refusal(400, "INVALID_PARAMETER_VALUE", field="/intent")
    units = body["purchase_units"]
    if not isinstance(units, list) or len(units) != 1:
        raise Refusal(400, "INVALID_ARRAY_LENGTH", field="/purchase_units")
    _keys(units[0], UNIT_KEYS, required={"amount"}, at="/purchase_units/0")
    for key, longest in (("reference_id", 256), ("custom_id", 127), ("invoice_id", 127), ("description", 127)):
        _text(units[0], key, longest)
    check_amount(units[0]["amount"])
    if "payment_source" in body:
        _keys(body["payment_source"], {"paypal"}, required={"paypal"}, at="/payment_source")
        _check_paypal(body["payment_source"]["paypal"])


def check_dispute_list(query: Mapping[str, str]) -> tuple[float, int, int]:
    """Return what a list of disputes is asked for: the start time (seconds since 1970), the page size and the page."""
    _keys(dict(query), {"create_time_after", "page_size", "page"}, required=set(), at="")
    since = 0.0
    if "create_time_after" in query:
        try:
            since = datetime.fromisoformat(query["create_time_after"]).timestamp()
        except ValueError:
            raise Refusal(400, "INVALID_PARAMETER_SYNTAX", field="create_time_after") from None
        if since < time.time() - LISTED_FOR:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", field="create_time_after")
    numbers = []
    for name, usual in (("page_size", "10"), ("page", "1")):
        text = query.get(name, usual)
        if not re.fullmatch(r"[1-9][0-9]?", text) or int(text) > 50:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", field=name)
        numbers.append(int(text))
    return since, numbers[0], numbers[1]


def _check_paypal(source: Any) -> None:
    at = "/payment_source/paypal"
    _keys(source, {"experience_context"}, required={"experience_context"}, at=at)
    context = source["experience_context"]
    _keys(context, CONTEXT_KEYS, required={"return_url", "cancel_url"}, at=f"{at}/experience_context")
    for key in ("return_url", "cancel_url"):
        _text(context, key, 4000)
        if not re.match(r"https?://[^/]", context[key]):
            raise Refusal(400, "INVALID_PARAMETER_SYNTAX", field=key)
    for key, words in (("user_action", USER_ACTIONS), ("shipping_preference", SHIPPING_PREFERENCES)):
        if context.get(key) not in words | {None}:
            raise Refusal(400, "INVALID_PARAMETER_VALUE", field=key)


def check_refund(body: Json) -> None:
    """Refuse a body that is not a valid refund."""
    _keys(body, REFUND_KEYS, required=(), at="")
    _text(body, "custom_id", 127)
    _text(body, "invoice_id", 127)
    _text(body, "note_to_payer", 255)
    if "amount" in body:
        check_amount(body["amount"])


def check_amount(amount: Any) -> tuple[Decimal, str]:
    """Return the amount and its currency. Refuse a value that is not text with the decimals that PayPal requires."""
    _keys(amount, {"currency_code", "value"}, required={"currency_code", "value"}, at="/amount")
    value, currency = amount["value"], amount["currency_code"]
    if not isinstance(currency, str) or not re.fullmatch(r"[A-Z]{3}", currency):
        raise Refusal(400, "INVALID_STRING_LENGTH", field="/amount/currency_code")
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]+)?", value):
        raise Refusal(400, "INVALID_PARAMETER_SYNTAX", field="/amount/value")
    if currency not in NO_DECIMALS | TWO_DECIMALS:
        raise Refusal(422, "INVALID_CURRENCY_CODE", field="/amount/currency_code")
    decimals = len(value.partition(".")[2])
    if currency in NO_DECIMALS and decimals:
        raise Refusal(422, "DECIMALS_NOT_SUPPORTED", field="/amount/value")
    if decimals > 2:
        raise Refusal(422, "DECIMAL_PRECISION", field="/amount/value")
    if Decimal(value) <= 0:
        raise Refusal(422, "CANNOT_BE_ZERO_OR_NEGATIVE", field="/amount/value")
    return Decimal(value), currency


def money(amount: Decimal, currency: str) -> Json:
    """An amount as PayPal writes it."""
    decimals = Decimal(1) if currency in NO_DECIMALS else Decimal("0.01")
    return {"currency_code": currency, "value": f"{amount.quantize(decimals):f}"}


def _keys(value: Any, known: Iterable[str], *, required: Iterable[str], at: str) -> None:
    if not isinstance(value, dict):
        raise Refusal(400, "INVALID_PARAMETER_SYNTAX", field=at)
    for key in value.keys() - set(known):
        raise Refusal(400, "UNKNOWN_PARAMETER", field=f"{at}/{key}")
    for key in set(required) - value.keys():
        raise Refusal(400, "MISSING_REQUIRED_PARAMETER", field=f"{at}/{key}")


def _text(value: Json, key: str, longest: int) -> None:
    if key in value and not (isinstance(value[key], str) and 1 <= len(value[key]) <= longest):
        raise Refusal(400, "INVALID_STRING_LENGTH", field=key)
