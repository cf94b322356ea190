"""Which language a person is answered in: their own choice, else their account's, else what their browser asks for.

How it is chosen, and how a language is added, is in docs/languages.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

# Operators, and programs that ask how we are, read English.
ENGLISH_PREFIXES = ("/admin/", "/healthz/", "/readyz/", "/metrics", "/static/")
COOKIE_AGE_SECONDS = 365 * 24 * 3600


def is_language(code: str) -> bool:
    """Whether there are texts in this language."""
    return code in _codes()


@lru_cache
def _codes() -> frozenset[str]:
    return frozenset(dict(settings.LANGUAGES))


def first_language(*codes: str) -> str:
    """The first of `codes` that there are texts in; English if there is none."""
    return next((code for code in codes if code and is_language(code)), settings.LANGUAGE_CODE)


def translated(sentence: str) -> str:
    """A marked sentence in the language that is being written. One without a translation stays as it is."""
    return translation.gettext(sentence) if sentence else sentence


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Write what is written inside in this language, which can be empty: English."""
    with translation.override(first_language(code)):
        yield


def speak(code: str) -> None:
    """Answer the rest of this request in the language that a person or their account has chosen; empty: none has."""
    if code and is_language(code) and code != translation.get_language():
        translation.activate(code)


def current_language() -> str:
    """The language that is being written now."""
    code = translation.get_language() or ""
    return code if is_language(code) else settings.LANGUAGE_CODE


class LanguageMiddleware:
    """Begins each request in the language that its browser asks for: by the cookie of our pages, or Accept-Language.

    Whoever finds out who is calling says `speak` with their choice. Answers of pages and API name their language.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = translation.get_language()
        is_english = request.path_info.startswith(ENGLISH_PREFIXES)
        translation.activate(settings.LANGUAGE_CODE if is_english else asked_for(request))
        try:
            response = self.get_response(request)
            if not is_english:
                _name_language(response)
            return response
        finally:
            translation.activate(before or settings.LANGUAGE_CODE)


def _name_language(response: HttpResponse) -> None:
    # Every request comes through here, and patch_vary_headers costs as much as the rest of this file.
    headers = response.headers
    if "Content-Language" not in headers:
        headers["Content-Language"] = current_language()
    vary = headers.get("Vary", "")
    if "accept-language" not in vary.lower():
        headers["Vary"] = f"{vary}, Accept-Language" if vary else "Accept-Language"


def asked_for(request: HttpRequest) -> str:
    """The language of the browser: what was chosen on a page of ours, else the best of Accept-Language."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    # Also for the API, which scripts of our pages ask; programs have no cookies.
    if chosen and is_language(chosen):
        return chosen
    return _best_of(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:200])


@lru_cache(maxsize=1024)
def _best_of(header: str) -> str:
    # "de-AT" is answered in German. The header comes from anybody, so only few of its forms are kept.
    return first_language(*(code.partition("-")[0] for code, _ in parse_accept_lang_header(header.lower())))
