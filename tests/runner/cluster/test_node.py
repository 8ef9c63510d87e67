from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flextune.files.locks import FileLock
from flextune.runner.cluster.node import misfit, terms


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What a command asks of a node, while it is at work."""
    marker = tmp_path / "runs/mine/locks/command-1"
    with FileLock(marker):
        yield terms(marker)


def test_a_node_with_the_same_code_that_shares_the_folder_can_work(asked: dict[str, Any]) -> None:
    assert misfit(asked) is None


def test_a_node_with_another_version_of_a_package_names_both(asked: dict[str, Any]) -> None:
    asked["code"] = {**asked["code"], "numpy": "0.1"}
    assert "has numpy " in (misfit(asked) or "")
    assert "the machine of this command 0.1; install the same on all nodes" in (misfit(asked) or "")


def test_a_node_without_a_package_says_so(asked: dict[str, Any]) -> None:
    asked["code"] = {**asked["code"], "unheard-of": "1.0"}
    assert "has unheard-of not at all" in (misfit(asked) or "")


def test_the_same_version_with_another_line_of_code_is_refused(asked: dict[str, Any]) -> None:
    asked["code"] = {**asked["code"], "code": "0123456789abcdef"}
    assert "has other code of flextune" in (misfit(asked) or "")


def test_a_node_that_does_not_see_the_folder_names_it(asked: dict[str, Any], tmp_path: Path) -> None:
    asked["marker"] = str(tmp_path / "elsewhere/mine/locks/command-1")
    assert f"does not see the run's folder {tmp_path}/elsewhere/mine: give --runs" in (misfit(asked) or "")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_whose_locks_stay_on_one_machine_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "runs/mine/locks/command-1"
    marker.parent.mkdir(parents=True)
    # As a node sees it that does not learn of the lock of another machine.
    marker.touch()
    assert f"locks of {tmp_path}/runs/mine do not reach node" in (misfit(terms(marker)) or "")
