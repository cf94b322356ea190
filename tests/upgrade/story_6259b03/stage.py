"""What the story is told with: the clock, both stand-ins for gateways, the operators and the customers so far."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.admin import site as console
from django.contrib.auth.hashers import BasePasswordHasher
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from igny8_core.business.billing.gateways.stripe_gateway import StripeGateway
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.payment_checks import PaymentCheckService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.stripe_customers import stripe_customer_of
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.usage_sum_service import UsageSumService
from igny8_core.business.billing.services.webhook_service import WebhookService
from stopped_clock import StoppedClock

from fake_gateways import paypal_server
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_transport import FakeStripeTransport
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing import gateways
from igny8_core.business.billing.errors import AuthenticationRequired, PaymentDeclined, RefundBeingChecked
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services import pdf_service
from igny8_core.business.billing.services.settlement import Settlement
from igny8_core.business.signup.service import register
from igny8_core.events.deliveries import deliver_due
from igny8_core.settings.gateways import PayPalSettings, StripeSettings

PASSWORD = "a password of nobody"
# Without a link to our payment page, which is signed with the key of the machine that runs this.
WAY_BACK = "https://app.example.com/paid"
KEYS = StripeSettings("sk_test_story", "pk_test_story", ("whsec_story",), live=False)


class NoHasher(BasePasswordHasher):
    """Keeps nothing of a password, so that the dump has nothing that looks like a secret."""

    algorithm = "none"

    def salt(self) -> str:
        return "none"

    def encode(self, password: str, salt: str) -> str:
        return "none$not-a-password"

    def decode(self, encoded: str) -> dict[str, Any]:
        return {"algorithm": self.algorithm}

    def verify(self, password: str, encoded: str) -> bool:
        return password == PASSWORD

    def must_update(self, encoded: str) -> bool:
        return False


class Stage:
    """Who and what there is at this point of the story."""

    def __init__(self, clock: StoppedClock, stripe: FakeStripe, paypal: FakePayPal) -> None:
        self.clock, self.stripe, self.paypal = clock, stripe, paypal
        self.owners: dict[str, int] = {}
        self.operator = User.objects.create_superuser("olga@example.com", PASSWORD)
        self.deputy = User.objects.create_superuser("dirk@example.com", PASSWORD)

    def at(self, text: str) -> None:
        """Go to a moment of 2026 ("03-05 10:00", UTC), and do what was due until then."""
        moment = datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        if moment < self.clock.moment:
            raise ValueError(f"{text} is over.")
        self.clock.move_to(moment)
        self.do_what_is_due()

    def do_what_is_due(self) -> None:
        """The schedule of igny8_core/celery.py, once."""
        WebhookService.process_due()
        PaymentCheckService.check_due()
        SubscriptionService.end_due_periods()
        CreditService.expire_due()
        UsageSumService.sum_up()
        deliver_due()

    # Customers

    def sign_up(self, name: str, plan: str = "", method: str = "", country: str = "US", **billing: str) -> Account:
        """A new customer; `name` is how the story finds the account again."""
        word = name.split()[0].lower()
        made = register(
            email=f"{word}@example.com",
            password=PASSWORD,
            first_name=name.split()[0],
            last_name="Owner",
            account_name=name,
            plan_slug=plan,
            payment_method=method,
            billing={"billing_country": country, **billing},
        )
        self.owners[word] = made.user.pk
        return made.account

    def owner(self, word: str) -> User:
        """The owner of an account by the first word of its name, as they are now."""
        return User.objects.select_related("account__plan").get(pk=self.owners[word])

    def account(self, word: str) -> Account:
        """The account by the first word of its name, as it is now."""
        account = self.owner(word).account
        assert account
        return account

    def invoice(self, word: str) -> Invoice:
        """The account's newest invoice."""
        return Invoice.objects.filter(account=self.account(word)).latest("pk")

    def payment(self, word: str) -> Payment:
        """The account's newest payment."""
        return Payment.objects.select_related("account", "invoice").filter(account=self.account(word)).latest("pk")

    def subscription(self, word: str) -> Subscription:
        """The account's newest subscription."""
        return Subscription.objects.filter(account=self.account(word)).latest("pk")

    # Paying

    def confirm(self, word: str, reference: str, method: str = "bank_transfer", **more: Any) -> Payment:
        """The customer says that they paid their newest invoice."""
        return PaymentService.create_manual_payment(
            self.invoice(word), method, reference, submitted_by=self.owner(word), **more
        )

    def approve(self, word: str, **more: Any) -> Settlement:
        """An operator finds the transfer of the newest payment."""
        return PaymentService.approve_manual_payment(self.payment(word), self.operator, **more)

    def paid_by_bank(self, word: str, reference: str, method: str = "bank_transfer", **more: Any) -> Payment:
        """Confirmed and approved."""
        self.confirm(word, reference, method, **more)
        return self.approve(word).payment

    def card(self, word: str, name: str = "pm_card_visa") -> str:
        """A card that Stripe keeps for the account's customer; its id."""
        return self.stripe.save_card(stripe_customer_of(self.account(word)), name)

    def paid_by_card(self, word: str, card: str = "pm_card_visa", **more: Any) -> Payment:
        """The newest invoice, charged to a saved card."""
        return PaymentService.create_stripe_payment(
            self.invoice(word), self.card(word, card), return_url=WAY_BACK, started_by=self.owner(word), **more
        ).payment

    def declined(self, word: str, card: str, **more: Any) -> None:
        """The newest invoice, of which the bank pays nothing."""
        try:
            self.paid_by_card(word, card, **more)
        except (PaymentDeclined, AuthenticationRequired):
            return
        raise ValueError(f"{card} was charged.")

    def opened_by_card(self, word: str) -> Payment:
        """An attempt at which the customer has still to enter a card."""
        stripe_customer_of(self.account(word))
        return PaymentService.create_stripe_payment(
            self.invoice(word), return_url=WAY_BACK, started_by=self.owner(word)
        ).payment

    def paid_by_paypal(self, word: str) -> Payment:
        """The newest invoice, approved at PayPal and captured."""
        payment = self.opened_at_paypal(word)
        self.paypal.approve(payment.paypal_order_id)
        return PaymentService.complete_payment(payment).payment

    def opened_at_paypal(self, word: str) -> Payment:
        """An order that the customer has still to approve."""
        return PaymentService.create_paypal_payment(
            self.invoice(word), return_url=WAY_BACK, started_by=self.owner(word)
        ).payment

    def refunded(self, word: str, amount: str = "", **more: Any) -> None:
        """An operator gives back something of the newest payment; all that is left without an amount."""
        PaymentService.process_refund(
            self.payment(word), Decimal(amount) if amount else None, refunded_by=self.operator, **more
        )

    def refund_under_way(self, word: str, **more: Any) -> None:
        """A refund of the newest payment of which the gateway says that it takes its time."""
        try:
            self.refunded(word, **more)
        except RefundBeingChecked:
            return
        raise ValueError("The refund took no time.")

    # Messages of gateways

    def stripe_tells(self, type_: str) -> None:
        """Stripe's newest event of a type comes and is processed."""
        body, _ = self.stripe.signed(self.stripe.events(type_)[-1], KEYS.webhook_secrets[0])
        self._receive("stripe", body, "")

    def paypal_tells(self, type_: str) -> None:
        """PayPal's newest event of a type comes and is processed."""
        body, headers = self.paypal.signed(self.paypal.events(type_)[-1])
        self._receive("paypal", body, headers["paypal-transmission-id"])

    def _receive(self, provider: str, body: bytes, transmission_id: str) -> None:
        # Its door has checked the signature; tests/webhooks is about that.
        WebhookService.store(provider, gateway_of(provider).read_webhook(body), body, transmission_id)
        WebhookService.process_due()

    # The console, which is how operators edit what no service writes

    def add_in_console(self, model: type[Model], **values: Any) -> None:
        """Fill in the form for a new row."""
        self._submit(reverse(f"admin:{_page_of(model)}_add"), values)

    def edit_in_console(self, row: Model, **values: Any) -> None:
        """Change some fields of a row's form."""
        self._submit(reverse(f"admin:{_page_of(type(row))}_change", args=[row.pk]), values)

    def delete_in_console(self, row: Model) -> None:
        """Delete a row, and say that one is sure."""
        self._post(reverse(f"admin:{_page_of(type(row))}_delete", args=[row.pk]), {"post": "yes"})

    def _submit(self, address: str, values: dict[str, Any]) -> None:
        form = self._browser().get(address).context["adminform"].form
        shown = {name: form[name].value() for name in form.fields}
        written = {name: form[name].field.prepare_value(value) for name, value in shown.items()} | values
        self._post(
            address, {name: value for name, value in written.items() if value is not None and value is not False}
        )

    def _post(self, address: str, written: dict[str, Any]) -> None:
        browser = self._browser()
        answer = browser.post(address, written)
        if answer.status_code != 302:
            raise ValueError(f"{address}: {answer.context['adminform'].form.errors}")
        browser.logout()

    def _browser(self) -> Client:
        browser = Client()
        browser.force_login(self.operator)
        return browser


