"""Which messages are believed to come from PayPal, and why even those are no facts."""

import base64
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from zlib import crc32

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from fake_gateways.paypal_signing import Signer
from igny8_core.business.billing.gateways.paypal.signature import (
    transmission_id,
)
from igny8_core.business.billing.gateways.protocol import BadSignature
from tests.gateways.paypal_messages import BODY, CERT, LIVE, SANDBOX, Certificates, check_with, headers_of
from tests.gateways.paypal_setup import Stage, on_stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    with on_stage() as made:
        yield made


def test_a_message_of_paypal_is_accepted() -> None:
    signer = Signer()
    fetch = Certificates(signer.pem)

    check_with(fetch).verify(BODY, headers_of(signer))

    assert fetch.asked == [f"{SANDBOX}/v1/notifications/certs/{signer.name}"]


def test_the_stand_in_signs_as_paypal_does(stage: Stage) -> None:
    stage.paid()

    for event in stage.fake.events():
        stage.gateway.verify_webhook(*stage.fake.signed(event))


def test_without_a_webhook_id_nothing_is_believed() -> None:
    signer = Signer()
    fetch = Certificates(signer.pem)

    with pytest.raises(BadSignature):
        check_with(fetch, webhook_id="").verify(BODY, headers_of(signer))

    assert fetch.asked == []


def test_a_changed_body_is_refused() -> None:
    signer = Signer()

    with pytest.raises(BadSignature):
        check_with(Certificates(signer.pem)).verify(BODY.replace(b"19.99", b"99.99"), headers_of(signer))


def test_a_message_for_another_webhook_is_refused() -> None:
    signer = Signer()

    with pytest.raises(BadSignature):
        check_with(Certificates(signer.pem), webhook_id="ANOTHER").verify(BODY, headers_of(signer))


def test_a_message_signed_with_another_key_is_refused() -> None:
    genuine, impostor = Signer(), Signer(key=generate_private_key(65537, 2048))

    with pytest.raises(BadSignature):
        check_with(Certificates(genuine.pem)).verify(BODY, headers_of(impostor))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("paypal-auth-algo", "SHA1withRSA"),
        ("paypal-auth-algo", "sha256withrsa"),
        ("paypal-auth-algo", ""),
        ("paypal-transmission-sig", ""),
        ("paypal-transmission-sig", "no base64!"),
        ("paypal-transmission-sig", "ümlaut"),
        ("paypal-transmission-sig", base64.b64encode(b"\0" * 256).decode()),
        ("paypal-transmission-time", ""),
        ("paypal-transmission-time", "2026-01-01T00:00:00Z"),
        ("paypal-transmission-time", "now|WEBHOOK"),
        ("paypal-transmission-id", ""),
        ("paypal-transmission-id", "another"),
        ("paypal-transmission-id", "a|b"),
        ("paypal-cert-url", ""),
    ],
)
def test_a_wrong_header_is_refused(name: str, value: str) -> None:
    signer = Signer()

    with pytest.raises(BadSignature):
        check_with(Certificates(signer.pem)).verify(BODY, {**headers_of(signer), name: value})


def test_a_message_without_headers_is_refused() -> None:
    with pytest.raises(BadSignature):
        check_with(Certificates(b"")).verify(BODY, {})


@pytest.mark.parametrize(
    "address",
    [
        f"http://api.sandbox.paypal.com{CERT}",
        f"https://api.paypal.com{CERT}",
        f"https://api.sandbox.paypal.com.evil.example{CERT}",
        f"https://evil-api.sandbox.paypal.com{CERT}",
        f"https://evilapi.sandbox.paypal.com{CERT}",
        f"https://API.SANDBOX.PAYPAL.COM{CERT}",
        f"https://api.sandbox.paypal.com.{CERT}",
        f"https://api.sandbox.paypal.com@evil.example{CERT}",
        f"https://user:password@api.sandbox.paypal.com{CERT}",
        f"https://api.sandbox.paypal.com:8443{CERT}",
        f"https://api.sandbox.paypal.com:443:80{CERT}",
        f"https://api.sandbox.paypal.com\\@evil.example{CERT}",
        f"https://apixsandbox.paypal.com{CERT}",
        f"https://api.sandbox.paypal.com{CERT}?next=https://evil.example",
        f"https://api.sandbox.paypal.com{CERT}#fragment",
        f"https://api.sandbox.paypal.com{CERT}/../../../x",
        "https://api.sandbox.paypal.com/v1/notifications/certs/../../../redirect?to=evil",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-",
        f"https://api.sandbox.paypal.com/v1/notifications/certs/CERT-{'a' * 101}",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-%2e%2e",
        f"https://api.sandbox.paypal.com{CERT}\n",
        f"https://api.sandbox.paypal.com{CERT}\r\nHost: evil.example",
        f" https://api.sandbox.paypal.com{CERT}",
        f"https://169.254.169.254{CERT}",
        "http://169.254.169.254/latest/meta-data",
        f"https://127.0.0.1{CERT}",
        f"http://127.0.0.1:8000{CERT}",
        "file:///etc/passwd",
        f"//api.sandbox.paypal.com{CERT}",
    ],
)
def test_a_certificate_from_elsewhere_is_never_fetched(address: str) -> None:
    signer = Signer()
    fetch = Certificates(signer.pem)

    with pytest.raises(BadSignature):
        check_with(fetch).verify(BODY, {**headers_of(signer), "paypal-cert-url": address})

    assert fetch.asked == []


