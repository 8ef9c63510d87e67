"""The picture of a page in the README: the upper part of a run's report.html, as a browser shows it.

    python scripts/page_picture.py runs/quickstart/report.html docs/quickstart.png

Needs the extra `dev` (playwright) and a Chromium: $BROWSER_PATH, or one on the path.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

WIDTH, HEIGHT = 1200, 1500
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def picture(page: Path, out: Path, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Open the page in a window of this size and write what it shows."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("BROWSER_PATH") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit("page_picture: no Chromium; set BROWSER_PATH to one")
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*arguments, "--hide-scrollbars"])
        window = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        window.goto(page.resolve().as_uri())
        # The charts of the first screens are drawn one frame after they have come near.
        window.wait_for_selector(".main-svg")
        window.wait_for_timeout(300)
        window.screenshot(path=out)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    picture(given.page, given.out)
