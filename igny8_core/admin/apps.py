from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """Django's admin application with the operators' console as its site."""

    default_site = "igny8_core.admin.site.ConsoleSite"

    def ready(self) -> None:
        super().ready()
        # These modules register their pages, which needs the app registry.
        from igny8_core.admin import (  # noqa: F401
            accounts,
            delivery,
            event,
            lane,
            limit_hit,
            operator_log,
            rate_counter,
            stored_answer,
            task_run,
        )
