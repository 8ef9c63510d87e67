"""Plugin: marks that follow from what a test uses, and which tests one worker runs together.

Fixtures of a module are made once, so its tests stay together. So do the tests that look at one block of
programs, which is judged once for all of them. Blocks that compute all the time and have tight limits are one
group: two of them at once would be load for each other.
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from tests.support import judged

from flextune.judging.languages import languages

#: Group to its seconds on two cores, for those that take long: they are begun first.
SECONDS: dict[str, float] = {}
_HERE = Path(__file__).parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark and group; the longest groups come first where several workers share the tests."""
    for item in items:
        for name in marks(item):
            item.add_marker(name)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group(item)))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: -SECONDS.get(group(item), 0))


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
    if "together" in fixtures:
        found.append("processes")
    if {"sandboxed", "once"} & set(fixtures) and _tongue(item) != "py":
        found.append("toolchain")
    return found


def group(item: pytest.Item) -> str:
    """The tests that one worker runs together: those of an ``xdist_group``, else those of a module."""
    if (named := item.get_closest_marker("xdist_group")) is not None:
        return str(named.args[0])
    if item.get_closest_marker("processes") is not None:
        # They are forked from one process, which belongs to the worker.
        return "processes"
    module = item.path.relative_to(_HERE).as_posix()
    return f"{module}-{_tongue(item)}" if "once" in getattr(item, "fixturenames", ()) else module


def _tongue(item: pytest.Item) -> str:
    """The language of a test with such a parameter, else Python."""
    call = getattr(item, "callspec", None)
    parameters = call.params if call is not None else {}
    tongue = parameters.get("tongue", parameters.get("language", "py"))
    return tongue if tongue in languages() else "py"
