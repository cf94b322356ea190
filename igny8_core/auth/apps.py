from django.apps import AppConfig


class AuthConfig(AppConfig):
    name = "igny8_core.auth"
    # "auth" belongs to django.contrib.auth.
    label = "igny8_auth"
    verbose_name = "Accounts"

    def ready(self) -> None:
        # password_rules registers a deployment check.
        from igny8_core.auth import event_types, password_rules  # noqa: F401
        from igny8_core.auth.services import mails
        from igny8_core.events import consumers

        event_types.declare()
        consumers.register("account_email", mails.HANDLERS, mails.handle, sends_mail=True)
