"""What text of people may contain: readable in any script, storable, and shown as it is read (INP-03)."""

import re
import unicodedata

# Control, format (bidi, zero-width), surrogate, private use, line and paragraph separator.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Letters and marks that show as nothing, which the categories do not tell.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
ZERO_WIDTH_JOINER = "\u200d"
# Scripts stack up to three marks on a letter; towers of them paint over other lines.
MAX_STACKED_MARKS = 4
# The longest sequence that NFC makes one character of.
NFC_MAX_SHRINK = 4
# Control characters, and the marks and overrides with which text can turn the direction of an amount beside it
# (PDF-08). New lines and tabs stay.
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def normalized(text: str) -> str:
    """`text` in NFC without outer white space; lines end in a plain newline."""
    return re.sub("\r\n?", "\n", unicodedata.normalize("NFC", text)).strip()


def showable(text: str) -> str:
    """`text` without control characters and without those that change the direction of writing."""
    return UNSHOWABLE.sub("", text)


def folded(text: str) -> str:
    """`text` without what people write differently: case, spaces, dashes and other marks, full-width forms."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def first_refused(text: str, allowed: str = "") -> str | None:
    """A sentence on the first character of `text` that is not accepted, or None; `allowed` lifts the rule for some."""
    marks = 0
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_STACKED_MARKS:
            return f"Too many marks stacked on one letter at position {index + 1}. Remove some."
        if character in allowed or (character == ZERO_WIDTH_JOINER and _joins_emoji(text, index)):
            continue
        if category in REFUSED_CATEGORIES or character in INVISIBLE or _is_noncharacter(character):
            name = unicodedata.name(character, "control or private character")
            return f"The character U+{ord(character):04X} ({name}) at position {index + 1} is not allowed. Remove it."
    return None


def _joins_emoji(text: str, index: int) -> bool:
    # Families and professions are several emoji joined; between letters the joiner only hides differences.
    before = text[:index].rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:]
    after = text[index + 1 : index + 2]
    return all(neighbour and unicodedata.category(neighbour) == "So" for neighbour in (before, after))


def _is_noncharacter(character: str) -> bool:
    return 0xFDD0 <= ord(character) <= 0xFDEF or ord(character) & 0xFFFE == 0xFFFE
