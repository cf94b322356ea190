"""Loads the site before a process takes requests, so that its first requests are not slow."""

import logging
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http.request import split_domain_port
from rest_framework.serializers import Serializer

from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

# These run through the whole stack without the database, because forked workers must not share a connection.
ADDRESSES = ("/healthz/", "/api/v1/auth/me/", "/api/v1/billing/credits/usage/")


def warm(application: WSGIHandler) -> None:
    """Load every address and view, make the serializers' fields, and answer a few requests of our own.

    No query is sent and no connection is left open, because worker processes are forked from this one.
    """
    # The requests have no token. Their refusals would look like an attack in the log of each start.
    logging.disable(logging.WARNING)
    try:
        for address in ADDRESSES:
            _answer(application, address)
    finally:
        logging.disable(logging.NOTSET)
        connections.close_all()
    for kind in (*_kinds(OutputSerializer), *_kinds(StrictSerializer)):
        list(kind().fields)


def _answer(application: WSGIHandler, address: str) -> None:
    host = (settings.ALLOWED_HOSTS or ["localhost"])[0].lstrip("*.") or "localhost"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": address,
        "QUERY_STRING": "",
        "SERVER_NAME": split_domain_port(host)[0],
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": host,
        "HTTP_X_FORWARDED_PROTO": "https",
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(),
    }
    response = application(environ, _unheard)
    b"".join(response)
    response.close()


def _unheard(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
    return lambda _: None


def _kinds(root: type[Serializer[Any]]) -> Iterator[type[Serializer[Any]]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _kinds(kind)