@pytest.mark.parametrize(
    ("live", "host"),
    [
        (False, "api.sandbox.paypal.com"),
        (False, "api-m.sandbox.paypal.com"),
        (False, "api-m.sandbox.paypal.com:443"),
        (True, "api.paypal.com"),
        (True, "api-m.paypal.com"),
    ],
)
def test_both_hosts_of_paypal_may_serve_the_certificate(live: bool, host: str) -> None:
    signer = Signer()

    check_with(Certificates(signer.pem), live=live).verify(BODY, headers_of(signer, address=f"https://{host}"))


@pytest.mark.parametrize(("live", "base"), [(True, SANDBOX), (False, LIVE)])
def test_sandbox_and_live_do_not_mix(live: bool, base: str) -> None:
    signer = Signer()

    with pytest.raises(BadSignature):
        check_with(Certificates(signer.pem), live=live).verify(BODY, headers_of(signer, address=base))


def test_a_stand_in_is_the_only_place_for_its_certificates(stage: Stage) -> None:
    stage.paid()
    body, headers = stage.fake.signed(stage.fake.events()[0])

    for address in (SANDBOX, stage.fake.address.replace("127.0.0.1", "localhost"), "http://127.0.0.1:1"):
        evil = {**headers, "paypal-cert-url": f"{address}/v1/notifications/certs/{stage.fake.signer.name}"}
        with pytest.raises(BadSignature):
            stage.gateway.verify_webhook(body, evil)


def test_a_late_message_is_accepted_and_noticed(caplog: pytest.LogCaptureFixture) -> None:
    signer = Signer()
    check = check_with(Certificates(signer.pem))

    check.verify(BODY, headers_of(signer, at=datetime.now(UTC) - timedelta(days=3)))
    assert caplog.records == []
    check.verify(BODY, headers_of(signer, at=datetime.now(UTC) - timedelta(days=5)))

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_forged_body_with_the_same_crc_passes_so_only_fetched_objects_are_facts(stage: Stage) -> None:
    """Whoever saw one delivery can make another body that fits its signature: a CRC32 is all that is signed."""
    paid = stage.paid()
    body, headers = stage.fake.signed(stage.fake.events("PAYMENT.CAPTURE.COMPLETED")[0])

    forged = with_crc(body.replace(b'"value": "19.99"', b'"value": "99999.99"'), crc32(body))

    assert forged != body
    stage.gateway.verify_webhook(forged, headers)
    message = stage.gateway.read_webhook(forged)
    assert stage.gateway.fetch(message.related["order"]).amount == paid.amount


def with_crc(body: bytes, wanted: int) -> bytes:
    """JSON with a further key whose letters (@ to O) give it this CRC32.

    A CRC is linear: the differences that single bits make are added up (by XOR) until they make the one wanted.
    """
    start, end, bits = body[:-1] + b', "pad": "', b'"}', list(product(range(12), range(4)))
    plain = start + b"@" * 12 + end
    basis: dict[int, tuple[int, int]] = {}
    for number, (place, bit) in enumerate(bits):
        changed = bytearray(plain)
        changed[len(start) + place] ^= 1 << bit
        effect, chosen = reduced(basis, crc32(changed) ^ crc32(plain), 1 << number)
        if effect:
            basis[effect.bit_length()] = (effect, chosen)
    left, chosen = reduced(basis, crc32(plain) ^ wanted, 0)
    assert left == 0
    forged = bytearray(plain)
    for number, (place, bit) in enumerate(bits):
        forged[len(start) + place] ^= (chosen >> number & 1) << bit
    return bytes(forged)


def reduced(basis: dict[int, tuple[int, int]], effect: int, chosen: int) -> tuple[int, int]:
    while effect and effect.bit_length() in basis:
        other, their_choice = basis[effect.bit_length()]
        effect, chosen = effect ^ other, chosen ^ their_choice
    return effect, chosen


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("69cd13f0-d67a-11e5-baa3-778b53f4ae55", "69cd13f0-d67a-11e5-baa3-778b53f4ae55"),
        ("", ""),
        ("a b", ""),
        ("a" * 101, ""),
    ],
)
def test_a_delivery_has_a_number(stage: Stage, value: str, read: str) -> None:
    assert transmission_id({"paypal-transmission-id": value}) == read
    assert stage.gateway.delivery_id({"paypal-transmission-id": value}) == read
