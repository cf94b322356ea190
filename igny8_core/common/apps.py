"""The app with what every other app uses."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Loads the system checks, and limits how long this process waits for the database."""

    name = "igny8_core.common"
    label = "common"

    def ready(self) -> None:
        # checks and converters register what they define, which needs the app registry.
        from django.conf import settings

        from igny8_core.common import checks  # noqa: F401
        from igny8_core.common.api import converters  # noqa: F401
        from igny8_core.common.database_patience import be_patient

        be_patient(settings.DATABASE_STATEMENT_SECONDS)
