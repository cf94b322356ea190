"""A real browser, for what only a browser can tell.

One Chromium serves all tests of a process, because starting one costs more than most tests do; each test has profiles
of its own in it.
"""

import asyncio
import atexit
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

# Only a page that is wrong uses it up: four processes with a browser each may share two busy cores.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

# The one without windows, menus and extensions, where it is installed: each profile of the other opens a window of
# Chrome, which takes more processor time than most pages do.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
with_chromium = pytest.mark.skipif(not CHROMIUM, reason="these tests drive Chromium, which is not installed here")


class Chromium:
    """The process's browser, started when a test first needs it and gone with the process."""

    def __init__(self) -> None:
        self.playwright = sync_playwright().start()
        self.loop = asyncio.get_running_loop()
        self.browser = self.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        atexit.register(self.stop)
        asyncio._set_running_loop(None)

    @contextmanager
    def in_use(self) -> Iterator[Browser]:
        """The browser, as long as the block runs.

        Its event loop counts as running on this thread only meanwhile: outside of it Django may be asked again.
        """
        asyncio._set_running_loop(self.loop)
        try:
            yield self.browser
        finally:
            asyncio._set_running_loop(None)

    def stop(self) -> None:
        with self.in_use():
            self.browser.close()
            self.playwright.stop()


_running: list[Chromium] = []


def chromium() -> Chromium:
    """The browser of this process; another one where the last has crashed."""
    if not _running or not _running[0].browser.is_connected():
        _running[:] = [Chromium()]
    return _running[0]


@dataclass
class Desk:
    """Browsers of several people, who share nothing."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    profiles: list[BrowserContext] = field(default_factory=list)

    def opens(self, size: tuple[int, int] = (1280, 720)) -> Page:
        """A window of this size with a profile of its own."""
        profile = self.browser.new_context(viewport={"width": size[0], "height": size[1]})
        profile.set_default_timeout(PATIENCE)
        self.profiles.append(profile)
        page = profile.new_page()
        page.on("console", self._note)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        """Note an error. That a site has no icon is none; to answer for it would switch off the browser's cache."""
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            self.complaints.append(message.text)


@contextmanager
def browsers(refused: str = "", answered: tuple[int, ...] = (), *, loses: bool = False) -> Iterator[Desk]:
    """Browsers of Chromium that fail the test when the console of one has an error, such as a refused script.

    `refused`: what the page asks of another server, and must not get. `answered`: statuses with which the test is
    refused, which the browser notes as errors; so it does with a connection that the test `loses`.
    Nothing may ask the database inside: the browser's event loop runs on this thread.
    """
    with chromium().in_use() as browser:
        desk = Desk(browser)
        try:
            yield desk
        finally:
            for profile in desk.profiles:
                profile.close()
    noted = tuple(f"Failed to load resource: the server responded with a status of {status}" for status in answered)
    noted += ("Failed to load resource: net::ERR_FAILED",) if loses else ()
    complaints = desk.complaints
    others = [text for text in complaints if not refused or refused not in text or "Security Policy" not in text]
    others = [text for text in others if not text.startswith(noted)]
    assert others == [], others


@contextmanager
def browser_page(refused: str = "", answered: tuple[int, ...] = (), *, loses: bool = False) -> Iterator[Page]:
    """A page of one person; what is told about the others in `browsers` holds."""
    with browsers(refused, answered, loses=loses) as desk:
        yield desk.opens()


def elsewhere(work: Callable[[], object]) -> None:
    """Do what an operator does meanwhile: on another thread, as the browser's event loop runs on this one."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other_thread:
        other_thread.submit(run).result()
