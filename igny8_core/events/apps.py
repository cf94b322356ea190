from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "igny8_core.events"
    label = "events"
    verbose_name = "Events"

    def ready(self) -> None:
        from igny8_core.events import consumers, registry, resending

        dropped = "An operator let go of a delivery that was given up. The event says why."
        registry.register("events.delivery", {"delivery.dropped": dropped})
        registry.register("events.event", {resending.RESENT: "An operator sent a mail again."})
        consumers.register("mail_again", [resending.RESENT], resending.handle, sends_mail=True)
