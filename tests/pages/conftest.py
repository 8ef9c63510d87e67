from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.browser import Opened, open_page
from tests.support.finished_run import FinishedRun

from flextune.studies.writing import write_report


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory, browser: object) -> Path:
    """The page of a run with 12 problems in six sets, four arms and three seeds."""
    run = FinishedRun(tmp_path_factory.mktemp("pages") / "quickstart", problems=12).write()
    return write_report(run).page


@pytest.fixture(scope="module")
def _shared(browser: Any, page_file: Path) -> Iterator[Opened]:
    one = open_page(browser, page_file, permissions=["clipboard-read", "clipboard-write"])
    yield one
    one.page.context.close()


@pytest.fixture
def found(_shared: Opened) -> Opened:
    """The page as it is opened first. Loading it anew takes longer than what most tests do with it."""
    _shared.run(
        """() => {
          for (const one of document.querySelectorAll('main details[open]')) one.open = false;
          document.forms.filters.elements.lines.checked = true;
          document.getElementById('clear-all').click();
          history.replaceState(null, '', location.pathname);
          scrollTo(0, 0);
        }"""
    )
    return _shared
