"""The caller's IP address and network."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or "unknown" if the socket has none.

    Of X-Forwarded-For, the last settings.TRUSTED_PROXY_COUNT entries are trusted: our own proxies append them. The
    caller can write anything before them (AUT-17).
    """
    socket_address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    proxies: int = settings.TRUSTED_PROXY_COUNT
    claimed = forwarded[-proxies].strip() if 0 < proxies <= len(forwarded) else socket_address
    return _normal(claimed) or _normal(socket_address) or "unknown"


def client_network(request: HttpRequest) -> str:
    """The caller's network, for rate limits: an IPv4 address, or the /64 network that an IPv6 customer gets."""
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
        # Without the scope: `%eth0` is the name of a local interface.
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)
