"""Names that people give themselves and their accounts: what is no name, and how a name stands in our mails (OUT-09).

Whoever chooses a name writes into the mails that name it. So a name holds no link, no address and no telephone number;
and where it is printed in a mail, what got in before this rule, or by another way, leads nowhere either.
"""

import re

from django.utils.translation import gettext as _

# A scheme, www., an address, or a host with a path.
LINK = re.compile(r"://|\bwww\.|@|\w\.[^\W\d_]{2,}[/?#]", re.IGNORECASE)
# A dot between letters without a space, as in a host name.
HOST = re.compile(r"\w\.[^\W\d_]{2}")
# What telephones dial: + and seven digits, or nine digits without. Companies are called 1234567 Ontario Inc.
TELEPHONE = re.compile(r"\+(?:[\s().\-/]*\d){7,}|\d(?:[\s().\-/]*\d){8,}")
# What mail programs turn into a link: a scheme, or a dot before a possible top-level domain.
LINK_LIKE = re.compile(r":(?=//)|(?<=\w)(?=\.[^\W\d_]{2})")
SHOUTED = re.compile(r"\b[^\W\d_]{5,}\b")
LONGEST_IN_MAIL = 80


def why_no_name(text: str, *, may_be_host: bool = False) -> str | None:
    """A sentence that says why `text` cannot be a name, or None. With `may_be_host`, Booking.com is one."""
    if LINK.search(text) or (not may_be_host and HOST.search(text)):
        return _("A name cannot be a link or an e-mail address. Leave it out, or put a space behind the dot.")
    if TELEPHONE.search(text):
        return _("A name cannot contain a telephone number. Leave it out.")
    return None


def without_links(text: str) -> str:
    """`text` of customers, changed so that mail programs make no link of it."""
    return LINK_LIKE.sub(lambda found: f"{found[0]} ", text)


def in_mail(name: str) -> str:
    """A name as it stands in a mail: one line of moderate length that nobody can click, call or be shouted at by."""
    line = TELEPHONE.sub("…", " ".join(name.split()))
    line = SHOUTED.sub(lambda word: word[0].capitalize() if word[0].isupper() else word[0], line)
    if len(line) > LONGEST_IN_MAIL:
        line = f"{line[: LONGEST_IN_MAIL - 1].rstrip()}…"
    return without_links(line)
