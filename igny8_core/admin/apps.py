from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django's admin application with the operators' console as its site."""

    default_site = "igny8_core.admin.site.ConsoleSite"

    def ready(self) -> None:
        super().ready()
        # They register themselves, and need the app registry.
        from igny8_core.admin import event_log, operator_log, request_records  # noqa: F401
