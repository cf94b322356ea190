"""Saved cards are charged when a renewal is due, and again only where the decline can pass."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription, SuspendedReason
from igny8_core.business.billing.models import AccountPaymentMethod, Payment, Renewal
from igny8_core.business.billing.services.payment_methods.saved import make_default
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.renewals import charging
from igny8_core.business.billing.services.renewals.charging import charge_due_renewals
from igny8_core.business.billing.services.renewals.retrying import retry_renewal
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make
from tests.billing.renewing import (
    END,
    NEXT_END,
    WEEK_BEFORE,
    account_of,
    at,
    renewal_of,
    require_sound_at,
    running,
    work_at,
)
from tests.rows import now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]
A_SECOND, AN_HOUR, A_DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def subscription(stripe: FakeStripe) -> Subscription:
    """Its renewal is invoiced; the account pays by a card that works."""
    subscription = running()
    card(stripe, subscription)
    work_at(WEEK_BEFORE)
    return subscription


def card(stripe: FakeStripe, subscription: Subscription, name: str = "pm_card_visa") -> AccountPaymentMethod:
    """A card that becomes the account's default."""
    account = Account.objects.get(pk=subscription.account_id)
    saved = make.saved_card(stripe, account, name)
    make_default(account, saved.pk, account.owner)
    return saved


def declining(stripe: FakeStripe, subscription: Subscription, code: str) -> AccountPaymentMethod:
    saved = AccountPaymentMethod.objects.get(account=subscription.account_id, type="stripe")
    stripe.set_card_declines(saved.gateway_method_id, code)
    return saved


def mails_at(moment: Any) -> list[str]:
    """The subjects of the mails that are sent for what has happened, without those of before."""
    mail.outbox.clear()
    at(moment, deliver_due)
    return [message.subject for message in mail.outbox]


