from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "igny8_core.web"
    label = "web"
