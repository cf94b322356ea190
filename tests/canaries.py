"""What the tests use as passwords, tokens, cards and keys, and what must never stand in a line of the log."""

import re

from tests import make

PASSWORDS = (make.PASSWORD, "long and unusual", "hunter2222")
SECRETS = re.compile(
    "|".join(
        (
            *map(re.escape, PASSWORDS),
            # Tokens of logins, signed texts of mailed links and payment pages, the cookie of our pages.
            r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}",
            r":\w{6}:[\w-]{43}(?![\w-])",
            r"\b[0-9a-f]{32}\.[\w-]{43}(?![\w-])",
            # Cards and keys of the stand-ins for the gateways.
            r"4242 ?4242 ?4242 ?4242|4000 ?0000 ?0000 ?0002",
            r"\b(?:sk|rk)_(?:test|live)_\w|\bwhsec_\w|_secret_\w{6}",
        )
    )
)
