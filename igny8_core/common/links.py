"""Which links of strangers are shown to our people."""

import re
from urllib.parse import urlsplit

# RFC 3986 section 2; in particular no white space, control characters, quotes, angle brackets or backslashes,
# which parsers and browsers read differently.
URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
# Dotted, and the last label has a letter at its start: so no address literal in any notation that browsers accept.
PUBLIC_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
# Reserved for private networks, tests and examples (RFC 2606, RFC 6761, RFC 6762, RFC 8375, ICANN on .internal),
# and names that private networks use though nobody reserved them.
PRIVATE_TOP_LABELS = frozenset(
    "local localhost localdomain internal intranet lan home corp private invalid test example onion arpa".split()
)


def why_not_public_https(url: str) -> str | None:
    """A sentence on what is wrong with `url` as an https link to a public host, or None when nothing is."""
    if not URL_CHARACTERS.fullmatch(url):
        return "A link has only plain ASCII characters without spaces; percent-encode others."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is not a link. Expected something like https://example.com/receipt.png."
    if parts.scheme != "https" or not url.lower().startswith("https://"):
        return "The link must start with https://."
    if "@" in parts.netloc:
        return "The link must not hold a user name or password."
    if port not in (None, 443) or parts.netloc.endswith(":"):
        return "The link must not name a port."
    host = parts.hostname or ""
    if len(host) > 253 or not PUBLIC_HOST.fullmatch(host) or host.rpartition(".")[2] in PRIVATE_TOP_LABELS:
        return "The link must point to a public host name, such as example.com; addresses in numbers are not taken."
    return None