def _page_of(model: type[Model]) -> str:
    if model not in console._registry:
        raise ValueError(f"{model} has no page.")
    return f"{model._meta.app_label}_{model._meta.model_name}"


def make_chance_repeatable() -> None:
    """From now on ids and tokens are the same in every run."""
    chance = random.Random(6259)
    os.urandom = random._urandom = chance.randbytes  # type: ignore[attr-defined]


@contextmanager
def set_stage(clock: StoppedClock) -> Iterator[Stage]:
    """The stand-ins are up, mails are made and go nowhere."""
    settings.PASSWORD_HASHERS = ["story_6259b03.stage.NoHasher"]
    settings.STRIPE, stripe = KEYS, FakeStripe()
    adapter = StripeGateway(KEYS, FakeStripeTransport(stripe))
    gateways._stripe = lambda keys: adapter  # type: ignore[assignment]
    # Drawing them takes most of the time, and nobody reads these.
    pdf_service.render_invoice = pdf_service.render_credit_note = lambda document: b"%PDF"  # type: ignore[assignment]
    paypal = FakePayPal()
    server = paypal_server.serve(paypal)
    settings.PAYPAL = PayPalSettings(
        "fake-client", "fake-secret", paypal.webhook_id, live=False, api_base=server.address
    )
    try:
        yield Stage(clock, stripe, paypal)
    finally:
        server.stop()
