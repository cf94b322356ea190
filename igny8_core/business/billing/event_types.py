"""What the event log says of orders, money and credits."""

from igny8_core.events.registry import register


def declare() -> None:
    """Declare the types; called once, when the app is ready."""
    _of_accounts()
    _of_invoices_and_payments()
    _of_credits()
    _of_ways_to_pay()
    _of_configuration()


def _of_accounts() -> None:
    register(
        "igny8_auth.account",
        {
            "account.activated": "The account can be used, because it was paid for or its trial began.",
            "account.awaiting_payment": "The account waits for its first payment.",
            "account.past_due": "A renewal was not paid.",
            "account.canceled": "The account's subscription has ended.",
        },
    )
    register(
        "igny8_auth.subscription",
        {
            "subscription.created": "A plan was ordered, or is billed by Stripe from now on.",
            "subscription.activated": "The order was paid, or a renewal after it was late.",
            "subscription.upgrade_ordered": "A larger plan was ordered; it counts once it is paid.",
            "subscription.downgrade_scheduled": "A smaller plan begins with the next period.",
            "subscription.downgrade_refused": "A smaller plan could not begin, because more is in use than it allows.",
            "subscription.plan_changed": "Another plan is in force.",
            "subscription.cancel_scheduled": "The subscription ends with its period.",
            "subscription.end_decided": "An operator ended the subscription, with its period or at once.",
            "subscription.change_decided": "An operator ordered another plan for the customer.",
            "subscription.reactivated": "A scheduled end was taken back.",
            "subscription.past_due": "Stripe could not collect a renewal.",
            "subscription.canceled": "The subscription has ended.",
            "subscription.handed_over": "Stripe bills the subscription from now on.",
        },
    )


def _of_invoices_and_payments() -> None:
    register(
        "billing.invoice",
        {
            "invoice.created": "An invoice was made.",
            "invoice.updated": "An operator wrote an invoice's notes; it names columns, no values.",
            "invoice.paid": "An invoice was paid.",
            "invoice.voided": "An invoice was voided.",
            "invoice.pay_links_withdrawn": "An operator made the links to an invoice open nothing any more.",
        },
    )
    register(
        "billing.payment",
        {
            "payment.submitted": "A customer said that they paid, by bank or wallet.",
            "payment.approved": "An operator found the money.",
            "payment.rejected": "An operator did not find the money.",
            "payment.started": "A payment through a gateway was begun.",
            "payment.processing": "The gateway works on the payment; the money is not there yet.",
            "payment.succeeded": "The gateway has the money.",
            "payment.failed": "The payment failed, and nothing was kept.",
            "payment.canceled": "The payment was given up before anything was charged.",
            "payment.unknown": "The gateway did not answer; it is asked again.",
            "payment.action_required": "The bank wants the customer, who was not there.",
            "payment.needs_review": "Something does not fit; an operator has to look.",
            "payment.review_cleared": "An operator has looked.",
            "payment.return_ordered": "Money that bought nothing is to go back.",
            "payment.returned": "Money that bought nothing has gone back.",
            "payment.refunded": "Money went back, with a credit note.",
            "payment.disputed": "The payer disputes the payment at their bank.",
            "payment.dispute_won": "A dispute was decided for us.",
            "payment.dispute_lost": "A dispute was decided for the payer; what it took goes back.",
            "payment.dispute_closed": "A dispute ended without a decision, and cost nothing.",
        },
    )
    register(
        "billing.refund",
        {
            "refund.started": "A refund through a gateway was begun.",
            "refund.processing": "The gateway works on the refund.",
            "refund.unknown": "The gateway did not answer; it is asked again.",
            "refund.succeeded": "The money has gone back.",
            "refund.failed": "The money did not go back.",
        },
    )
    register(
        "billing.paymentproof",
        {
            "payment_proof.uploaded": "A picture or PDF that shows a payment was uploaded.",
            "payment_proof.deleted": "A proof that no payment used was deleted.",
        },
    )
    register(
        "igny8_auth.account igny8_auth.subscription billing.payment",
        {"gateway.difference": "A gateway's books say something else than ours."},
    )
    register(
        "billing.webhookevent",
        {
            "webhook.dead": "A gateway's message was given up.",
            "webhook.needs_review": "What a gateway has fits nothing here; an operator has to decide.",
            "webhook.set_aside": "An operator has seen to a gateway's message elsewhere.",
            "webhook.replayed": "An operator had a gateway's message processed again.",
        },
    )


def _of_credits() -> None:
    register(
        "billing.credittransaction",
        {
            "credits.granted": "Credits were added, with a trial, a plan or a purchase.",
            "credits.spent": "Credits were used for an operation.",
            "credits.adjusted": "An operator gave or took credits.",
            "credits.expired": "The time of unused credits was over.",
            "credits.taken_back": "Unused credits of a refunded payment were taken back.",
        },
    )
    register("igny8_auth.account", {"credits.low": "A spend brought the balance below the share that is warned of."})


def _of_ways_to_pay() -> None:
    register("igny8_auth.account", {"payment_method.setup_started": "Somebody began to save a card."})
    register(
        "billing.accountpaymentmethod",
        {
            "payment_method.added": "A way to pay was saved.",
            "payment_method.disabled": "Stripe does not have a saved card any more.",
            "payment_method.made_default": "A saved way to pay became the default.",
            "payment_method.removed": "A saved way to pay was removed.",
        },
    )


def _of_configuration() -> None:
    for model, noun, text in [
        ("billing.paymentmethodconfig", "payment_method_config", "What is offered to payers of a country"),
        ("billing.creditcostconfig", "credit_cost", "What an operation costs"),
        ("billing.creditpackage", "credit_package", "A credit package"),
    ]:
        register(model, {f"{noun}.{done}": f"{text} was {done}." for done in ("created", "updated", "deleted")})
