"""What a task does on its node: see that it may, take the keys of its unit, do it, and report."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import FlextuneError
from flextune.files.locks import FileLock
from flextune.progress import Silent
from flextune.runner.cluster.node import misfit
from flextune.runner.units import Unit
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.runner.execute import Execution

#: Seconds after which what another machine wrote must be seen: NFS may remember for one that it is not there.
PATIENCE = 90.0
#: Seconds between two looks.
PAUSE = 0.2


@dataclass(frozen=True)
class Order:
    """A unit for one task.

    Attributes:
        unit: To be done.
        folder: Of the run, absolute.
        terms: What a node must have (``node.terms``).
        data_dir: As in ``RunOptions``.
        workers: CPUs of the task: programs judged at the same time.
        gpu: Whether it gets one.
        sandbox: As in ``RunOptions``.
    """

    unit: Unit
    folder: Path
    terms: Mapping[str, Any]
    data_dir: Path | None
    workers: int
    gpu: bool
    sandbox: bool


@dataclass(frozen=True)
class Report:
    """How a task ended.

    Attributes:
        node: The machine's name.
        seconds: That it took.
        notes: What a user should read.
        error: Why the unit failed, as a user can mend it; None: it is done.
    """

    node: str
    seconds: float
    notes: tuple[str, ...] = ()
    error: FlextuneError | OSError | None = None


class _Notes(Silent):
    """Keeps notes for the machine of the command."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def do(order: Order) -> Report:
    """Do a unit, unless it is done; what a user can mend is reported, not raised."""
    started, notes = time.monotonic(), _Notes()
    error: FlextuneError | OSError | None = None
    try:
        _do(order, notes)
    except (FlextuneError, OSError) as failure:
        error = failure
    return Report(socket.gethostname(), time.monotonic() - started, tuple(notes.texts), error)


def _do(order: Order, notes: _Notes) -> None:
    if (reason := misfit(order.terms)) is not None:
        raise FlextuneError(reason)
    from flextune.runner.execute import Execution, RunOptions
    from flextune.runner.generate import generate_all

    # Models and adapters may be named by paths from there.
    if Path(order.terms["directory"]).is_dir():
        os.chdir(order.terms["directory"])
    unit, run = order.unit, Run(order.folder)
    options = RunOptions(order.data_dir, order.workers, order.sandbox, notes)
    execution = Execution(order.folder, options)
    with _keyed(run, unit):
        if not seen(lambda: unit.is_ready(run)):
            raise FlextuneError(
                f"{run.folder}: what {unit.label!r} needs is not seen on {socket.gethostname()}"
            )
        _check_model(execution, unit)
        if unit.training is not None:
            execution.train(unit.training)
        elif unit.kind == "generate":
            generate_all(unit.evaluations, execution.models, run, lambda evaluation: None, notes)
        else:
            execution.judge(unit.evaluations)


@contextmanager
def _keyed(run: Run, unit: Unit) -> Iterator[None]:
    """Wait until no other task is at the same keys: one that was given up may still be alive."""
    with ExitStack() as stack:
        # In one order everywhere, so that no two tasks wait for each other.
        for key in sorted(unit.makes):
            lock = stack.enter_context(closing(FileLock(run.lock_file(key))))
            while not lock.try_to_take():
                # Not by a wait in the kernel, which nothing could cancel.
                time.sleep(PAUSE)
        yield


def seen(there: Callable[[], bool]) -> bool:
    """Whether something is in the run's folder, perhaps after a while."""
    end = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def _check_model(execution: Execution, unit: Unit) -> None:
    """Refuse a model that is another one here than where the work was planned: its key would be wrong.

    Raises:
        FlextuneError: It is.
    """
    model = unit.model()
    if model is None:
        return
    here = execution.models.identity(model.name)
    if here != model.identity and not model.identity.startswith(f"{here}+"):
        raise FlextuneError(
            f"model {model.name} is another one on node {socket.gethostname()} than on the machine of this"
            " command; give all nodes the same files"
        )
