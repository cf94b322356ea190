"""From where somebody asks, as far as a request tells: network, browser, and the mark that our pages leave in it."""

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from igny8_core.common.network import Network, client_network, client_networks

KEPT_FOR = timedelta(days=180)
MARK = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Place:
    """The networks of a request, the narrowest first, and the mark of its browser; empty where it has none.

    `browser` is what people know it by, such as "Firefox on Windows"; empty for a program.
    """

    networks: tuple[Network, ...]
    device: str = ""
    browser: str = ""


def place_of(request: HttpRequest) -> Place:
    """From where a request comes."""
    mark = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    return Place(client_networks(request), mark if MARK.fullmatch(mark) else "", browser_of(request))


def place_with_mark(request: HttpRequest) -> Place:
    """From where a request comes; a browser without a mark gets a new one, which the answer has to take along."""
    place = place_of(request)
    return place if place.device else replace(place, device=secrets.token_urlsafe(32))


def put_mark(response: HttpResponseBase, place: Place) -> None:
    """Have the browser keep its mark. It opens nothing: with it, others' wrong passwords hold nobody up."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        place.device,
        max_age=KEPT_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


# What browsers and systems call themselves, those first that others also pretend to be.
BROWSERS = [
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("SamsungBrowser", "Samsung"),
]
BROWSERS += [("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari")]
SYSTEMS = [("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows")]
SYSTEMS += [("CrOS", "ChromeOS"), ("Mac OS", "macOS"), ("Linux", "Linux")]


def browser_of(request: HttpRequest) -> str:
    """What people know their browser by, such as "Firefox on Windows"; empty for what is none. Nothing more is kept."""
    described = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in BROWSERS if f"{mark}/" in described), "")
    system = next((name for mark, name in SYSTEMS if mark in described), "")
    return f"{browser} on {system}" if browser and system else browser


def device_of(request: HttpRequest) -> str:
    """A hash of the browser's name and the caller's network; neither is stored."""
    described = f"{client_network(request)}|{request.headers.get('User-Agent', '')}"
    return hashlib.sha256(described.encode(errors="replace")).hexdigest()
