"""The errors that services raise. API, console and pages show their text to people."""

from typing import ClassVar

from igny8_core.common.languages import translated
from igny8_core.common.marks import gettext_noop


class DomainError(Exception):
    """A refusal that a person can act on. When it is raised, nothing has been changed.

    Subclasses are named after the situation and set three class attributes: `code` (the class name in snake case; never
    changes once published), `http_status` (4xx or 503) and `text` (what was wrong, what was expected, what to do),
    marked with gettext_noop and said in the language in which the refusal is raised.

    Parameters: `text` replaces the class's text with a more exact one; `errors` maps input fields to sentences;
    `retry_after`, in seconds, becomes the Retry-After header.
    """

    code: ClassVar[str]
    http_status: ClassVar[int]
    text: str

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for attribute in ("code", "http_status", "text"):
            if not hasattr(cls, attribute):
                raise TypeError(f"{cls.__name__} must set the class attribute {attribute}")

    def __init__(
        self,
        text: str | None = None,
        *,
        errors: dict[str, list[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.text = translated(text or type(self).text)
        self.errors = errors and {name: [translated(one) for one in sentences] for name, sentences in errors.items()}
        self.retry_after = retry_after
        super().__init__(self.text)


class NotFound(DomainError):
    """The object does not exist or belongs to another account. Callers must not be able to tell which."""

    code = "not_found"
    http_status = 404
    text = gettext_noop("Not found.")


class InvalidInput(DomainError):
    """A service, not a serializer, found the input wrong; `errors` names the fields."""

    code = "invalid_input"
    http_status = 400
    text = gettext_noop("Some of the input is not valid. `errors` says what is wrong with each field.")


class TransitionNotAllowed(DomainError):
    """A change of status that the table of transitions does not list."""

    code = "move_not_allowed"
    http_status = 409
    text = gettext_noop("This change of status is not possible. Load the object again to see its current status.")


class TooManyRequests(DomainError):
    """A limit of settings.RATE_LIMITS, where no throttle of DRF counts it."""

    code = "throttled"
    http_status = 429
    text = gettext_noop("This was tried very often in a short time. Wait a minute, then try again.")
