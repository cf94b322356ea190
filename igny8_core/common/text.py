"""Rules for text that people type: any script, but no invisible characters and none that hide what it says (INP-03)."""

import re
import unicodedata

# Control, format (bidi, zero-width), surrogate, private use, line and paragraph separator.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Invisible characters in other categories.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
ZERO_WIDTH_JOINER = "\u200d"
# Real scripts stack up to three marks on a letter. Many more would cover other lines.
MAX_STACKED_MARKS = 4
# The longest sequence of characters that NFC turns into one.
NFC_MAX_SHRINK = 4
# Control characters (but not new lines and tabs), and the marks that change the direction of the text beside them, such
# as an amount (PDF-08).
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def normalized(text: str) -> str:
    """`text` in NFC, without white space at its ends and with plain newlines."""
    return re.sub("\r\n?", "\n", unicodedata.normalize("NFC", text)).strip()


def showable(text: str) -> str:
    """`text` without control characters and characters that change the direction of writing."""
    return UNSHOWABLE.sub("", text)


def folded(text: str) -> str:
    """`text` for comparisons: without case, spaces, dashes, other marks and full-width forms."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def first_refused(text: str, allowed: str = "") -> str | None:
    """A sentence about the first character of `text` that is refused, or None. Characters in `allowed` are accepted."""
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
    # Families and professions are several joined emoji. Between letters, a joiner would hide differences.
    before = text[:index].rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:]
    after = text[index + 1 : index + 2]
    return all(neighbour and unicodedata.category(neighbour) == "So" for neighbour in (before, after))


def _is_noncharacter(character: str) -> bool:
    return 0xFDD0 <= ord(character) <= 0xFDEF or ord(character) & 0xFFFE == 0xFFFE
