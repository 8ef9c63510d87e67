"""Hands units to tasks on other machines; one whose worker or node dies is given to another task.

This process alone decides what is done and writes what a run ends with. A cluster's library keeps nothing
that could be lost: what is finished is in the run's folder, under its key.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flextune.errors import DivergedError, FlextuneError
from flextune.files.locks import FileLock
from flextune.progress import Reporter
from flextune.runner.cluster.node import terms
from flextune.runner.cluster.task import Order, Report, seen
from flextune.runner.units import Unit
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.runner.execute import RunOptions

#: How often a unit may lose its process before the run ends.
ATTEMPTS = 5
#: Seconds between two looks at whether to stop.
PAUSE = 0.5
#: Seconds that tasks get to save where they are, when a run is interrupted.
GRACE = 120.0


class Lost(Exception):
    """A task ended without a report and not by its own code; says what is known of the reason."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that takes tasks.

    Attributes:
        cpus: That tasks may ask for.
        gpus: Likewise.
    """

    cpus: int
    gpus: int


class Pool(Protocol):
    """What is needed of a cluster's library."""

    def nodes(self) -> list[Node]:
        """The nodes that live now."""

    def look(self, asked: Mapping[str, Any]) -> str | None:
        """Why one of the nodes cannot work (``node.misfit``); None: all can."""

    def submit(self, order: Order) -> Any:
        """A new task, which does the order as soon as a node has room."""

    def wait(self, tasks: Sequence[Any], count: int, seconds: float) -> list[Any]:
        """Tasks that have ended: ``count`` of them, or those that have after so many seconds."""

    def report(self, task: Any) -> Report:
        """Of a task that has ended.

        Raises:
            Lost: There is none.
        """

    def cancel(self, task: Any) -> None:
        """As Ctrl-C where the task runs; one that has not begun never does."""


@dataclass
class _Try:
    """A unit and how often it has been given out."""

    unit: Unit
    count: int = 0


