"""The stylesheet of pages follows the invoices' fonts."""

import re

import font_stylesheet


def test_the_stylesheet_is_what_the_fonts_give() -> None:
    assert font_stylesheet.TARGET.read_text() == font_stylesheet.stylesheet(), "run bin/font_stylesheet.py"


def test_every_packaged_font_is_in_it_but_basic_latin_and_nastaliq() -> None:
    files = set(re.findall(r'url\("../fonts/([^"]+)"\)', font_stylesheet.TARGET.read_text()))

    assert {font.name for font in font_stylesheet.FOLDER.glob("*.ttf")} - files == {
        "noto-sans-latin-400-normal.ttf",
        "noto-sans-latin-700-normal.ttf",
        "noto-nastaliq-urdu-arabic-400-normal.ttf",
    }


def test_no_range_has_letters_that_every_font_has_but_the_digits_of_emoji() -> None:
    ranges = re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", font_stylesheet.TARGET.read_text())
    basic = {(chr(int(first, 16)), last) for first, last in ranges if int(first, 16) < 0x100}

    assert basic == {("#", ""), ("*", ""), ("0", f"{ord('9'):X}")}
