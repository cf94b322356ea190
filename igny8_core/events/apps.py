from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "igny8_core.events"
    label = "events"
    verbose_name = "Events"
