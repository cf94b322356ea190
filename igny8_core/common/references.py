"""References of transfers, folded for comparing: two that people take for the same become the same text (PAY-05).

What is folded, and why O is 0: docs/domain.md section 4, Confirm.
"""

import re
import unicodedata

MAX_LENGTH = 100

# Letters of other scripts that look like a Latin capital, below that capital. In lower case some look like another one
# (ν like v); the capitals count, because banks print references in capitals.
_LOOK_ALIKES = {
    "A": "АΑᎪꓮⲀ",
    "B": "ВΒЬᏴꓐⲂ",
    "C": "СϹᏟꓚⲤ",
    "D": "ԀᎠꓓ",
    "E": "ЕΕᎬꓰⲈ",
    "F": "Ϝꓝ",
    "G": "ԌᏀꓖ",
    "H": "НΗҺᎻꓧⲎ",
    "I": "ІΙӀꓲⲒ",
    "J": "ЈͿᎫꓙ",
    "K": "КΚᏦꓗⲔ",
    "L": "ԼᏞꓡ",
    "M": "МΜᎷꓟⲘ",
    "N": "ΝꓠⲚ",
    "O": "ОΟՕꓳⲞ",
    "P": "РΡᏢꓑⲢ",
    "Q": "Ԛ",
    "R": "ᏒꓣⲄ",
    "S": "ЅՏᏚꓢ",
    "T": "ТΤᎢꓔⲦ",
    "U": "Սꓴ",
    "V": "ᏙꓦѴ",
    "W": "ԜᎳꓪ",
    "X": "ХΧꓫⲬ",
    "Y": "УΥҮᎽꓬⲨ",
    "Z": "ΖᏃꓜⲌ",
    "3": "З",
}
# Latin letters with a stroke, and small capitals, which no normal form takes apart.
_LATIN = {
    "A": "ɑⱯᴀ",
    "B": "ʙ",
    "C": "ᴄ",
    "D": "Đđᴅ",
    "E": "ᴇ",
    "F": "ꜰ",
    "G": "ɡɢ",
    "H": "Ħħʜ",
    "I": "ıɪƗ",
    "J": "ȷᴊ",
    "K": "ᴋ",
    "L": "Łłʟ",
    "M": "ᴍ",
    "N": "ɴ",
    "O": "Øøᴏ",
    "P": "ᴘ",
    "R": "ʀ",
    "S": "ꜱ",
    "T": "Ŧŧᴛ",
    "U": "ᴜ",
    "V": "ᴠ",
    "W": "ᴡ",
    "Y": "ʏ",
    "Z": "Ƶƶᴢ",
}
# One letter that keyboards of Arabic, Persian and Urdu send differently.
_ARABIC = {"ي": "ىی", "ك": "ک", "ه": "ةہھەۀ"}
# People and programs that read text from pictures take these for each other. O and 0 first, then the thin ones.
_MISREAD = {"0": "O", "1": "IL"}


def _table(*groups: dict[str, str]) -> dict[int, str]:
    return {ord(letter): plain for group in groups for plain, letters in group.items() for letter in letters}


# Before the normal form: it makes a sigma of the lunate sigma, which looks like a C.
_FIRST = _table({"C": "Ϲϲ", "J": "ϳ"}, _LATIN)
_LAST = _table(_LOOK_ALIKES, _LATIN, _ARABIC)
_AT_THE_END = _table(_MISREAD)
# Not the modifier letters, such as the line that stretches Arabic words.
_IGNORED = frozenset({"Lm"})


def folded_reference(reference: str) -> str:
    """The reference for comparing, or an empty text if nothing is left of it.

    Without case, spaces, dashes, other marks and accents; digits of every script are those of ASCII, look-alikes are
    Latin letters, O is 0, and I and L are 1. It is no longer than MAX_LENGTH.
    """
    plain = unicodedata.normalize("NFKD", reference.translate(_FIRST)).upper()
    plain = unicodedata.normalize("NFKD", plain).translate(_LAST)
    return "".join(map(_character, plain)).translate(_AT_THE_END)[:MAX_LENGTH]


def with_plain_digits(text: str) -> str:
    """`text` with the digits of every script as those of ASCII; all else stays."""
    return "".join(_digit(character) or character for character in text)


def as_number(text: str) -> str:
    """The number that is written in `text`, as Decimal reads it, or an empty text if it is none.

    In digits of any script, with a point or comma before at most three decimals, and marks between thousands.
    """
    plain = with_plain_digits(unicodedata.normalize("NFKC", text)).replace("٫", ".").replace("٬", ",").strip()
    if re.fullmatch(r"[0-9]{1,3}(?:[,' ][0-9]{3})+(?:\.[0-9]{1,3})?", plain):
        return re.sub("[,' ]", "", plain)
    # 1.234,50, as people write it where a comma stands before the cents.
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,3}", plain):
        return plain.replace(".", "").replace(",", ".")
    return plain.replace(",", ".") if re.fullmatch(r"[0-9]{1,12}(?:[.,][0-9]{1,3})?", plain) else ""


def _character(character: str) -> str:
    if not character.isalnum() or unicodedata.category(character) in _IGNORED:
        return ""
    return _digit(character) or character


def _digit(character: str) -> str:
    """0 to 9 if the character is a digit of any script, those of Chinese included; otherwise an empty text."""
    value = unicodedata.numeric(character, -1)
    return str(int(value)) if value in range(10) else ""
