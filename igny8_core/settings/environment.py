"""Typed reading of environment variables: each is read once, at start, and a bad one stops the start by name."""

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DEBUG_SECRET = "only-for-debug-" * 5


def text(name: str, default: str = "") -> str:
    """The variable as text without surrounding white space; one that is set to nothing counts as not set."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """A switch: 1, true, yes, on or 0, false, no, off. Raises ImproperlyConfigured for anything else."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to on or off.")


def number(name: str, default: int) -> int:
    """A whole number ≥ 0. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a whole number.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret(name: str, *, debug: bool) -> str:
    """A secret of at least 50 characters; only under DEBUG may it be missing, and a fixed one is used then.

    Raises ImproperlyConfigured naming the variable.
    """
    value = text(name)
    if not value and debug:
        return DEBUG_SECRET
    if len(value) < 50 or len(set(value)) < 10 or (value == DEBUG_SECRET and not debug):
        raise ImproperlyConfigured(
            f"{name} is missing or too weak. Set it to at least 50 random characters, for example the output of: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    return value


def database_url(var: Path) -> str:
    """DATABASE_URL, else the embedded PostgreSQL that the launcher noted in `var`/database_url.

    Raises ImproperlyConfigured when there is neither.
    """
    if text("DATABASE_URL"):
        return text("DATABASE_URL")
    noted = var / "database_url"
    if noted.exists():
        return noted.read_text().strip()
    raise ImproperlyConfigured(
        "There is no database. Start bin/run (it brings an embedded PostgreSQL) or set DATABASE_URL, "
        "for example postgresql://user:password@host:5432/igny8."
    )


def email_settings(url: str) -> dict[str, object]:
    """Django's EMAIL_* settings from one address.

    `console://` prints mails, `file:///some/folder` writes them, `smtp://user:password@host:587?tls=1` (or `smtps://`
    for TLS from the first byte) sends them. Raises ImproperlyConfigured for anything else.
    """
    parts = urlsplit(url)
    backend = {"console": "console", "file": "filebased", "smtp": "smtp", "smtps": "smtp"}.get(parts.scheme)
    if backend is None:
        raise ImproperlyConfigured(
            f"EMAIL_URL starts with {parts.scheme!r}. Use console://, file:///folder or smtp://host"
        )
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend",
        "EMAIL_FILE_PATH": unquote(parts.path) if backend == "filebased" else None,
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parse_qs(parts.query).get("tls") == ["1"],
        "EMAIL_TIMEOUT": 20,
    }
