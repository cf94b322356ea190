from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "igny8_core.business.billing"
    label = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from igny8_core.business.billing import event_types
        from igny8_core.business.billing.services import card_service, notification_service
        from igny8_core.events import consumers

        event_types.declare()
        consumers.register("email", notification_service.HANDLERS, notification_service.handle)
        consumers.register("gateways", {"payment_method.removed"}, card_service.handle)
