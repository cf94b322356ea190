from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "igny8_core.business.billing"
    label = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from igny8_core.business.billing import event_types
        from igny8_core.business.billing.errors import AttemptOpen
        from igny8_core.business.billing.services.collection import gateway_payments
        from igny8_core.business.billing.services.notifications import mails
        from igny8_core.business.billing.services.payment_methods import cards
        from igny8_core.common import obstacles
        from igny8_core.events import consumers

        event_types.declare()
        obstacles.register(AttemptOpen, gateway_payments.clear_attempts)
        consumers.register("email", mails.HANDLERS, mails.handle, sends_mail=True)
        consumers.register("gateways", {"payment_method.removed"}, cards.handle)