class ClusterExecutor:
    """Units as tasks of a cluster.

    Args:
        pool: The cluster.
        cpus: That each task asks for; with it a GPU, where the unit wants one and the cluster has any.
    """

    def __init__(self, pool: Pool, cpus: int) -> None:
        self._pool, self._cpus = pool, cpus
        self._gpus = any(node.gpus for node in pool.nodes())
        self._stopped = threading.Event()
        self._meeting = threading.Lock()
        self._markers: dict[Path, FileLock] = {}
        self._terms: dict[Path, dict[str, Any]] = {}
        self._told: set[str] = set()

    @property
    def slots(self) -> int:
        """Units that the nodes can do at the same time now."""
        return max(sum(self._room(node, gpu=self._gpus) for node in self._pool.nodes()), 1)

    def stop(self) -> None:
        """End the units at work."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the folders of the runs."""
        for marker, lock in self._markers.items():
            lock.close()
            marker.unlink(missing_ok=True)
        self._markers.clear()

    def work(self, units: Sequence[Unit], run: Run, options: RunOptions) -> None:
        """Have units done, each after those that make what it needs."""
        if not units:
            return
        asked, reporter = self._meet(run), options.reporter
        missing = {key for unit in units for key in unit.makes}
        waiting = [_Try(unit) for unit in units]
        running: dict[Any, _Try] = {}
        label = units[0].label if len(units) == 1 else f"{len(units)} pieces of work on the cluster"
        with reporter.stage(label, len(units)) as stage, self._cancelling(running, reporter):
            while waiting or running:
                for each in [each for each in waiting if not each.unit.needs & missing]:
                    waiting.remove(each)
                    running[self._give_out(each, run, options, asked)] = each
                for task in self._pool.wait(list(running), 1, PAUSE):
                    each = running.pop(task)
                    if self._came_back(task, each, run, reporter):
                        missing -= each.unit.makes
                    else:
                        waiting.append(each)
                if self._stopped.is_set():
                    raise KeyboardInterrupt
                stage.update(len(units) - len(waiting) - len(running), len(units), f"{len(running)} at work")

    def _give_out(self, each: _Try, run: Run, options: RunOptions, asked: dict[str, Any]) -> Any:
        each.count += 1
        gpu = each.unit.gpu and self._gpus
        if not any(self._room(node, gpu=gpu) for node in self._pool.nodes()):
            options.reporter.note(f"{each.unit.label}: waits for a node with {self._needed(gpu=gpu)}")
        data = None if options.data_dir is None else options.data_dir.expanduser().absolute()
        order = Order(each.unit, run.folder.resolve(), asked, data, self._cpus, gpu, options.sandbox)
        return self._pool.submit(order)

    def _came_back(self, task: Any, each: _Try, run: Run, reporter: Reporter) -> bool:
        """Whether a unit is done; not where its process was lost and it is to be given out again.

        Raises:
            FlextuneError: The unit's own; it was lost too often; or what it wrote is not seen here.
        """
        unit = each.unit
        try:
            report = self._pool.report(task)
        except Lost as loss:
            if each.count == ATTEMPTS:
                raise FlextuneError(
                    f"{unit.label}: its process was lost {ATTEMPTS} times ({loss}), perhaps for want of"
                    " memory; the same command continues"
                ) from None
            reporter.note(f"{unit.label}: {loss}; it is done again elsewhere")
            return False
        for text in report.notes:
            if text not in self._told:
                self._told.add(text)
                reporter.note(text)
        if report.error is not None:
            raise _named(report.error, report.node)
        if not seen(lambda: unit.is_done(run)):
            raise FlextuneError(
                f"{run.folder}: what node {report.node} wrote for {unit.label!r} is not seen here"
            )
        reporter.note(f"{unit.label}: {report.seconds:.1f} s on {report.node}")
        return True

    @contextmanager
    def _cancelling(self, running: dict[Any, _Try], reporter: Reporter) -> Iterator[None]:
        """End the tasks at work where the block is left by an error, and wait until they have saved."""
        try:
            yield
        except BaseException:
            if running:
                for task in running:
                    self._pool.cancel(task)
                reporter.note(f"ending what is at work ({len(running)}); it saves where it is")
                self._pool.wait(list(running), len(running), GRACE)
            raise

    def _meet(self, run: Run) -> dict[str, Any]:
        """What nodes are asked for, once all of them have been looked at.

        Raises:
            FlextuneError: A node cannot work for the run, or none is large enough.
        """
        folder = run.folder.resolve()
        with self._meeting:
            if folder not in self._terms:
                if not any(self._room(node, gpu=self._gpus) for node in self._pool.nodes()):
                    needed = self._needed(gpu=self._gpus)
                    raise FlextuneError(f"--cluster: no node has {needed}; lower --workers, or add nodes")
                marker = Run(folder).lock_file(f"command-{uuid.uuid4().hex}")
                self._markers[marker] = lock = FileLock(marker)
                lock.take()
                asked = terms(marker)
                if (reason := self._pool.look(asked)) is not None:
                    raise FlextuneError(reason)
                self._terms[folder] = asked
            return self._terms[folder]

    def _room(self, node: Node, *, gpu: bool) -> int:
        """Units that a node can do at the same time."""
        room = node.cpus // self._cpus
        return min(room, node.gpus) if gpu else room

    def _needed(self, *, gpu: bool) -> str:
        cpus = "a CPU" if self._cpus == 1 else f"{self._cpus} CPUs"
        return f"{cpus} and a GPU" if gpu else cpus


def _named(error: FlextuneError | OSError, node: str) -> FlextuneError | OSError:
    """A node's error under its name; a training diverges wherever it runs."""
    if isinstance(error, (OSError, DivergedError)) or str(error).startswith("node "):
        return error
    return FlextuneError(f"node {node}: {error}")
