"""The caller's IP address and the networks that it is in."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest


class Network(NamedTuple):
    """A network that is counted; it may do `times` as much as one customer's."""

    name: str
    times: int


# One customer of an IPv6 provider has a /64 at least and a /48 at most, so counting /64s alone would give one person
# 65,536 limits. A wider network is shared by more people: it may do more, but not as much as all its parts together.
WIDER_IPV6 = ((64, 1), (56, 2), (48, 4))
# Whole offices and mobile networks stand behind one IPv4 address. A /24 is often rented as a whole.
WIDER_IPV4 = ((32, 1), (24, 4))


def client_address(request: HttpRequest) -> str:
    """The caller's IP address, or "unknown" if the socket has none.

    Of X-Forwarded-For, the last settings.TRUSTED_PROXY_COUNT entries are trusted: our own proxies append them. The
    caller can write anything before them (AUT-17).
    """
    meta = request.META
    return _address(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXY_COUNT)


def client_networks(request: HttpRequest) -> tuple[Network, ...]:
    """The networks of the caller, the narrowest first: IPv6 /64, /56, /48; IPv4 the address and its /24."""
    meta = request.META
    return _networks(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXY_COUNT)


def client_network(request: HttpRequest) -> str:
    """The caller's narrowest network: an IPv4 address, or the /64 network that an IPv6 customer gets."""
    return client_networks(request)[0].name


@lru_cache(maxsize=4096)
def networks_of(address: str) -> tuple[Network, ...]:
    """The networks of an address as `client_address` gives it, the narrowest first."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return (Network(address, 1),)
    wider = WIDER_IPV6 if parsed.version == 6 else WIDER_IPV4
    return tuple(Network(_network(address, length), times) for length, times in wider)


# Every request asks for it, most of them from the same few addresses.
@lru_cache(maxsize=4096)
def _networks(socket_address: str, forwarded_for: str, proxies: int) -> tuple[Network, ...]:
    return networks_of(_address(socket_address, forwarded_for, proxies))


def _address(socket_address: str, forwarded_for: str, proxies: int) -> str:
    forwarded = forwarded_for.split(",")
    claimed = forwarded[-proxies].strip() if 0 < proxies <= len(forwarded) else socket_address
    return _normal(claimed) or _normal(socket_address) or "unknown"


def _network(address: str, length: int) -> str:
    network = ipaddress.ip_network((address, length), strict=False)
    return str(network.network_address) if length == network.max_prefixlen else str(network)


def _normal(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        # Without the scope: `%eth0` is the name of a local interface.
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)
