"""Plugin: marks that follow from what a test uses."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from tests.support import judged

from flextune.judging.languages import languages

_HERE = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before ``-m`` chooses by marks."""
    for item in items:
        for name in marks(item):
            item.add_marker(name)


def pytest_collection_finish() -> None:
    """Leave what is imported by now out of later collections of garbage: each training starts several."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let ``needs_toolchain`` know which test asks."""
    judged.running = item


def marks(item: pytest.Item) -> list[str]:
    """The marks that a test need not be given by hand."""
    fixtures = getattr(item, "fixturenames", ())
    found = []
    if "real_data" in fixtures:
        found.append("data")
    if item.path.is_relative_to(_HERE / "hostile"):
        found.append("hostile")
    if "chromium" in fixtures:
        found.append("browser")
    if "together" in fixtures:
        found.append("processes")
    if {"sandboxed", "once"} & set(fixtures) and _language(item) != "py":
        found.append("toolchain")
    return found


def _language(item: pytest.Item) -> str:
    """The language of a test with such a parameter, else Python."""
    call = getattr(item, "callspec", None)
    parameters = call.params if call is not None else {}
    language = parameters.get("language", "py")
    return language if language in languages() else "py"
