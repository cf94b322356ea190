"""Who is calling, as far as the network can tell."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or "unknown" behind a socket that has none.

    X-Forwarded-For is believed only for the settings.TRUSTED_PROXY_COUNT entries that our own proxies appended at
    its end: everything before them is the caller's own claim (AUT-17).
    """
    socket_address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.TRUSTED_PROXY_COUNT
    claimed = forwarded[-proxies].strip() if 0 < proxies <= len(forwarded) else socket_address
    return _normal(claimed) or _normal(socket_address) or "unknown"


def client_network(request: HttpRequest) -> str:
    """The caller's network for limits: an IPv4 address, or the /64 that one IPv6 customer can use freely."""
    address = client_address(request)
    if ":" not in address:
        return address
    return str(ipaddress.IPv6Network((address, 64), strict=False))


def _normal(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        # Without the scope: `%eth0` is the local name of an interface.
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)
