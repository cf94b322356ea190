"""Money that goes back: refunds by hand and at gateways, disputes, and what was returned because it paid nothing."""

from dataclasses import replace

from igny8_core.business.billing.services.charge_records import record_charge
from igny8_core.business.billing.services.gateway_refunds import GatewayRefundService
from igny8_core.business.billing.services.payment_checks import PaymentCheckService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.stripe_customers import stripe_customer_of
from story_6259b03.stage import Stage

from igny8_core.business.billing.errors import RefundRefused
from igny8_core.business.billing.gateways.protocol import ChargeState
from igny8_core.business.billing.models import Payment


def refunds(stage: Stage) -> None:
    """In part and in whole, by hand and at both gateways, of which some fail, arrive late or not at all."""
    stage.at("04-01 09:00")
    _pay_by_bank(stage, "Refunded Ranch", "Partly Paints")
    _pay_by_card(stage, "Chargeback Chairs", "Piecemeal Pipes", "Failing Fans", "Lost Letters", "Foreign Forks")
    _pay_by_card(stage, "Slow Sofas", card="pm_card_pendingRefund")
    for name in ("Paid Pans", "Outright Oars"):
        stage.sign_up(name, "growth", "paypal")
        stage.paid_by_paypal(name.split()[0].lower())
    stage.at("04-03 09:00")
    stage.refunded("refunded", reason="Did not like it", reference="Back 1")
    stage.refunded("partly", "20.00", reason="Goodwill", reference="Back 2")
    stage.refunded("partly", "9.50", reason="More goodwill", reference="Back 3")
    stage.refunded("chargeback", reason="Asked by mail")
    stage.refunded("piecemeal", "33.33", reason="A third")
    stage.refunded("paid", "39.00", reason="A week was down")
    stage.refunded("outright", reason="Closed the shop")
    _refused_refund(stage)
    _late_refund(stage)
    # It was booked, and then did not arrive.
    stage.refunded("lost", reason="Goodwill")
    stage.stripe.fail_refund(stage.payment("lost").refunds.get().gateway_refund_id)
    GatewayRefundService.sync(stage.payment("lost"))
    # Somebody gave it back in Stripe's dashboard.
    stage.stripe.refund_in_dashboard(stage.payment("foreign").stripe_payment_intent_id, 1500)
    stage.stripe_tells("charge.refunded")


def _refused_refund(stage: Stage) -> None:
    payment = stage.payment("failing")
    stage.stripe.refund_in_dashboard(payment.stripe_payment_intent_id, 9000)
    try:
        stage.refunded("failing", "50.00", reason="More than Stripe has")
    except RefundRefused:
        return
    raise ValueError("Stripe gave back more than there was.")


def _late_refund(stage: Stage) -> None:
    stage.refund_under_way("slow", reason="Takes days")
    stage.at("04-05 09:00")
    stage.stripe.settle_refund(stage.payment("slow").refunds.get().gateway_refund_id)
    stage.at("04-06 09:00")


def disputes(stage: Stage) -> None:
    """Opened, lost, won, lost after a part went back, a second one beside the first; at PayPal, too."""
    stage.at("04-10 09:00")
    names = ("Disputed Desks", "Beaten Beds", "Winning Wines", "Half Hammocks", "Twice Tiles")
    _pay_by_card(stage, *names)
    stage.sign_up("Complaining Cups", "growth", "paypal")
    stage.paid_by_paypal("complaining")
    stage.refunded("half", "25.00", reason="Goodwill")
    stage.at("04-20 09:00")
    for word in ("disputed", "beaten", "winning", "half", "twice"):
        _dispute(stage, word)
    stage.paypal.open_dispute(stage.payment("complaining").paypal_capture_id)
    stage.paypal_tells("CUSTOMER.DISPUTE.CREATED")


def end_of_disputes(stage: Stage) -> None:
    """Two weeks later most of them are decided."""
    stage.at("05-02 09:00")
    for word, won in (("beaten", False), ("winning", True), ("half", False)):
        stage.stripe.close_dispute(stage.payment(word).metadata["dispute"]["id"], won=won)
        stage.stripe_tells("charge.dispute.closed")
    _dispute(stage, "twice", 1000)
    stage.paypal.close_dispute(stage.payment("complaining").metadata["dispute"]["id"])
    stage.paypal_tells("CUSTOMER.DISPUTE.RESOLVED")


def _dispute(stage: Stage, word: str, amount: int | None = None) -> None:
    stage.stripe.open_dispute(stage.payment(word).stripe_payment_intent_id, amount, "product_not_received")
    stage.stripe_tells("charge.dispute.created")


def money_for_nothing(stage: Stage) -> None:
    """A charge that came in when its invoice was paid in another way already: it goes back by itself."""
    stage.at("05-04 09:00")
    stage.sign_up("Double Doors", "growth", "stripe")
    stripe_customer_of(stage.account("double"))
    attempt = PaymentService.create_stripe_payment(stage.invoice("double"), return_url="https://app.example.com/paid")
    assert attempt.charge
    stage.stripe.pay_in_browser(attempt.charge.client_secret)
    # As if Stripe had called it canceled, and had taken the money all the same.
    record_charge(attempt.payment, replace(attempt.charge, state=ChargeState.CANCELED))
    stage.paid_by_bank("double", "Paid twice")
    PaymentService.handle_stripe_success(attempt.charge.object_id)
    PaymentCheckService.check_due()
    # An order at PayPal is given up for a card.
    stage.sign_up("Changing Chimes", "starter", "paypal")
    stage.opened_at_paypal("changing")
    stage.paid_by_card("changing")


def _pay_by_bank(stage: Stage, *names: str) -> None:
    for name in names:
        stage.sign_up(name, "growth", "bank_transfer")
        stage.paid_by_bank(name.split()[0].lower(), f"First {name}")


def _pay_by_card(stage: Stage, *names: str, card: str = "pm_card_visa") -> list[Payment]:
    for name in names:
        stage.sign_up(name, "growth", "stripe")
    return [stage.paid_by_card(name.split()[0].lower(), card) for name in names]
