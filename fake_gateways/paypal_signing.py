"""The keys and certificates for signing webhook messages as PayPal does."""

import base64
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from zlib import crc32

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

COMMON_NAME = "messageverificationcerts.sandbox.paypal.com"
CERTIFICATE_PATH = "/v1/notifications/certs/"


@lru_cache
def key_of_this_process() -> RSAPrivateKey:
    """One key that all signers share, because generating a key is slow."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Signer:
    """A key with its self-signed certificate. The defaults match those of PayPal's sandbox."""

    common_name: str = COMMON_NAME
    valid_from: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    valid_for: timedelta = timedelta(days=365 * 30)
    key: RSAPrivateKey = field(default_factory=key_of_this_process, repr=False)
    name: str = field(default_factory=lambda: f"CERT-{uuid.uuid4()}")

    @cached_property
    def pem(self) -> bytes:
        """The certificate as PayPal serves it."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.common_name)])
        builder = x509.CertificateBuilder(
            subject_name=subject,
            issuer_name=subject,
            public_key=self.key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=self.valid_from,
            not_valid_after=self.valid_from + self.valid_for,
        )
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)

    def headers(self, body: bytes, webhook_id: str, address: str, sent_at: str) -> dict[str, str]:
        """The headers that PayPal sends with a body. The signature covers only a CRC32 of the body."""
        number = str(uuid.uuid4())
        message = f"{number}|{sent_at}|{webhook_id}|{crc32(body)}".encode()
        return {
            "paypal-transmission-id": number,
            "paypal-transmission-time": sent_at,
            "paypal-transmission-sig": base64.b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode(),
            "paypal-cert-url": f"{address}{CERTIFICATE_PATH}{self.name}",
            "paypal-auth-algo": "SHA256withRSA",
            "paypal-auth-version": "v2",
        }
