"""Check that a webhook message is from PayPal, with PayPal's certificate and without asking its API.

The signature covers a CRC32 of the body and not the body itself. Somebody who has seen the headers of one delivery can
make another body that passes. So a message says what to ask PayPal about; its content is not believed.
"""

import base64
import binascii
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zlib import crc32

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _

from igny8_core.business.billing.gateways.paypal.client import new_session
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings
from igny8_core.business.billing.gateways.protocol import BadSignature, SignatureUncheckable
from igny8_core.common import clock
from igny8_core.common.network import Network

FetchCertificate = Callable[[str], bytes]

logger = logging.getLogger(__name__)

CERTIFICATE_HOSTS = {
    True: ("https://api.paypal.com", "https://api-m.paypal.com"),
    False: ("https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"),
}
CERTIFICATE_PATH = r"/v1/notifications/certs/CERT-[A-Za-z0-9-]{1,100}"
COMMON_NAMES = frozenset({"messageverificationcerts.paypal.com", "messageverificationcerts.sandbox.paypal.com"})
ALGORITHM = "SHA256withRSA"
TRANSMISSION_ID = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
TRANSMISSION_TIME = re.compile(r"[0-9TZ:.+-]{10,40}", re.ASCII)

FETCH_TIMEOUT = (3, 5)  # seconds to connect, and to wait for each part
LONGEST_CERTIFICATE = 64 * 1024  # bytes
KEPT_FOR = 24 * 3600  # seconds
FAILURE_KEPT_FOR = 60  # seconds
MOST_ADDRESSES = 8
# Failures of one network within a minute, after which it has no more addresses looked up; wider networks have more.
MOST_FAILURES = 8
MOST_FAILURES_KEPT = 1000
# PayPal repeats a message for three days. An older one is logged, not refused.
USUAL_AGE = timedelta(days=4)


def transmission_id(headers: Mapping[str, str]) -> str:
    """PayPal's id of a delivery; a repeated one has the same. Empty if missing. Header names are in lower case."""
    value = headers.get("paypal-transmission-id", "")
    return value if TRANSMISSION_ID.fullmatch(value) else ""


