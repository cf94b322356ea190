"""Checks the links that customers send and operators click."""

import re
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

# RFC 3986 section 2. Excludes white space, control characters, quotes, angle brackets and backslashes, which parsers
# and browsers read differently.
URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
# Has a dot, and its last label begins with a letter. So it is no IP address in any notation that browsers accept.
PUBLIC_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
# Reserved for private networks, tests and examples (RFC 2606, RFC 6761, RFC 6762, RFC 8375, ICANN for .internal), and
# names that private networks use without being reserved.
PRIVATE_TOP_LABELS = frozenset(
    "local localhost localdomain internal intranet lan home corp private invalid test example onion arpa".split()
)


def why_not_public_https(url: str) -> str | None:
    """A sentence that says why `url` is no https link to a public host, or None."""
    if not URL_CHARACTERS.fullmatch(url):
        return _("A link can have ASCII characters without spaces. Percent-encode other characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return _("This is not a link. Write it like https://example.com/receipt.png.")
    if parts.scheme != "https" or not url.lower().startswith("https://"):
        return _("The link must start with https://.")
    if "@" in parts.netloc:
        return _("The link must not contain a user name or password.")
    if port not in (None, 443) or parts.netloc.endswith(":"):
        return _("The link must not contain a port.")
    host = parts.hostname or ""
    if len(host) > 253 or not PUBLIC_HOST.fullmatch(host) or host.rpartition(".")[2] in PRIVATE_TOP_LABELS:
        return _("The link must point to a public host name, such as example.com, not to an IP address.")
    return None
