"""A Ray cluster as a pool of tasks. Only Ray core is used, and none of its retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from flextune.runner.cluster.executor import Lost, Node
from flextune.runner.cluster.node import misfit
from flextune.runner.cluster.task import Order, Report, do

#: Seconds for every node's answer to the first look.
LOOK = 120.0

#: Of a task that ended without its result, through no fault of the unit's code.
_LOST = (
    exceptions.LocalRayletDiedError,
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
    exceptions.OutOfMemoryError,
    exceptions.WorkerCrashedError,
)


class RayPool:
    """The cluster that this process has joined."""

    def __init__(self) -> None:
        self._task = ray.remote(max_retries=0)(do)
        # Its worker ends with it, so that the GPU's memory is free for the next one.
        self._on_gpu = ray.remote(max_retries=0, num_gpus=1, max_calls=1)(do)

    def nodes(self) -> list[Node]:
        """The nodes that live and take tasks."""
        return [Node(int(each.get("CPU", 0)), int(each.get("GPU", 0))) for _, _, each in _living()]

    def look(self, asked: Mapping[str, Any]) -> str | None:
        """Why one of the nodes cannot work; None: all can."""
        task = ray.remote(num_cpus=0, max_retries=0)(misfit)
        names = {}
        for node, name, _ in _living():
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            names[task.options(scheduling_strategy=there).remote(dict(asked))] = name
        ready, late = ray.wait(list(names), num_returns=len(names), timeout=LOOK)
        for reference in ready:
            try:
                reason = ray.get(reference)
            except exceptions.RayTaskError as error:
                lines = [line.strip() for line in str(error).splitlines() if "Error: " in line]
                why = lines[-1] if lines else "it gives no reason"
                return (
                    f"node {names[reference]} cannot run this flextune ({why}); install the same flextune and"
                    " packages on all nodes"
                )
            except _LOST:
                # It is gone, and gets no task.
                continue
            if reason is not None:
                return str(reason)
        if late:
            return f"node {names[late[0]]} did not answer within {LOOK:.0f} s; `ray status` says more"
        return None

    def submit(self, order: Order) -> Any:
        """A new task, on whichever node has room."""
        task = self._on_gpu if order.gpu else self._task
        return task.options(num_cpus=order.workers, scheduling_strategy="SPREAD").remote(order)

    def wait(self, tasks: Sequence[Any], count: int, seconds: float) -> list[Any]:
        """Tasks that have ended."""
        ready, _ = ray.wait(list(tasks), num_returns=count, timeout=seconds)
        return list(ready)

    def report(self, task: Any) -> Report:
        """Of a task that has ended."""
        try:
            return ray.get(task)
        except exceptions.OutOfMemoryError:
            raise Lost("its node ran out of memory") from None
        except _LOST:
            raise Lost("its worker or node is gone") from None

    def cancel(self, task: Any) -> None:
        """As Ctrl-C where the task runs."""
        with suppress(exceptions.RayError):
            ray.cancel(task)


def _living() -> list[tuple[str, str, dict[str, float]]]:
    """Of every node that lives and takes tasks: its id, its machine's name and what it has."""
    return [
        (node["NodeID"], node["NodeManagerHostname"], node["Resources"])
        for node in ray.nodes()
        if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
    ]
