"""PayPal as a Gateway: Checkout orders, which we capture once the payer has approved them."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from igny8_core.business.billing.gateways.paypal import mappers, messages
from igny8_core.business.billing.gateways.paypal.client import Json, PayPalApi, PayPalError, checked_id
from igny8_core.business.billing.gateways.paypal.errors import our_errors, translated
from igny8_core.business.billing.gateways.paypal.money import to_paypal
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.paypal.signature import FetchCertificate, SignatureCheck, transmission_id
from igny8_core.business.billing.gateways.protocol import (
    Charge,
    ChargeOrder,
    ChargeState,
    GatewayDispute,
    GatewayRefund,
    Misconfigured,
    RefundOrder,
    WebhookMessage,
)
from igny8_core.common import clock
from igny8_core.common.marks import gettext_noop
from igny8_core.common.network import Network

logger = logging.getLogger(__name__)

# How long PayPal answers a repeated create with the same order.
CREATE_REPEATABLE_FOR = timedelta(hours=6)
# The largest page size, and the last page of a list.
LIST_SIZE, LIST_PAGES = 50, 50
DISPUTES_LISTED_FOR = timedelta(days=179)

NOT_TAKEN = "AMOUNT_NOT_TAKEN"
PAYER_IS_ASKED = frozenset({"ORDER_NOT_APPROVED", "PAYER_ACTION_REQUIRED"})
PAYER_MAY_CHOOSE_AGAIN = frozenset({"INSTRUMENT_DECLINED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"})
CHOOSE_AGAIN = gettext_noop(
    "PayPal could not use the payment method that you chose there. Choose another one at PayPal."
)


class PayPalGateway:
    """PayPal as a Gateway. `object_id` is an order, `capture_id` its capture. Tests set the keyword arguments."""

    name = "paypal"

    def __init__(
        self,
        settings: PayPalSettings,
        *,
        fetch_certificate: FetchCertificate | None = None,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.live = settings.live
        # Payers approve at www.; a stand-in has one address for everything.
        self._pay_site = settings.api_base.replace("//api-m.", "//www.")
        self._api = PayPalApi(settings, sleep=sleep, timer=timer)
        self._signatures = SignatureCheck(settings, fetch_certificate, timer)

    def start(self, order: ChargeOrder) -> Charge:
        """See Gateway. The payer continues at `approve_url`; no money is taken before `complete`."""
        body = {
            "intent": "CAPTURE",
            "purchase_units": [
                {
                    "reference_id": order.reference,
                    "custom_id": order.reference,
                    "invoice_id": order.invoice_number,
                    "amount": _money(order.amount, order.currency),
                }
            ],
            "payment_source": {
                "paypal": {
                    "experience_context": {
                        "return_url": order.return_url,
                        "cancel_url": order.cancel_url,
                        "user_action": "PAY_NOW",
                        "shipping_preference": "NO_SHIPPING",
                    }
                }
            },
        }
        with our_errors():
            made = self._api.send("/v2/checkout/orders", body, f"pay-{order.reference}-create")
            return mappers.charge_of_order(made, live=self.live)

    def fetch(self, object_id: str) -> Charge:
        """See Gateway."""
        with our_errors():
            return mappers.charge_of_order(self._order(object_id), live=self.live)

    def complete(self, object_id: str, reference: str) -> Charge:
        """See Gateway. REQUIRES_ACTION if the payer has not approved, or has to choose another way to pay."""
        try:
            path = f"/v2/checkout/orders/{checked_id(object_id)}/capture"
            order = self._api.send(path, {}, f"pay-{reference}-capture")
            return mappers.charge_of_order(order, live=self.live)
        except PayPalError as error:
            if error.issue == "ORDER_ALREADY_CAPTURED":
                return self.fetch(object_id)
            if error.issue in PAYER_IS_ASKED | PAYER_MAY_CHOOSE_AGAIN:
                return self._with_the_payer(object_id, error)
            raise translated(error) from None

    def find(self, order: ChargeOrder, created_at: datetime) -> Charge | None:
        """See Gateway. PayPal has no search by our reference, but repeats its answer to a create for six hours."""
        if clock.now() - created_at >= CREATE_REPEATABLE_FOR:
            return None
        return self.start(order)

    def cancel(self, object_id: str) -> Charge:
        """Return the order as it is, because PayPal cannot cancel orders. An order that is not captured expires."""
        return self.fetch(object_id)

    def refund(self, order: RefundOrder) -> GatewayRefund:
        """See Gateway."""
        body = {
            "amount": _money(order.amount, order.currency),
            "custom_id": order.reference,
            "invoice_id": order.invoice_number,
        }
        with our_errors():
            path = f"/v2/payments/captures/{checked_id(order.capture_id)}/refund"
            refund = mappers.read_refund(
                self._api.send(path, body, f"refund-{order.reference}"), object_id=order.object_id
            )
        return replace(refund, capture_id=refund.capture_id or order.capture_id)

    def refunds_of(self, charge: Charge) -> list[GatewayRefund]:
        """See Gateway."""
        with our_errors():
            return mappers.read_refunds(self._order(charge.object_id))

    def recent(self, since: datetime) -> Iterator[Charge]:
        """Nothing: PayPal has no list of orders."""
        return iter(())

    def charge_of_capture(self, capture_id: str) -> Charge:
        """The attempt of a capture. If PayPal does not name its order, `object_id` is empty. Raises UnknownObject."""
        with our_errors():
            capture = self._api.read(f"/v2/payments/captures/{checked_id(capture_id)}")
            order_id = mappers.order_of_capture(capture)
            if order_id:
                try:
                    return mappers.charge_of_order(self._order(order_id), live=self.live)
                except PayPalError as error:
                    if error.status != 404:
                        raise
            return mappers.charge_of_capture(capture, live=self.live)

    def refund_with_id(self, refund_id: str) -> GatewayRefund:
        """A refund, whoever ordered it. Raises UnknownObject."""
        with our_errors():
            return mappers.read_refund(self._api.read(f"/v2/payments/refunds/{checked_id(refund_id)}"))

    def dispute(self, dispute_id: str) -> GatewayDispute:
        """See Gateway."""
        with our_errors():
            return mappers.read_dispute(self._api.read(f"/v1/customer/disputes/{checked_id(dispute_id)}"))

    def recent_disputes(self, since: datetime) -> Iterator[str]:
        """See Gateway; newest first. PayPal lists at most 50 pages and 180 days.

        The app at PayPal needs the feature "Disputes"; without it this raises Misconfigured.
        """
        since = max(since, clock.now() - DISPUTES_LISTED_FOR)
        asked = {"create_time_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "page_size": LIST_SIZE}
        for page in range(1, LIST_PAGES + 1):
            with our_errors():
                answer = self._api.read(f"/v1/customer/disputes?{urlencode({**asked, 'page': page})}")
                ids = mappers.read_dispute_ids(answer)
            yield from filter(None, ids)
            if len(ids) < LIST_SIZE:
                return

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], sender: Sequence[Network] = ()) -> None:
        """See Gateway. Header names are in lower case. The content is still not believed (see paypal/signature)."""
        self._signatures.verify(body, headers, sender)

    def read_webhook(self, body: bytes) -> WebhookMessage:
        """See Gateway. `live` is None, because PayPal's messages do not say."""
        return messages.read(body)

    def delivery_id(self, headers: Mapping[str, str]) -> str:
        """See Gateway."""
        return transmission_id(headers)

    def _order(self, object_id: str) -> Json:
        return self._api.read(f"/v2/checkout/orders/{checked_id(object_id)}")

    def _with_the_payer(self, object_id: str, error: PayPalError) -> Charge:
        """The order, which waits for the payer whatever its status says, unless it was captured meanwhile."""
        charge = self.fetch(object_id)
        if charge.state not in {ChargeState.REQUIRES_ACTION, ChargeState.APPROVED}:
            return charge
        declined = error.issue in PAYER_MAY_CHOOSE_AGAIN
        return replace(
            charge,
            state=ChargeState.REQUIRES_ACTION,
            approve_url=charge.approve_url or error.redirect_url or f"{self._pay_site}/checkoutnow?token={object_id}",
            failure_code=error.issue if declined else "",
            failure_text=CHOOSE_AGAIN if declined else "",
        )


def _money(amount: Decimal, currency: str) -> Json:
    try:
        return {"currency_code": currency, "value": to_paypal(amount, currency)}
    except ValueError as error:
        raise Misconfigured(str(error), code=NOT_TAKEN) from None
