"""The stand-in for Stripe over HTTP: the adapter's real client, the page where people pay, and its messages."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from fake_gateways.loopback import Answer, LoopbackServer, Request
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_server import WebhookSender, serve
from igny8_core.business.billing.gateways.protocol import ChargeOrder, ChargeState, Unavailable
from igny8_core.business.billing.gateways.stripe import messages, signature
from igny8_core.business.billing.gateways.stripe.charges import StripeGateway
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from tests.gateways.stripe_cast import SECRET, Shop

PATIENCE = 60  # seconds; the stand-in is on this machine, which may be busy


@contextmanager
def shop_on(fake: FakeStripe) -> Iterator[tuple[Shop, str]]:
    """A shop whose adapter talks over a socket, and the address of the page where people pay."""
    server = serve(fake)
    try:
        shop = Shop(fake)
        shop.gateway = StripeGateway(StripeSettings("sk_test_shop", "pk_test_shop", (), False, server.address))
        yield shop, f"{server.address}/fake/stripe/pay"
    finally:
        server.stop()


def test_the_adapter_speaks_http() -> None:
    with shop_on(FakeStripe()) as (shop, _):
        charge = shop.pay()
        shop.fake.lose_next_answers(1, method="POST")
        refund = shop.gateway.refund(shop.refund_order(charge, "1.00"))

        assert charge.state is ChargeState.SUCCEEDED
        assert shop.gateway.refunds_of(charge) == [refund]
        assert all(asked.path.startswith("/v1/") for asked in shop.fake.requests())


def test_where_nobody_listens_nothing_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stripe.HTTPClient.INITIAL_DELAY", 0)
    server = serve(FakeStripe())
    server.stop()
    gateway = StripeGateway(StripeSettings("sk_test_shop", "pk_test_shop", (), False, server.address))

    with pytest.raises(Unavailable) as failed:
        gateway.start(Shop().order())

    assert not failed.value.may_have_happened


def test_a_customer_pays_on_the_page_and_comes_back() -> None:
    with shop_on(FakeStripe()) as (shop, page):
        charge = shop.gateway.start(shop.order())
        query = {"client_secret": charge.client_secret, "return_url": "http://127.0.0.1:9/invoices?id=7"}

        shown = requests.get(page, query, timeout=PATIENCE).text
        declined = requests.post(page, {"card": "pm_card_chargeDeclined"}, params=query, timeout=PATIENCE).text
        bank = requests.post(page, {"card": "pm_card_authenticationRequired"}, params=query, timeout=PATIENCE).text
        refused = requests.post(page, {"answer": "refuse"}, params=query, timeout=PATIENCE).text
        requests.post(page, {"card": "pm_card_authenticationRequired"}, params=query, timeout=PATIENCE)
        back = requests.post(page, {"answer": "approve"}, params=query, timeout=PATIENCE, allow_redirects=False)

        assert "This is a stand-in for Stripe; no money moves." in shown
        assert "12.34 USD" in shown
        assert "Your card was declined." in declined
        assert "Approve" in bank
        assert "not authenticated" in refused
        assert back.headers["Location"].startswith(
            f"http://127.0.0.1:9/invoices?id=7&payment_intent={charge.object_id}&"
        )
        assert "redirect_status=succeeded" in back.headers["Location"]
        assert shop.gateway.fetch(charge.object_id).state is ChargeState.SUCCEEDED
        assert "This is succeeded." in requests.get(page, query, timeout=PATIENCE).text
        assert shop.fake.charges_count() == 1


def test_a_customer_saves_a_card_on_the_page() -> None:
    with shop_on(FakeStripe()) as (shop, page):
        setup = shop.gateway.begin_card_setup(shop.customer_id, "setup-1")
        query = {"client_secret": setup.client_secret, "return_url": "javascript:alert(1)"}

        shown = requests.get(page, query, timeout=PATIENCE).text
        done = requests.post(page, {"card": "pm_card_visa"}, params=query, timeout=PATIENCE).text

        assert "Save a card" in shown
        assert "javascript:" not in done
        assert shop.gateway.card_setup(setup.setup_id).is_complete


def test_the_page_knows_no_made_up_secret() -> None:
    with shop_on(FakeStripe()) as (_, page):
        assert requests.get(page, {"client_secret": "pi_1_secret_<b>"}, timeout=PATIENCE).status_code == 404
        assert requests.get(page, timeout=PATIENCE).status_code == 404


def test_what_a_merchant_wrote_is_not_taken_for_html() -> None:
    with shop_on(FakeStripe()) as (shop, page):
        charge = shop.gateway.start(ChargeOrder("payment-1", shop.order().amount, "USD", "<script>alert(1)</script>"))

        assert "<script>" not in requests.get(page, {"client_secret": charge.client_secret}, timeout=PATIENCE).text


def test_messages_are_posted_in_order_and_again_until_they_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebhookSender, "PAUSES_IN_SECONDS", (0, 0))
    heard: list[str] = []
    answers = iter([500, 302, 200])

    def hear(request: Request) -> Answer:
        signature.verify(request.body, request.headers, [SECRET])
        heard.append(messages.read(request.body).type)
        return Answer(next(answers, 200), b"")

    listener = LoopbackServer(hear).start()
    fake = FakeStripe()
    sender = fake.on_event = WebhookSender(f"{listener.address}/webhooks/stripe/", SECRET)
    shop = Shop(fake)
    shop.pay()
    sender.stop()
    listener.stop()

    assert heard == [
        *["customer.created"] * 3,
        *("payment_intent.created", "charge.succeeded", "payment_intent.succeeded"),
    ]


def test_messages_go_to_this_machine_only() -> None:
    with pytest.raises(ValueError, match="this machine"):
        WebhookSender("https://shop.example/webhooks/stripe/", SECRET)
