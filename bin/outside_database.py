"""The PostgreSQL that DATABASE_URL names."""

import contextlib
import urllib.parse

import progress


def check_connection(url: str) -> None:
    """Connect once. Raises progress.Stop with the server's message."""
    import psycopg2  # not at the top: it may not be installed when this module is imported

    try:
        with contextlib.closing(psycopg2.connect(url, connect_timeout=10)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error as problem:
        raise progress.Stop(
            f"Cannot connect to DATABASE_URL={without_password(url)}:\n{progress.tail(str(problem))}\n"
            "Start that server or correct the URL. To use the embedded PostgreSQL, unset DATABASE_URL."
        ) from problem


def without_password(url: str) -> str:
    """The URL without its password, for showing and logging."""
    parts = urllib.parse.urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{credentials.split(':', 1)[0]}{at}{host}", query="").geturl()
