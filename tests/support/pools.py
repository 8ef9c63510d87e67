"""A pool of tasks in place of a cluster: this process does them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.units import perform

from flextune.runner.cluster.executor import Node
from flextune.runner.cluster.task import Order, Report
from flextune.runs.run import Run

#: Gives or raises how an order ends that has been given out so many times; None: it is done.
Ends = Callable[[Order, int], Report | None]


class InProcess:
    """Does an order when its report is asked for, one after the other.

    Args:
        nodes: That there are.
        ends: How orders end.
    """

    def __init__(self, *nodes: Node, ends: Ends = lambda order, times: None) -> None:
        self._nodes = list(nodes) or [Node(2, 0)]
        self._ends = ends
        self.reason: str | None = None
        self.asked: list[Mapping[str, Any]] = []
        self.given: list[Order] = []
        self.cancelled: list[int] = []

    def nodes(self) -> list[Node]:
        return self._nodes

    def look(self, asked: Mapping[str, Any]) -> str | None:
        self.asked.append(asked)
        return self.reason

    def submit(self, order: Order) -> int:
        self.given.append(order)
        return len(self.given) - 1

    def wait(self, tasks: Sequence[int], count: int, seconds: float) -> list[int]:
        return list(tasks)[:count]

    def report(self, task: int) -> Report:
        order = self.given[task]
        times = sum(each.unit.label == order.unit.label for each in self.given[: task + 1])
        found = self._ends(order, times)
        if found is not None:
            return found
        assert order.unit.is_ready(Run(order.folder)), "given out before what it needs"
        perform(order.unit, Run(order.folder))
        return Report("here", 1.0, ("a note",))

    def cancel(self, task: int) -> None:
        self.cancelled.append(task)
