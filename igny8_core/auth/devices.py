"""Which device asks, as far as a request tells: enough to tell two tabs of one browser from somebody elsewhere."""

import hashlib

from django.http import HttpRequest

from igny8_core.common.network import client_network


def device_of(request: HttpRequest) -> str:
    """A hash of the browser's name and the caller's network; neither is stored."""
    described = f"{client_network(request)}|{request.headers.get('User-Agent', '')}"
    return hashlib.sha256(described.encode(errors="replace")).hexdigest()
