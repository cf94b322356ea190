"""The database of the running tests, for the processes that tests start."""

import os
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection


def database_url() -> str:
    """DATABASE_URL of the test database: on a server with host and port as on a socket."""
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def process_environment(**more: str) -> dict[str, str]:
    """Environment of a process of ours that works on the test database and trusts the tests' tokens."""
    shared = {
        "DATABASE_URL": database_url(),
        "DJANGO_DEBUG": "1",
        "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
        "THROTTLING": "off",
        "EMAIL_URL": "console://",
    }
    unset = {"REDIS_URL", "CELERY_BROKER_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}

    return {**kept, **shared, **more}
