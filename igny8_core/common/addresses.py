"""E-mail addresses: which ones are taken, and which of them lead to the same mailbox."""

import ipaddress
import re

from django.core.exceptions import ValidationError

from igny8_core.common.marks import gettext_noop

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
# Plain words with dots between them; and a host name with a dot. No quotes, no comments, no [10.0.0.5].
LOCAL = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
ADDRESS = re.compile(rf"({LOCAL})@((?:{LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{1,58}}[a-z0-9]))", re.ASCII)
MAX_LOCAL = 64
# Where no mail goes. Addresses of people who were erased end so (common/mail.py).
NOWHERE = (".invalid", ".localhost", ".onion", ".arpa")
EXPECTED = gettext_noop("An e-mail address in plain ASCII is expected, for example name@example.com.")


def is_address(text: str) -> bool:
    """Whether a text in small letters is an address that we take."""
    found = ADDRESS.fullmatch(text) if len(text) <= MAX_LENGTH else None
    return found is not None and len(found[1]) <= MAX_LOCAL and not f".{found[2]}".endswith(NOWHERE)


def validate_address(text: str) -> None:
    """A validator of Django: refuses what `is_address` refuses, in any case of letters. Raises ValidationError."""
    if not is_address(text.strip().lower()):
        raise ValidationError(EXPECTED, code="invalid_email")


# Providers with several names for the same mailboxes.
SAME_PROVIDER = {
    "googlemail.com": "gmail.com",
    **dict.fromkeys(("protonmail.com", "pm.me", "protonmail.ch"), "proton.me"),
    **dict.fromkeys(("me.com", "mac.com"), "icloud.com"),
    **dict.fromkeys(("ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua"), "yandex.ru"),
}
# What providers do not look at in the part before the @.
IGNORED = {"gmail.com": ".", "proton.me": ".-_", "yandex.ru": ".-"}
# What begins a part that people choose freely; everywhere a +.
TAGS = {"yahoo.com": "+-", "ymail.com": "+-", "rocketmail.com": "+-"}
SUBDOMAINS = ("fastmail.com", "fastmail.fm")


def mailbox_of(address: str) -> str:
    """One text for all addresses that lead to the same mailbox, as far as the providers' rules are known.

    Tags behind a + are left out everywhere, quotes and comments too, dots where the provider does not look at them. A
    domain is written as DNS knows it. Two people never share a mailbox by this at the providers named here.
    """
    local, _, domain = re.sub(r'["\\]|\([^()]*\)', "", address.strip().casefold()).rpartition("@")
    domain = _ascii(domain.rstrip("."))
    domain = SAME_PROVIDER.get(domain, domain)
    for provider in SUBDOMAINS:
        if domain.endswith(f".{provider}"):
            local, domain = domain.removesuffix(f".{provider}").rpartition(".")[2], provider
    tags = TAGS.get(domain, "+")
    # An address that begins with its tag has nothing but the tag.
    local = re.split(f"[{re.escape(tags)}]", local, maxsplit=1)[0] or local
    return f"{local.translate({ord(sign): None for sign in IGNORED.get(domain, '')})}@{domain}"


def _ascii(domain: str) -> str:
    try:
        return str(ipaddress.ip_address(domain.strip("[]").removeprefix("ipv6:")))
    except ValueError:
        pass
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
