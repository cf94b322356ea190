from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "igny8_core.business.billing"
    label = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from igny8_core.business.billing import event_types
        from igny8_core.business.billing.errors import AttemptOpen
        from igny8_core.business.billing.services.collection import gateway_payments
        from igny8_core.business.billing.services.credits import trial
        from igny8_core.business.billing.services.notifications import mails
        from igny8_core.business.billing.services.payment_methods import cards, gateway_customers, kept_cards
        from igny8_core.business.billing.services.renewals import charging
        from igny8_core.common import obstacles
        from igny8_core.events import consumers

        event_types.declare()
        obstacles.register(AttemptOpen, gateway_payments.clear_attempts)
        consumers.register("email", mails.HANDLERS, mails.handle, sends_mail=True)
        consumers.register("trial_credits", {"user.email_verified"}, trial.handle)
        consumers.register("gateways", {"payment_method.removed"}, cards.handle)
        consumers.register(kept_cards.CONSUMER, {"payment.succeeded"}, kept_cards.handle)
        consumers.register(gateway_customers.CONSUMER, {gateway_customers.RELEASED}, gateway_customers.erase)
        consumers.register("renewals", {"payment_method.added", "payment_method.made_default"}, charging.handle)
