"""International bank account numbers (ISO 13616)."""

import re

PATTERN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def is_iban(text: str) -> bool:
    """Whether `text`, in capitals and without spaces, has the form and the check digits of an IBAN."""
    if not PATTERN.fullmatch(text):
        return False
    # The country and check digits go last, letters count 10 to 35, and the whole leaves 1 when divided by 97.
    digits = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    return int(digits) % 97 == 1
