"""Plugin: which tests one worker runs together, and in which order, where several share the tests.

Fixtures of a module are made once, so its tests stay together. So do the tests that look at one block of
programs, which is judged once for all of them. xdist's own groups (``--dist loadgroup``) do nothing under
pytest 9.2 (pytest-xdist issue 1386).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

#: Modules with a block for each language, whose name is the first parameter. Most of their programs wait.
BLOCKS = {
    "tests/hostile/test_hostile.py",
    "tests/hostile/test_controls.py",
    "tests/judging/test_conformance.py",
}
#: Modules to be run by one worker, in two cases: blocks that compute all the time under tight limits would be
#: load for each other, and tests in several processes are forked from one that belongs to their worker.
TOGETHER = {
    "tests/hostile/test_forgeries.py": "computes",
    "tests/judging/test_compiled_languages.py": "computes",
    "tests/judging/test_interpreted_languages.py": "computes",
    "tests/optim/test_optim_processes.py": "processes",
    "tests/runner/test_kill.py": "processes",
    "tests/runner/test_together.py": "processes",
    "tests/spectral/test_sharded.py": "processes",
    "tests/support/test_processes.py": "processes",
    "tests/sweeps/test_workers.py": "processes",
    "tests/training/test_penalty_processes.py": "processes",
    "tests/training/test_processes.py": "processes",
    "tests/training/test_sophia_processes.py": "processes",
}
#: Begun first: those that take long, and among them what waits beside what computes.
LONG = (
    "tests/hostile/test_hostile.py[cpp]",
    "tests/hostile/test_controls.py[java]",
    "tests/hostile/test_hostile.py[java]",
    "processes",
    "tests/hostile/test_hostile.py[js]",
    "tests/data/answers/test_fit.py",
    "tests/hostile/test_hostile.py[py]",
    "tests/hostile/test_controls.py[cpp]",
    "computes",
    "tests/hostile/test_controls.py[js]",
    "tests/judging/test_real_benchmarks.py",
    "tests/hostile/test_controls.py[py]",
    "tests/rosetta/test_splits.py",
    "tests/rosetta/test_languages.py",
    "tests/optim/test_hutchinson.py",
    "tests/optim/test_bartlett.py",
    "tests/cli/test_runs.py",
    "tests/generation/test_local_engine.py",
)


def group(nodeid: str) -> str:
    """The group of a test by its ID: its block, those in ``TOGETHER``, or its module."""
    module, _, name = nodeid.partition("::")
    if module in BLOCKS and "[" in name:
        language = name.partition("[")[2].rstrip("]").partition("-")[0]
        return f"{module}[{language}]"
    return TOGETHER.get(module, module)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long groups first; workers take groups in the order of their tests."""
    if hasattr(config, "workerinput"):
        order = {name: place for place, name in enumerate(LONG)}
        items.sort(key=lambda item: order.get(group(item.nodeid), len(LONG)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Groups for what would be distributed test by test."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        """Hands out groups."""

        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    # It would begin with the groups of most tests, which are not the longest.
    config.option.loadscopereorder = False
    return Groups(config, log)
