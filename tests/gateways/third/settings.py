"""The third gateway's keys, from the environment."""

from dataclasses import dataclass, field

from igny8_core.settings import environment


@dataclass(frozen=True)
class ThirdSettings:
    """See Keys."""

    secret: str = field(repr=False)
    live: bool = False
    public_key: str = ""

    @property
    def can_check_messages(self) -> bool:
        """See Keys."""
        return True

    @property
    def form_targets(self) -> list[str]:
        """See Keys."""
        return ["https://third.example"]


def read(*, debug: bool) -> ThirdSettings | None:
    """THIRD_SECRET of the environment, or None."""
    secret = environment.text("THIRD_SECRET")
    return ThirdSettings(secret) if secret else None
