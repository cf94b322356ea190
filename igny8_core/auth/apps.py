from django.apps import AppConfig


class AuthConfig(AppConfig):
    name = "igny8_core.auth"
    # "auth" belongs to django.contrib.auth.
    label = "igny8_auth"
    verbose_name = "Accounts"
