"""PayPal's certificates: which are accepted, how often they are fetched, and what failing to get one means."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec

from fake_gateways.loopback import Answer, LoopbackServer
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.paypal_server import serve
from fake_gateways.paypal_signing import Signer
from igny8_core.business.billing.gateways.paypal import signature
from igny8_core.business.billing.gateways.paypal.signature import (
    SignatureCheck,
    fetch_certificate_of_paypal,
)
from igny8_core.business.billing.gateways.protocol import BadSignature, SignatureUncheckable
from igny8_core.common.network import Network, networks_of
from tests.gateways.paypal_messages import BODY, CERT, SANDBOX, Certificates, check_with, headers_of
from tests.gateways.paypal_setup import Clock, settings_for


@pytest.mark.parametrize(
    "signer",
    [
        Signer(valid_from=datetime(2020, 1, 1, tzinfo=UTC), valid_for=timedelta(days=365)),
        Signer(valid_from=datetime(2090, 1, 1, tzinfo=UTC)),
        Signer(common_name="messageverificationcerts.sandbox.paypal.com.evil.example"),
        Signer(common_name="api.sandbox.paypal.com"),
    ],
    ids=["expired", "not yet valid", "longer name", "other name"],
)
def test_a_certificate_for_another_time_or_name_is_refused(signer: Signer) -> None:
    with pytest.raises(BadSignature):
        check_with(Certificates(signer.pem)).verify(BODY, headers_of(signer))


def test_a_certificate_that_ends_while_it_is_kept_is_refused_from_then_on() -> None:
    now = datetime.now(UTC)
    signer = Signer(valid_from=now - timedelta(days=2), valid_for=timedelta(days=2, seconds=2))
    check = check_with(Certificates(signer.pem))
    check.verify(BODY, headers_of(signer))

    with time_machine.travel(now + timedelta(seconds=5)), pytest.raises(BadSignature):
        check.verify(BODY, headers_of(signer))


def test_a_key_of_another_kind_is_refused() -> None:
    signer = Signer()
    other = Signer(key=ec.generate_private_key(ec.SECP256R1()))  # type: ignore[arg-type]

    with pytest.raises(BadSignature):
        check_with(Certificates(other.pem)).verify(BODY, headers_of(signer))


@pytest.mark.parametrize("served", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(served: bytes) -> None:
    with pytest.raises(BadSignature):
        check_with(Certificates(served)).verify(BODY, headers_of(Signer()))


def test_the_certificate_is_found_among_its_issuers() -> None:
    signer, issuer = Signer(), Signer(common_name="An Issuer")

    check_with(Certificates(issuer.pem + signer.pem)).verify(BODY, headers_of(signer))


def test_a_certificate_is_fetched_once_a_day() -> None:
    signer, clock = Signer(), Clock()
    fetch = Certificates(signer.pem)
    check = check_with(fetch, clock=clock)

    for seconds in (0, 3600, 80_000, 3000):
        clock.now += seconds
        check.verify(BODY, headers_of(signer))

    assert len(fetch.asked) == 2


def test_an_unreachable_certificate_is_asked_for_once_a_minute() -> None:
    signer, clock = Signer(), Clock()
    fetch = Certificates(SignatureUncheckable("down"))
    check = check_with(fetch, clock=clock)
    headers = headers_of(signer)
    for _ in range(5):
        with pytest.raises(SignatureUncheckable):
            check.verify(BODY, headers)
    assert len(fetch.asked) == 1

    clock.now += 61
    fetch.served = signer.pem
    check.verify(BODY, headers)

    assert len(fetch.asked) == 2


def test_made_up_addresses_cost_eight_fetches_a_minute_and_do_not_push_out_the_genuine_one() -> None:
    signer = Signer()
    fetch = Certificates(signer.pem)
    check = check_with(fetch)
    check.verify(BODY, headers_of(signer))

    fetch.served = BadSignature("404")
    for _ in range(30):
        with pytest.raises((BadSignature, SignatureUncheckable)):
            check.verify(BODY, headers_of(Signer()))
    check.verify(BODY, headers_of(signer))

    assert len(fetch.asked) == 9


ATTACKER, PAYPAL = networks_of("203.0.113.7"), networks_of("198.51.100.7")


@pytest.fixture(scope="module")
def forged() -> dict[str, str]:
    return headers_of(Signer())


def forge(check: SignatureCheck, forged: dict[str, str], number: int, sender: Sequence[Network]) -> None:
    headers = {**forged, "paypal-cert-url": f"{SANDBOX}{CERT}-{number}"}
    with pytest.raises((BadSignature, SignatureUncheckable)):
        check.verify(BODY, headers, sender)


def test_whoever_makes_up_addresses_wears_out_their_own_network_only(forged: dict[str, str]) -> None:
    signer = Signer()
    fetch = Certificates(BadSignature("404"))
    check = check_with(fetch)
    for number in range(30):
        forge(check, forged, number, ATTACKER)
    assert len(fetch.asked) == 8

    fetch.served = signer.pem
    check.verify(BODY, headers_of(signer), PAYPAL)
    forge(check, forged, 99, ATTACKER)
    assert len(fetch.asked) == 9
    check.verify(BODY, headers_of(signer), ATTACKER)


def test_a_whole_network_of_attackers_has_a_limit_too(forged: dict[str, str]) -> None:
    fetch = Certificates(BadSignature("404"))
    check = check_with(fetch)
    for number in range(80):
        forge(check, forged, number, networks_of(f"203.0.113.{number}"))

    assert len(fetch.asked) == 8 * 4


def test_a_known_certificate_is_used_on_while_it_cannot_be_fetched_anew() -> None:
    signer, clock = Signer(), Clock()
    fetch = Certificates(signer.pem)
    check = check_with(fetch, clock=clock)
    check.verify(BODY, headers_of(signer), PAYPAL)
    clock.now += 25 * 3600
    fetch.served = SignatureUncheckable("down")

    for _ in range(3):
        check.verify(BODY, headers_of(signer), PAYPAL)

    assert len(fetch.asked) == 2, "asked for once a minute"


def test_at_most_eight_certificates_are_kept() -> None:
    signers = [Signer() for _ in range(9)]
    clock = Clock()
    fetch = Certificates(signers[0].pem)
    check = check_with(fetch, clock=clock)
    for signer in signers:
        clock.now += 1
        fetch.served = signer.pem
        check.verify(BODY, headers_of(signer))

    check.verify(BODY, headers_of(signers[-1]))
    assert len(fetch.asked) == 9
    fetch.served = signers[0].pem
    check.verify(BODY, headers_of(signers[0]))

    assert len(fetch.asked) == 10


def certificate_answer(answer: Answer) -> Exception | bytes:
    server = LoopbackServer(lambda request: answer).start()
    try:
        return fetch_certificate_of_paypal(f"{server.address}{CERT}")
    except (BadSignature, SignatureUncheckable) as error:
        return error
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(200, b"x" * 65_536), bytes),
        (Answer(200, b"x" * 65_537), BadSignature),
        (Answer(302, b"", headers={"Location": "http://127.0.0.1:1/"}), BadSignature),
        (Answer(404, b""), BadSignature),
        (Answer(429, b""), SignatureUncheckable),
        (Answer(503, b""), SignatureUncheckable),
    ],
    ids=["64 KB", "longer", "redirect", "404", "429", "503"],
)
def test_what_the_certificate_host_answers(answer: Answer, kind: type) -> None:
    assert isinstance(certificate_answer(answer), kind)


def test_a_certificate_host_that_is_down_means_later() -> None:
    fake = FakePayPal()
    server = serve(fake)
    body, headers = fake.signed({"id": "WH-1"})
    server.stop()

    with pytest.raises(SignatureUncheckable):
        SignatureCheck(settings_for(fake.address)).verify(body, headers)


def test_a_certificate_is_waited_for_a_few_seconds() -> None:
    assert signature.FETCH_TIMEOUT == (3, 5)