def test_the_card_is_charged_when_the_period_ends_and_not_before(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    assert at(END - A_SECOND, charge_due_renewals) == 0

    assert at(END, charge_due_renewals) == 1

    renewal, payment = renewal_of(subscription), Payment.objects.order_by("-pk")[0]
    assert (renewal.status, renewal.next_charge_at, payment.status) == ("begun", None, "succeeded")
    assert now(subscription).current_period_end == NEXT_END
    assert account_of(subscription).credits >= 1000
    intent = stripe.one(payment.gateway_object_id)
    assert (intent["amount"], intent["metadata"]["payment_id"]) == (8900, str(payment.uuid))
    assert at(END + A_DAY, charge_due_renewals) == 0
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1
    require_sound_at(END + AN_HOUR)


def test_the_mail_with_the_invoice_says_when_the_card_is_charged(subscription: Subscription) -> None:
    mails_at(WEEK_BEFORE)

    [text] = [" ".join(sent.body.split()) for sent in mail.outbox if "Your plan goes on" in sent.body]
    assert "the period from 28 February 2026 to 31 March 2026." in text
    assert "we charge your saved card on 28 February 2026." in text


def test_who_pays_by_bank_reads_nothing_of_a_card() -> None:
    running()
    work_at(WEEK_BEFORE)
    mails_at(WEEK_BEFORE)

    [text] = [sent.body for sent in mail.outbox if "Your plan goes on" in sent.body]
    assert "your saved card" not in text


def test_what_can_pass_is_tried_again_and_the_customer_is_told_at_the_first_and_the_last(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    declining(stripe, subscription, "insufficient_funds")
    mails_at(END - A_SECOND)

    at(END, charge_due_renewals)

    renewal = renewal_of(subscription)
    assert (renewal.status, renewal.last_decline, renewal.declines) == ("open", "insufficient_funds", 1)
    assert renewal.next_charge_at == END + A_DAY
    assert mails_at(END) == [f"Your card was declined for invoice {renewal.invoice.invoice_number}"]
    text = mail.outbox[0].body
    assert "1 March 2026" in text
    assert "/pay/" in text
    assert "not enough money" in text
    moment, sent = END, []
    for days in (1, 3, 5):
        moment += timedelta(days=days)
        assert at(moment - A_SECOND, charge_due_renewals) == 0
        assert at(moment, charge_due_renewals) == 1
        sent.append(len(mails_at(moment)))
    assert sent == [0, 0, 1]
    assert "not try this card again" in mail.outbox[0].body
    assert (now(renewal).declines, now(renewal).next_charge_at) == (4, None)
    assert at(moment + timedelta(days=30), charge_due_renewals) == 0


@pytest.mark.parametrize("code", ["expired_card", "generic_decline", "card_not_supported", "new_word_of_the_bank"])
def test_what_cannot_pass_goes_straight_to_the_mail_with_the_link(
    stripe: FakeStripe, subscription: Subscription, code: str
) -> None:
    declining(stripe, subscription, code)
    mails_at(END - A_SECOND)

    at(END, charge_due_renewals)

    renewal = renewal_of(subscription)
    assert (renewal.declines, renewal.next_charge_at, now(renewal.invoice).status) == (1, None, "pending")
    assert len(mails_at(END)) == 1
    assert "/pay/" in mail.outbox[0].body
    assert "not try this card again" in mail.outbox[0].body
    assert at(END + timedelta(days=10), charge_due_renewals) == 0
    require_sound_at(END + AN_HOUR)


def test_the_bank_s_question_is_one_mail_and_no_second_try(stripe: FakeStripe) -> None:
    subscription = running()
    card(stripe, subscription, "pm_card_authenticationRequired")
    work_at(WEEK_BEFORE)
    mails_at(WEEK_BEFORE)

    at(END, charge_due_renewals)

    assert renewal_of(subscription).next_charge_at is None
    assert mails_at(END) == ["Please confirm your payment"]


def test_a_new_card_is_charged_at_once_and_a_repeated_word_of_it_changes_nothing(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    declining(stripe, subscription, "expired_card")
    at(END, charge_due_renewals)
    later = END + timedelta(days=2)
    with time_machine.travel(later, tick=False):
        card(stripe, subscription)
        deliver_due()

    assert renewal_of(subscription).next_charge_at == later
    assert at(later, charge_due_renewals) == 1

    assert renewal_of(subscription).status == "begun"
    at(later + AN_HOUR, charging.handle, Event.objects.filter(type="payment_method.made_default").latest("pk"))
    assert renewal_of(subscription).next_charge_at is None
    require_sound_at(later)


def test_a_new_card_is_charged_though_the_declined_one_is_still_the_default(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    declining(stripe, subscription, "expired_card")
    at(END, charge_due_renewals)
    with time_machine.travel(END + AN_HOUR, tick=False):
        added = make.saved_card(stripe, account_of(subscription), is_default=False)
        Event.objects.create(
            type="payment_method.added",
            account=account_of(subscription),
            object_type="billing.accountpaymentmethod",
            object_id=str(added.pk),
            created_at=END + AN_HOUR,
        )
        charging.handle(Event.objects.latest("pk"))
        charge_due_renewals()

    assert renewal_of(subscription).status == "begun"
    assert Payment.objects.latest("pk").metadata["order"]["card"] == added.gateway_method_id


def test_the_same_news_of_a_card_is_charged_once(stripe: FakeStripe, subscription: Subscription) -> None:
    declining(stripe, subscription, "expired_card")
    at(END, charge_due_renewals)
    with time_machine.travel(END + AN_HOUR, tick=False):
        card(stripe, subscription, "pm_card_chargeDeclinedExpiredCard")
        deliver_due()
    at(END + AN_HOUR + A_SECOND, charge_due_renewals)

    at(END + 2 * AN_HOUR, charging.handle, Event.objects.filter(type="payment_method.made_default").latest("pk"))

    assert renewal_of(subscription).next_charge_at is None


def test_a_new_card_before_it_is_due_changes_nothing(stripe: FakeStripe, subscription: Subscription) -> None:
    with time_machine.travel(WEEK_BEFORE + A_DAY, tick=False):
        card(stripe, subscription)
        deliver_due()
        assert charge_due_renewals() == 0

    assert renewal_of(subscription).next_charge_at == END


def test_who_pays_by_bank_is_not_charged_to_a_card_of_before(stripe: FakeStripe, subscription: Subscription) -> None:
    account = account_of(subscription)
    make_default(account, account.payment_methods.get(type="bank_transfer").pk, account.owner)

    assert at(END, charge_due_renewals) == 1

    assert (renewal_of(subscription).status, renewal_of(subscription).next_charge_at) == ("open", None)
    assert not stripe.all("charge")


def test_without_a_card_the_customer_pays(subscription: Subscription) -> None:
    AccountPaymentMethod.objects.filter(type="stripe").update(is_enabled=False)

    at(END, charge_due_renewals)

    assert (renewal_of(subscription).status, renewal_of(subscription).next_charge_at) == ("open", None)


def test_a_gateway_that_does_not_answer_is_asked_again_within_the_hour(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    # The request and the SDK's two repeats.
    stripe.answer_next(503, 3, method="POST", path="/v1/payment_intents", is_stored=False)
    at(END, charge_due_renewals)
    waiting = renewal_of(subscription)
    assert (waiting.declines, waiting.next_charge_at) == (0, END + AN_HOUR)

    at(END + AN_HOUR, charge_due_renewals)

    assert renewal_of(subscription).status == "begun"
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1


def test_a_charge_that_never_arrived_is_no_decline_and_is_begun_anew(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    stripe.answer_next(503, method="POST", path="/v1/payment_intents")
    at(END, charge_due_renewals)

    # After a day Stripe has forgotten the key, and the attempt is looked up instead.
    for hours in (24, 25):
        at(END + timedelta(hours=hours), charge_due_renewals)

    assert (renewal_of(subscription).status, renewal_of(subscription).declines) == ("begun", 0)
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1


def test_a_worker_that_died_before_it_counted_the_decline_does_not_charge_again(
    stripe: FakeStripe, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    declining(stripe, subscription, "insufficient_funds")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(charging, "_count_decline", die)
    with pytest.raises(KeyboardInterrupt):
        at(END, charge_due_renewals)
    monkeypatch.undo()
    stripe_asked = len(stripe.all("payment_intent"))

    assert at(END + A_SECOND, charge_due_renewals) == 0
    assert at(END + charging.LEASE, charge_due_renewals) == 1

    assert len(stripe.all("payment_intent")) == stripe_asked
    assert Payment.objects.filter(invoice=renewal_of(subscription).invoice).count() == 1
    assert renewal_of(subscription).declines == 1


def test_an_account_that_an_operator_suspended_is_not_charged(stripe: FakeStripe, subscription: Subscription) -> None:
    held = {"status": "suspended", "suspended_reason": SuspendedReason.OPERATOR}
    Account.objects.filter(pk=subscription.account_id).update(**held)

    at(END, charge_due_renewals)

    assert not stripe.all("charge")
    assert renewal_of(subscription).next_charge_at == END + A_DAY


def test_a_customer_who_pays_on_the_page_is_not_charged_as_well(stripe: FakeStripe, subscription: Subscription) -> None:
    saved = AccountPaymentMethod.objects.get(type="stripe")
    at(END - A_SECOND, PaymentService.create_stripe_payment, renewal_of(subscription).invoice, saved.gateway_method_id)

    work_at(END)

    assert renewal_of(subscription).status == "begun"
    assert sum(charge["paid"] for charge in stripe.all("charge")) == 1


def test_a_transfer_that_waits_for_approval_is_not_paid_by_card_as_well(
    stripe: FakeStripe, subscription: Subscription
) -> None:
    payment = at(END - A_SECOND, make.submitted_payment, renewal_of(subscription).invoice)

    at(END, charge_due_renewals)

    assert renewal_of(subscription).next_charge_at == END + AN_HOUR
    at(END + A_SECOND, PaymentService.approve_manual_payment, payment, make.operator())
    assert at(END + A_DAY, charge_due_renewals) == 0
    assert not stripe.all("charge")


def test_what_began_long_ago_is_invoiced_and_not_charged(stripe: FakeStripe) -> None:
    """A subscription that nobody renewed for months, as releases before this one left them."""
    subscription = running()
    card(stripe, subscription)

    work_at(END + timedelta(days=46))

    assert (renewal_of(subscription).status, renewal_of(subscription).next_charge_at) == ("open", None)
    assert not stripe.all("charge")


def test_an_operator_has_the_card_charged_again(stripe: FakeStripe, subscription: Subscription) -> None:
    saved = declining(stripe, subscription, "expired_card")
    at(END, charge_due_renewals)
    stripe.set_card_declines(saved.gateway_method_id, "")

    renewal = at(END + A_DAY, retry_renewal, renewal_of(subscription), make.operator())

    assert renewal.status == "begun"
    assert Event.objects.filter(type="renewal.retried").count() == 1


def test_before_it_is_due_a_retry_charges_nothing(stripe: FakeStripe, subscription: Subscription) -> None:
    renewal = at(END - A_DAY, retry_renewal, renewal_of(subscription), make.operator())

    assert (renewal.status, Renewal.objects.get().next_charge_at) == ("open", END)
    assert not stripe.all("charge")
