"""Plugin: a real browser without a window, for tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

#: Names of browsers that playwright's protocol for Chromium drives.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Opened:
    """A page in the browser, and what it did.

    Attributes:
        page: Playwright's.
        messages: Of its console, and errors that nobody caught.
        requests: Addresses that it asked for.
    """

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def run(self, script: str, argument: Any = None) -> Any:
        """What a script returns; it sees the page's own ``page``."""
        return self.page.evaluate(script, argument)

    def faults(self) -> dict[str, list[str]]:
        """What axe-core finds wrong: each rule with the elements that break it."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in found}


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; tests are skipped where there is none."""
    path = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium: scripts/system-packages.sh test installs it, $BROWSER_PATH may name one")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A Chromium without a window that runs for the whole session."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    # Chromium's own sandbox refuses root; what it opens are pages of these tests.
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield running
        running.close()


def open_page(browser: Any, file: Path, address: str = "", *, width: int = 1024, **options: Any) -> Opened:
    """A file in a window of its own.

    Args:
        browser: Where.
        file: A page.
        address: ``#...``, what of it is shown.
        width: Of the window.
        options: Playwright's, of a context.
    """
    one = Opened(browser.new_context(viewport={"width": width, "height": 800}, **options).new_page())
    one.page.on("console", lambda message: one.messages.append(message.text))
    one.page.on("pageerror", lambda error: one.messages.append(str(error)))
    one.page.on("request", lambda request: one.requests.append(request.url))
    one.page.goto(f"{file.as_uri()}{address}")
    return one


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """``open_page``; what it opened is closed after the test."""
    pages = []

    def opened_page(*arguments: Any, **options: Any) -> Opened:
        pages.append(open_page(browser, *arguments, **options))
        return pages[-1]

    yield opened_page
    for one in pages:
        one.page.context.close()
