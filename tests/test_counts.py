"""Sentences with a count have the form of it in every language, and scripts write as the page's language does."""

import re
from pathlib import Path

import pytest
from django.test import Client

from igny8_core.auth.selectors import OverLimit
from igny8_core.business.billing.services.subscriptions.plan_change import over_limits_text
from igny8_core.common.api.exceptions import too_many_text
from igny8_core.common.languages import in_language

WEB = Path(__file__).parent.parent / "igny8_core" / "web"
SCRIPTS = sorted((WEB / "static").rglob("*.js"))
CATALOG = WEB.parent / "locale" / "de" / "LC_MESSAGES" / "django.po"


@pytest.mark.parametrize(
    ("language", "one", "several"),
    [
        ("en", "2 sites where 1 is allowed and 1 person where 0 are allowed", "3 people where 2 are allowed"),
        ("de", "2 Websites, erlaubt ist 1 und 1 Person, erlaubt sind 0", "3 Personen, erlaubt sind 2"),
    ],
)
def test_what_is_too_much_is_counted_in_the_reader_s_language(language: str, one: str, several: str) -> None:
    with in_language(language):
        assert one in over_limits_text([OverLimit("sites", 2, 1), OverLimit("users", 1, 0)])
        assert several in over_limits_text([OverLimit("users", 3, 2)])


def test_who_waits_for_a_second_waits_for_one() -> None:
    assert too_many_text(1) == "Too many requests. Try again in 1 second."
    assert too_many_text(2) == "Too many requests. Try again in 2 seconds."
    with in_language("de"):
        assert "in 1 Sekunde noch" in too_many_text(1)


def test_no_text_leaves_the_form_of_a_word_to_its_reader() -> None:
    assert "(s)" not in CATALOG.read_text()


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "tag"), [("en", "en-GB"), ("de", "de-DE"), ("ur", "ur-PK")])
def test_a_page_says_how_its_scripts_write_days_and_numbers(language: str, tag: str) -> None:
    page = Client().get("/login", headers={"Accept-Language": language}).content.decode()

    assert f'<meta name="locale" content="{tag}">' in page


def test_scripts_write_days_and_numbers_in_no_other_way() -> None:
    written = {path.name: re.findall(r"(?:Intl\.\w+|\.toLocale\w*)\(([^,)]*)", path.read_text()) for path in SCRIPTS}
    ways = {name: set(places) for name, places in written.items() if places}

    assert len(ways) > 5
    assert all(places == {"locale"} for places in ways.values()), ways