class SignatureCheck:
    """Checks the messages of one webhook. Tests replace `fetch_certificate` and `timer` (in seconds)."""

    def __init__(
        self,
        settings: PayPalSettings,
        fetch_certificate: FetchCertificate | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        hosts = (settings.api_base,) if settings.is_fake else CERTIFICATE_HOSTS[settings.live]
        port = "" if settings.is_fake else "(?::443)?"
        self._address = re.compile(f"(?:{'|'.join(map(re.escape, hosts))}){port}{CERTIFICATE_PATH}", re.ASCII)
        self._webhook_id = settings.webhook_id
        self._certificates = _Certificates(fetch_certificate or fetch_certificate_of_paypal, timer)

    def verify(self, body: bytes, headers: Mapping[str, str], sender: Sequence[Network] = ()) -> None:
        """Check the raw body of a message from these networks; header names are in lower case.

        Raises BadSignature, SignatureUncheckable.
        """
        if not self._webhook_id:
            raise BadSignature(_("no webhook id is configured"))
        number, sent_at = transmission_id(headers), headers.get("paypal-transmission-time", "")
        if not number or not TRANSMISSION_TIME.fullmatch(sent_at):
            raise BadSignature(_("no transmission id or time"))
        if headers.get("paypal-auth-algo") != ALGORITHM:
            raise BadSignature(_("another algorithm"))
        address = headers.get("paypal-cert-url", "")
        # The whole address is matched, so that it cannot be parsed in two ways.
        if not self._address.fullmatch(address):
            raise BadSignature(_("a certificate from elsewhere"))
        signature = _decoded(headers.get("paypal-transmission-sig", ""))
        key = _valid_key(self._certificates.get(address, sender))
        message = f"{number}|{sent_at}|{self._webhook_id}|{crc32(body)}".encode()
        try:
            key.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise BadSignature(_("the signature does not fit")) from None
        _notice_age(sent_at)


def fetch_certificate_of_paypal(address: str) -> bytes:
    """Fetch the certificate file at an address that was already checked. Raises BadSignature, SignatureUncheckable."""
    try:
        with (
            new_session() as session,
            session.get(address, timeout=FETCH_TIMEOUT, allow_redirects=False, stream=True) as response,
        ):
            if response.status_code == 429 or response.status_code >= 500:
                raise SignatureUncheckable(
                    _("PayPal answers %(status_code)s for its certificate") % {"status_code": response.status_code}
                )
            if response.status_code != 200:
                raise BadSignature(
                    _("no certificate, but an answer %(status_code)s") % {"status_code": response.status_code}
                )
            content = b""
            for part in response.iter_content(8192):
                content += part
                if len(content) > LONGEST_CERTIFICATE:
                    raise BadSignature(_("too long for a certificate"))
            return content
    except requests.RequestException as error:
        raise SignatureUncheckable(_("PayPal's certificate cannot be fetched")) from error


class _Certificates:
    """Caches certificates for a day and failures for a minute, so that bogus messages cost next to nothing.

    Failures are counted for the network that sent the message: whoever makes up addresses wears out their own network,
    and genuine messages come from another one.
    """

    def __init__(self, fetch: FetchCertificate, timer: Callable[[], float]) -> None:
        self._fetch = fetch
        self._timer = timer
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, x509.Certificate]] = {}
        self._failed: dict[str, tuple[float, BadSignature | SignatureUncheckable]] = {}
        self._failures: Counter[str] = Counter()
        self._counted_since = 0.0

    def get(self, address: str, sender: Sequence[Network]) -> x509.Certificate:
        """The certificate at an address. Raises BadSignature, SignatureUncheckable."""
        with self._lock:
            found = self._remembered(address, sender)
        if isinstance(found, Exception):
            raise type(found)(*found.args)
        return found or self._fetched(address, sender)

    def _remembered(
        self, address: str, sender: Sequence[Network]
    ) -> x509.Certificate | BadSignature | SignatureUncheckable | None:
        now = self._timer()
        self._forget(now)
        kept_at, certificate = self._kept.get(address, (0.0, None))
        if certificate is not None and (now < kept_at + KEPT_FOR or address in self._failed):
            # While a known one cannot be fetched anew, it is used on: it says itself until when it is valid.
            return certificate
        if address in self._failed:
            return self._failed[address][1]
        worn_out = any(self._failures[network.name] >= MOST_FAILURES * network.times for network in _counted(sender))
        # A genuine message that is refused meanwhile is repeated by PayPal.
        if certificate is None and worn_out:
            return SignatureUncheckable(_("too many unknown certificates from this network within a minute"))
        return None

    def _forget(self, now: float) -> None:
        self._failed = {url: entry for url, entry in self._failed.items() if now < entry[0] + FAILURE_KEPT_FOR}
        if now >= self._counted_since + FAILURE_KEPT_FOR:
            self._failures.clear()
            self._counted_since = now

    def _fetched(self, address: str, sender: Sequence[Network]) -> x509.Certificate:
        try:
            certificate = _read(self._fetch(address))
        except (BadSignature, SignatureUncheckable) as error:
            with self._lock:
                self._failed[address] = (self._timer(), error)
                if len(self._failed) > MOST_FAILURES_KEPT:
                    del self._failed[next(iter(self._failed))]
                self._failures.update(network.name for network in _counted(sender))
                known = self._kept.get(address)
            if known is None:
                raise
            return known[1]
        with self._lock:
            self._kept[address] = (self._timer(), certificate)
            if len(self._kept) > MOST_ADDRESSES:
                del self._kept[min(self._kept, key=lambda url: self._kept[url][0])]
        return certificate


def _counted(sender: Sequence[Network]) -> Sequence[Network]:
    return sender or (Network("unknown", 1),)


def _read(content: bytes) -> x509.Certificate:
    """The certificate for messages, from a file that may also contain its issuers."""
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise BadSignature(_("not a certificate")) from error
    for certificate in certificates:
        names = {name.value for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
        if names & COMMON_NAMES and isinstance(certificate.public_key(), RSAPublicKey):
            return certificate
    raise BadSignature(_("a certificate for something else"))


def _valid_key(certificate: x509.Certificate) -> RSAPublicKey:
    if not certificate.not_valid_before_utc <= clock.now() <= certificate.not_valid_after_utc:
        raise BadSignature(_("the certificate is not valid now"))
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise BadSignature(_("not an RSA key"))
    return key


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature(_("not a signature")) from None


def _notice_age(sent_at: str) -> None:
    try:
        age = clock.now() - datetime.fromisoformat(sent_at)
    except (ValueError, TypeError):
        return
    if age > USUAL_AGE:
        logger.warning("paypal webhook is old", extra={"days": age.days})
