"""Reads environment variables, with their types. A wrong value stops the start with a sentence that names it."""

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

DEBUG_SECRET = "only-for-debug-" * 5
# As browsers send it: small letters, no path, a port only where it is not the usual one.
ORIGIN = re.compile(r"(https?)://([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?")
USUAL_PORTS = {"http": 80, "https": 443}
THIS_MACHINE = {"localhost", "127.0.0.1", "[::1]"}
RANDOM_TEXT_COMMAND = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
MAIL_SERVER_EXAMPLE = "smtp://user:password@mail.example.com:587?tls=1"


def text(name: str, default: str = "") -> str:
    """The variable as text without surrounding white space. An empty one counts as not set."""
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
    """A whole number, 0 or greater. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit()):
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a whole number.")
    return int(value)


def at_least_one(name: str, default: int) -> int:
    """A whole number ≥ 1. Raises ImproperlyConfigured for anything else."""
    value = number(name, default)
    if value == 0:
        raise ImproperlyConfigured(f"{name} is 0. Set it to 1 or more.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def origins(name: str, *, debug: bool) -> list[str]:
    """Origins of web pages, separated by commas: https://, host name, and the port where it is not the usual one.

    http:// is for pages of this machine, and under DEBUG for any. Raises ImproperlyConfigured naming the variable.
    """
    values = words(name)
    for value in values:
        if not _is_origin(value, debug=debug):
            raise ImproperlyConfigured(
                f"{name} has {value!r}, which is no origin as browsers send it. Name each as scheme and host in small "
                "letters, without a path or a slash at the end, for example https://www.example.com,"
                "https://shop.example.com:8443. * is not taken, and http:// only for localhost."
            )
    return values


def _is_origin(value: str, *, debug: bool) -> bool:
    parts = ORIGIN.fullmatch(value)
    if not parts:
        return False
    scheme, host, port = parts.groups()
    if port and (int(port) > 65535 or int(port) == USUAL_PORTS[scheme]):
        return False
    return scheme == "https" or debug or host in THIS_MACHINE


def secret(name: str, *, debug: bool) -> str:
    """A secret of at least 50 characters. Under DEBUG it can be missing; then a fixed one is used.

    Raises ImproperlyConfigured naming the variable.
    """
    value = text(name)
    if not value and debug:
        return DEBUG_SECRET
    if not _is_strong(value) or (value == DEBUG_SECRET and not debug):
        raise ImproperlyConfigured(
            f"{name} is missing or too weak. Set it to at least 50 random characters, for example the output of: "
            f"{RANDOM_TEXT_COMMAND}"
        )
    return value


def optional_secret(name: str, *, debug: bool) -> str:
    """A secret that can be missing; then the text is empty. Outside DEBUG it keeps the rule of `secret`.

    Raises ImproperlyConfigured naming the variable.
    """
    value = text(name)
    if value and not debug and (not _is_strong(value) or value == DEBUG_SECRET):
        raise ImproperlyConfigured(
            f"{name} is too weak: somebody could guess it. Set it to at least 50 random characters, for example the "
            f"output of: {RANDOM_TEXT_COMMAND}. Or leave it out."
        )
    return value


def hosts(name: str, *, debug: bool) -> list[str]:
    """Host names of the site, separated by commas; `.example.com` is the domain and all names below it.

    Under DEBUG it can be missing; then it is this machine. Raises ImproperlyConfigured naming the variable.
    """
    values = words(name, "localhost,127.0.0.1,[::1]" if debug else "")
    if debug:
        return values
    if not values:
        raise ImproperlyConfigured(f"{name} is missing. Set it to the host names of this site, separated by commas.")
    if any("*" in value for value in values):
        raise ImproperlyConfigured(
            f"{name} has a *. Anybody could then put a host of theirs into our answers. Name the hosts of this site, "
            "for example app.example.com,www.example.com, or .example.com for a domain and all names below it."
        )
    return values


def secrets_of_before(name: str) -> list[str]:
    """Old secrets whose signatures are still accepted, separated by commas.

    Raises ImproperlyConfigured for a weak one, because whoever guesses it could sign with it.
    """
    values = words(name)
    if not all(_is_strong(value) and value != DEBUG_SECRET for value in values):
        raise ImproperlyConfigured(f"{name} has a key that is too weak. Each key needs at least 50 random characters.")
    return values


def _is_strong(value: str) -> bool:
    return len(value) >= 50 and len(set(value)) >= 10


def database_url(var: Path) -> str:
    """DATABASE_URL, else the embedded PostgreSQL's address, which bin/run wrote to `var`/database_url.

    Raises ImproperlyConfigured if there is neither.
    """
    if text("DATABASE_URL"):
        return text("DATABASE_URL")
    noted = var / "database_url"
    if noted.exists():
        return noted.read_text().strip()
    raise ImproperlyConfigured(
        "There is no database. Start bin/run, which brings an embedded PostgreSQL, or set DATABASE_URL, for example "
        "to postgresql://user:password@host:5432/igny8."
    )


def email_settings(url: str, *, debug: bool) -> dict[str, object]:
    """Django's EMAIL_* settings from one URL.

    `console://` prints mails, `file:///some/folder` writes them, `smtp://user:password@host:587?tls=1` (or `smtps://`
    for TLS from the first byte) sends them. Outside DEBUG mails have to be sent, and with TLS unless the mail server is
    on this machine. Raises ImproperlyConfigured for anything else.
    """
    parts = urlsplit(url)
    backend = {"console": "console", "file": "filebased", "smtp": "smtp", "smtps": "smtp"}.get(parts.scheme)
    if backend is None:
        raise ImproperlyConfigured(
            f"EMAIL_URL starts with {parts.scheme!r}. Use console://, file:///folder, smtp://host or smtps://host."
        )
    starts_tls = parse_qs(parts.query).get("tls") == ["1"]
    if not debug:
        _require_delivery(parts, backend, has_tls=starts_tls or parts.scheme == "smtps")
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend",
        "EMAIL_FILE_PATH": unquote(parts.path) if backend == "filebased" else None,
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": starts_tls,
        "EMAIL_TIMEOUT": 10,
    }


def _require_delivery(parts: SplitResult, backend: str, *, has_tls: bool) -> None:
    if backend != "smtp":
        raise ImproperlyConfigured(
            f"EMAIL_URL is {parts.scheme}://, which sends no mail: nobody could confirm an address or choose a new "
            f"password. Set it to your mail server, for example {MAIL_SERVER_EXAMPLE}."
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "localhost"
    if not has_tls and host not in THIS_MACHINE:
        raise ImproperlyConfigured(
            "EMAIL_URL names a mail server without TLS, so others could read its password and the links in mails. Add "
            f"?tls=1, for example {MAIL_SERVER_EXAMPLE}, or write smtps:// for TLS from the first byte. "
            "Without TLS only a mail server on this machine is taken (localhost)."
        )


def file_storage(folder: Path) -> dict[str, object]:
    """Django's storage for files: S3 if AWS_STORAGE_BUCKET_NAME is set, else `folder`. Files are private in both.

    Raises ImproperlyConfigured if one of two keys is missing, or for an endpoint that is no address.
    """
    bucket = text("AWS_STORAGE_BUCKET_NAME")
    if not bucket:
        backend = "django.core.files.storage.FileSystemStorage"
        modes = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
        return {"BACKEND": backend, "OPTIONS": {"location": folder, **modes}}
    key, secret_key = text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY")
    if bool(key) != bool(secret_key):
        raise ImproperlyConfigured(
            "Just one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set. Set both, or neither to use the machine's "
            "role."
        )
    endpoint = text("AWS_S3_ENDPOINT_URL")
    if endpoint and not endpoint.startswith(("https://", "http://")):
        raise ImproperlyConfigured(
            f"AWS_S3_ENDPOINT_URL is {endpoint!r}. Set it to an address with https://, or leave it out for AWS."
        )
    options = {
        "bucket_name": bucket,
        "access_key": key or None,
        "secret_key": secret_key or None,
        "region_name": text("AWS_S3_REGION_NAME") or None,
        "endpoint_url": endpoint or None,
        "default_acl": None,
        "querystring_auth": True,
        "querystring_expire": 300,
        "file_overwrite": False,
        "object_parameters": {"CacheControl": "private, no-store"},
        "client_config": _s3_client_config(path_style=bool(endpoint)),
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def _s3_client_config(*, path_style: bool) -> object:
    # Imported here, because installations without S3 do not need it.
    from botocore.config import Config

    return Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"total_max_attempts": 2, "mode": "standard"},
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "auto"},
        # S3 of other providers does not support the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
