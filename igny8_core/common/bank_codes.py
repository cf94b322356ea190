"""IBAN (ISO 13616) and BIC (ISO 9362): their form and check digits. Whether a bank exists is never asked."""

import re

from igny8_core.common.countries import COUNTRY_NAMES

# Kosovo, which banks write as XK and ISO 3166 has no code for.
KOSOVO = "XK"


def why_not_iban(text: str) -> str | None:
    """A sentence on what is wrong with `text`, in capitals and without spaces, as an IBAN; None when nothing is."""
    # Here and below, not above: the library takes a tenth of a second to load, and only operators need it.
    from schwifty import IBAN
    from schwifty.exceptions import InvalidChecksumDigits, InvalidCountryCode, InvalidLength, SchwiftyException

    expected = "An IBAN is expected, for example GB29 NWBK 6016 1331 9268 19: check which are letters and which digits."
    # The library takes the digits of every script.
    if not text.isascii():
        return expected
    iban = IBAN(text, allow_invalid=True)
    try:
        # Without the digits that some countries check inside: banks number accounts that break their rules.
        iban.validate()
    except InvalidCountryCode:
        return f"An IBAN begins with its country, and {text[:2]} has none. Expected: GB29 NWBK 6016 1331 9268 19."
    except InvalidLength:
        country = COUNTRY_NAMES.get(text[:2], text[:2])
        return f"An IBAN of {country} has {iban.spec.iban_length} characters; this one has {len(text)}."
    except InvalidChecksumDigits:
        return "The IBAN's check digits do not fit: a character is wrong or two are swapped. Compare each one."
    except SchwiftyException:
        return expected
    return None


def why_not_bic(text: str) -> str | None:
    """A sentence on what is wrong with `text` as a BIC in capitals, also called SWIFT code; None when nothing is."""
    from schwifty import BIC
    from schwifty.exceptions import InvalidCountryCode, InvalidLength, SchwiftyException

    if not re.fullmatch("[A-Z0-9]+", text):
        return "Capital letters and digits are expected, without spaces."
    try:
        BIC(text)
    except InvalidLength:
        return f"A SWIFT code (BIC) has 8 or 11 characters, for example DEUTDEFF; this one has {len(text)}."
    except InvalidCountryCode:
        if text[4:6] == KOSOVO:
            return None
        return f"The fifth and sixth character of a SWIFT code name the country, and {text[4:6]} is none."
    except SchwiftyException:
        return "A SWIFT code (BIC) is expected: bank, country, place and perhaps branch, for example DEUTDEFF500."
    return None
