from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "igny8_core.business.billing"
    label = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from igny8_core.business.billing import event_types
        from igny8_core.business.billing.errors import AttemptOpen
        from igny8_core.business.billing.services import card_service, gateway_payments, notification_service
        from igny8_core.common import obstacles
        from igny8_core.events import consumers

        event_types.declare()
        obstacles.register(AttemptOpen, gateway_payments.clear_attempts)
        consumers.register("email", notification_service.HANDLERS, notification_service.handle)
        consumers.register("gateways", {"payment_method.removed"}, card_service.handle)
