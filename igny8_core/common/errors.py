"""The one family of errors that services raise and doors translate for people."""

from typing import ClassVar


class DomainError(Exception):
    """A refusal that a person can act on; nothing has been changed when it is raised.

    Subclasses name the situation and set three class attributes: `code` (snake case of the class name, never
    changed once published), `http_status` (4xx or 503) and `text` (what was wrong, what was expected, what to do).

    Parameters: `text` replaces the class's sentence where a concrete one helps more; `errors` maps input fields to
    sentences; `retry_after` is in seconds and goes into the Retry-After header.
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
        self.text = text or type(self).text
        self.errors = errors
        self.retry_after = retry_after
        super().__init__(self.text)


class NotFound(DomainError):
    """Absent, or another account's: the two must look the same from outside."""

    code = "not_found"
    http_status = 404
    text = "Not found."


class InvalidInput(DomainError):
    """Input that a service, not a serializer, found wrong; `errors` names the fields."""

    code = "invalid_input"
    http_status = 400
    text = "Some of the input is not valid. See 'errors' for each field."


class TransitionNotAllowed(DomainError):
    """A status change that the table of moves does not list."""

    code = "move_not_allowed"
    http_status = 409
    text = "This change of status is not possible."
