"""Handing out units, to a pool that does them in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.notes import Notes
from tests.support.pools import InProcess
from tests.support.units import plan_of

from flextune.errors import FlextuneError
from flextune.runner.cluster.executor import ClusterExecutor, Node
from flextune.runner.cluster.task import Report
from flextune.runner.units import Unit, units_of
from flextune.runs.run import Run


class Options:
    """As much of a run's options as an executor reads."""

    data_dir = None
    sandbox = True

    def __init__(self) -> None:
        self.reporter = Notes()


def hand_out(pool: InProcess, folder: Path, cpus: int = 1) -> tuple[list[Unit], Options]:
    executor, options, run = ClusterExecutor(pool, cpus), Options(), Run(folder)
    units = units_of(plan_of(), run, executor.slots)
    try:
        executor.work(units, run, options)  # type: ignore[arg-type]
    finally:
        executor.close()
    return units, options


def labels(pool: InProcess) -> list[str]:
    return [order.unit.label for order in pool.given]


def test_every_unit_is_done_once_after_what_it_needs(tmp_path: Path) -> None:
    pool = InProcess()
    units, options = hand_out(pool, tmp_path)
    assert sorted(labels(pool)) == sorted(unit.label for unit in units)
    assert all(unit.is_done(Run(tmp_path)) for unit in units)
    assert units_of(plan_of(), Run(tmp_path), 1) == []
    assert options.reporter.texts.count("a note") == 1
    without = InProcess(Node(8, 0))
    hand_out(without, tmp_path / "other")
    assert not any(order.gpu for order in without.given)


@pytest.mark.parametrize(
    ("nodes", "cpus", "slots"),
    [
        ([Node(8, 0), Node(4, 0)], 1, 12),
        ([Node(8, 0), Node(3, 0)], 2, 5),
        ([Node(64, 8), Node(64, 8), Node(64, 0)], 4, 16),
        ([Node(2, 4)], 1, 2),
    ],
)
def test_slots_are_what_all_nodes_can_do_at_once(nodes: list[Node], cpus: int, slots: int) -> None:
    assert ClusterExecutor(InProcess(*nodes), cpus).slots == slots


def test_what_a_node_wrote_and_is_not_seen_here_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flextune.runner.cluster.task.PATIENCE", 0.0)
    pool = InProcess(ends=lambda order, times: Report("far", 1.0))
    with pytest.raises(FlextuneError, match=r"what node far wrote for '.*' is not seen here$"):
        hand_out(pool, tmp_path)
