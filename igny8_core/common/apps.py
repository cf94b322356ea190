"""The app with what every other app uses."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Loads the system checks."""

    name = "igny8_core.common"
    label = "common"

    def ready(self) -> None:
        # Both modules register what they define, which needs the app registry.
        from igny8_core.common import checks  # noqa: F401
        from igny8_core.common.api import converters  # noqa: F401
