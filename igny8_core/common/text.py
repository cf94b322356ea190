"""Rules for text that people type: any script, but no invisible characters and none that hide what it says (INP-03)."""

import re
import unicodedata

from django.utils.translation import gettext as _

from igny8_core.common.marks import gettext_noop

# Control, format (bidi, zero-width), surrogate, private use, line and paragraph separator.
REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Invisible characters in other categories.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
ZERO_WIDTH_NON_JOINER = "\u200c"
ZERO_WIDTH_JOINER = "\u200d"
JOINERS = frozenset({ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER})
# Scripts written in one line of joined letters, as the names of their characters begin.
CURSIVE_SCRIPTS = frozenset({"ADLAM", "ARABIC", "HANIFI", "MANDAIC", "MONGOLIAN", "NKO", "PHAGS-PA", "SYRIAC"})
VIRAMA_CLASS = 9
# Letters that older keyboards write at the end of a word with a virama and a joiner: the six chillu letters of
# Malayalam, and the khanda ta of Bengali.
LETTERS_CUT_SHORT = frozenset("\u0d15\u0d23\u0d28\u0d30\u0d32\u0d33\u09a4")
# Real scripts stack up to three marks on a letter. Many more would cover other lines.
MAX_STACKED_MARKS = 4
# The longest sequence of characters that NFC turns into one.
NFC_MAX_SHRINK = 4
# Control characters (but not new lines and tabs), and the marks that change the direction of the text beside them, such
# as an amount (PDF-08). FSI and PDI (U+2068, U+2069) stay: they only keep a piece apart from the text around it, which
# our texts that run from right to left need for numbers and names.
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066\u2067\ud800-\udfff]")


def normalized(text: str) -> str:
    """`text` in NFC, without white space at its ends and with plain newlines."""
    return re.sub("\r\n?", "\n", unicodedata.normalize("NFC", text)).strip()


def normalized_password(password: str) -> str:
    """`password` in the one form in which it is hashed and compared: NFKC (NIST SP 800-63B, section on passwords).

    One keyboard sends ä as one character, another as a and two dots; both are the same password.
    """
    return unicodedata.normalize("NFKC", password)


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
            return _("Too many marks stacked on one letter at position %(value)s. Remove some.") % {"value": index + 1}
        if character in allowed or (character in JOINERS and joiner_has_effect(text, index)):
            continue
        if character in JOINERS:
            return _("The joiner U+%(ord)s at position %(value)s %(where_joiners_stand)s") % {
                "ord": f"{ord(character):04X}",
                "value": index + 1,
                "where_joiners_stand": WHERE_JOINERS_STAND,
            }
        if category in REFUSED_CATEGORIES or character in INVISIBLE or _is_noncharacter(character):
            name = unicodedata.name(character, _("control or private character"))
            return _("The character U+%(ord)s (%(name)s) at position %(value)s is not allowed. Remove it.") % {
                "ord": f"{ord(character):04X}",
                "name": name,
                "value": index + 1,
            }
    return None


WHERE_JOINERS_STAND = gettext_noop("can only stand between two letters of a script that joins its letters. Remove it.")


def joiner_has_effect(text: str, index: int) -> bool:
    """Whether the joiner at `index` shows, which the writing of many languages needs; elsewhere it hides differences.

    After what is written of joiners in domain names (RFC 5892, appendix A) and identifiers (UAX 31, section 2.3), a
    little wider, as names are written. A joiner stands alone between two letters of one script, marks on the first
    included, and not beside digits:

    - U+200C (ZWNJ) in scripts of joined letters: Persian, Kurdish, Urdu, Syriac, N'Ko and so on;
    - U+200C or U+200D (ZWJ) in scripts with a virama, behind it (Sinhala, Marathi, Malayalam, Kannada, Telugu), or
      between the consonant and it (the ya-phalaa of Bengali);
    - U+200D behind the virama at a word's end, for the few letters that older keyboards cut short with it;
    - U+200D between two emoji.
    """
    joiner = text[index]
    # No letter has more marks than that, so the look back is short however long the text is.
    before, after = text[max(0, index - 3 * MAX_STACKED_MARKS) : index], text[index + 1 : index + 3]
    if joiner == ZERO_WIDTH_JOINER and _joins_emoji(before, after):
        return True
    letter = before.rstrip("".join(_marks(before)))[-1:]
    if not _is_letter(letter):
        return False
    if _script(letter) in CURSIVE_SCRIPTS:
        return joiner == ZERO_WIDTH_NON_JOINER and _is_letter_of(after[:1], letter)
    if _is_virama(before[-1:]):
        is_cut_short = joiner == ZERO_WIDTH_JOINER and letter in LETTERS_CUT_SHORT and _ends_word(after[:1])
        return is_cut_short or _is_letter_of(after[:1], letter)
    return _is_virama(after[:1]) and _is_letter_of(after[1:2], letter)


def _joins_emoji(before: str, after: str) -> bool:
    # Families and professions are several emoji joined.
    first = before.rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:]
    return all(neighbour and unicodedata.category(neighbour) == "So" for neighbour in (first, after[:1]))


def _marks(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in {"Mn", "Mc"}}


def _is_letter(character: str) -> bool:
    return unicodedata.category(character) in {"Lo", "Lm"} if character else False


def _is_letter_of(character: str, other: str) -> bool:
    return _is_letter(character) and _script(character) == _script(other)


def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ", 1)[0]


def _ends_word(character: str) -> bool:
    return not character or character.isspace() or unicodedata.category(character).startswith("P")


def _is_virama(character: str) -> bool:
    return bool(character) and unicodedata.combining(character) == VIRAMA_CLASS


def _is_noncharacter(character: str) -> bool:
    return 0xFDD0 <= ord(character) <= 0xFDEF or ord(character) & 0xFFFE == 0xFFFE
