"""Messages signed as PayPal does, and a check of them without a network."""

from datetime import UTC, datetime

from fake_gateways.paypal_signing import Signer
from igny8_core.business.billing.gateways.paypal.settings import PAYPAL_APIS, PayPalSettings
from igny8_core.business.billing.gateways.paypal.signature import SignatureCheck
from tests.gateways.paypal_setup import Clock

SANDBOX, LIVE = PAYPAL_APIS["sandbox"], PAYPAL_APIS["live"]
BODY = b'{"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"amount": "19.99"}}'
WEBHOOK_ID = "8PT597110X687430LKGECATA"
CERT = "/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"


class Certificates:
    """Serves certificates without a network; `asked` are the addresses. An error instead of bytes is raised."""

    def __init__(self, served: bytes | Exception) -> None:
        self.served = served
        self.asked: list[str] = []

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        if isinstance(self.served, Exception):
            raise self.served
        return self.served


def check_with(
    fetch: Certificates, *, live: bool = False, webhook_id: str = WEBHOOK_ID, clock: Clock | None = None
) -> SignatureCheck:
    settings = PayPalSettings("client", "secret", webhook_id, live, LIVE if live else SANDBOX)
    return SignatureCheck(settings, fetch, clock or Clock())


def headers_of(
    signer: Signer, body: bytes = BODY, address: str = SANDBOX, at: datetime | None = None
) -> dict[str, str]:
    sent_at = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return signer.headers(BODY, WEBHOOK_ID, address, sent_at)
