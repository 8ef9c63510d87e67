"""Several processes at one experiment: the first does everything, the others train with it when it trains.

The first process alone reads the command line, plans, writes, generates, judges and prints. The others wait
for trainings: they get one as a message, train it in the same steps, and wait for the next.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.errors import DivergedError, EndedElsewhere, FlextuneError, TrainingInterrupted, one_line
from flextune.extras import need
from flextune.launch import launched
from flextune.runner.models import ModelStore
from flextune.runner.work import Training
from flextune.runs.run import Run

if TYPE_CHECKING:
    from transformers import TrainerCallback

#: How long the others wait for the first: it may generate and judge for days.
_PATIENCE = timedelta(days=365)


class Company:
    """All processes, and who of them has failed.

    Raises:
        FlextuneError: They cannot be reached.
    """

    def __init__(self) -> None:
        import torch.distributed as dist

        from flextune.training.processes import start

        start()
        self.launch = launched()
        self._group = dist.new_group(backend="gloo", timeout=_PATIENCE)
        host = os.environ["MASTER_ADDR"]
        make_store: Any = dist.TCPStore  # type: ignore[attr-defined]
        store = make_store(host, 0, is_master=True, wait_for_workers=False) if self.first else None
        port = [store.port if store is not None else 0]
        dist.broadcast_object_list(port, src=0, group=self._group)
        self._store = store or make_store(host, port[0], is_master=False)
        self._members: list[Any] = [None] * self.launch.world
        dist.all_gather_object(self._members, (socket.gethostname(), os.getpid()), group=self._group)
        #: Whether the others wait for an order.
        self.waiting = True

    @property
    def first(self) -> bool:
        """Whether this process is the one that gives orders."""
        return self.launch.rank == 0

    def tell(self, order: tuple[Training, Path] | None) -> None:
        """Have the others train, or end."""
        import torch.distributed as dist

        dist.broadcast_object_list([order], src=0, group=self._group)

    def hear(self) -> tuple[Training, Path] | None:
        """Wait for the next order."""
        import torch.distributed as dist

        order: list[Any] = [None]
        dist.broadcast_object_list(order, src=0, group=self._group)
        return order[0]

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Train with the others.

        Raises:
            EndedElsewhere: Another process has failed and has said why.
            FlextuneError: Another process is gone, by its number.
        """
        self.waiting = False
        try:
            yield
        except (TrainingInterrupted, DivergedError):
            self.waiting = True
            raise
        except Exception as error:
            self.waiting = _agreed(error)
            if not self.waiting:
                self._explain(error)
            raise
        self.waiting = True

    def claim(self, reason: str) -> bool:
        """Whether this process is the first that failed."""
        try:
            return self._store.compare_set("failed", "", reason) == reason.encode()
        except RuntimeError:
            # With the first process its store is gone.
            return False

    def _explain(self, error: Exception) -> None:
        """Raise what ended another process, where that has ended this one."""
        # The launcher will soon end this process too; it would be no longer known why.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        gone = [] if isinstance(error, FlextuneError) else self._gone()
        if gone:
            reason = f"process {gone[0]} of {len(self._members)} was killed, perhaps for want of memory"
            if self.claim(reason):
                raise FlextuneError(f"{reason}; the same command goes on from the last checkpoint") from error
            raise EndedElsewhere(reason) from error
        name = self.launch.name
        if not self.claim(f"{name}: {one_line(error)}"):
            raise EndedElsewhere(f"{name}: another process has failed ({one_line(error)})") from error
        if isinstance(error, FlextuneError):
            raise FlextuneError(f"{name}: {error}") from error
        if "gloo" in str(error) or isinstance(error, _lost_connection()):
            raise FlextuneError(
                f"{name}: another one can no longer be reached ({one_line(error)})"
            ) from error

    def _gone(self) -> list[int]:
        """Processes of this machine that have ended."""
        # A connection may close a little before its process is gone.
        time.sleep(0.5)
        host, _ = self._members[self.launch.rank]
        return [rank for rank, (where, pid) in enumerate(self._members) if where == host and not _lives(pid)]


_company: Company | None = None


@contextlib.contextmanager
def leading() -> Iterator[None]:
    """Have the other processes train with this one, inside the ``with`` block; then let them go."""
    global _company
    need("torch", "transformers", "peft", "accelerate")
    _company = Company()
    try:
        yield
    except KeyboardInterrupt as interruption:
        # The launcher ends them.
        _company.waiting = isinstance(interruption, TrainingInterrupted)
        raise
    finally:
        if _company.waiting:
            with contextlib.suppress(RuntimeError):
                _company.tell(None)
        _company = None


def follow() -> None:
    """Train what the first process trains, until that ends; say nothing but why this process fails.

    Raises:
        FlextuneError: This process has failed; says which it is.
        EndedElsewhere: Another one has.
    """
    need("torch", "transformers", "peft", "accelerate")
    _be_quiet()
    company, run, models = Company(), None, ModelStore()
    try:
        while (order := company.hear()) is not None:
            training, folder = order
            if run is None or run.folder != folder:
                run = Run(folder)
                models = ModelStore(run)
            with contextlib.suppress(DivergedError, TrainingInterrupted):
                _obey(company, training, run, models)
    except RuntimeError as error:
        raise EndedElsewhere(f"{company.launch.name}: the first process is gone") from error


def train_together(
    training: Training,
    run: Run,
    models: ModelStore,
    *,
    callbacks: Sequence[TrainerCallback] = (),
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Train an adapter, with the other processes where there are some.

    Raises:
        FlextuneError: As ``train_adapter``; or another process failed.
    """
    if _company is None:
        _train(training, run, models, callbacks, progress)
        return
    _company.tell((training, run.folder.resolve()))
    with _company.working():
        _train(training, run, models, callbacks, progress)


def _obey(company: Company, training: Training, run: Run, models: ModelStore) -> None:
    try:
        with company.working():
            _train(training, run, models, _waiting(training))
    except FlextuneError as error:
        if not _agreed(error):
            raise
    except Exception as error:
        traceback.print_exc()
        raise FlextuneError(f"{company.launch.name}: {type(error).__name__}: {one_line(error)}") from error


def _waiting(training: Training) -> list[TrainerCallback]:
    """What stops at each evaluation of a training until the first process has made it."""
    from flextune.training.callbacks.measuring import MeasuringCallback

    section = training.recipe.train.evaluate
    return [] if section is None or training.watched is None else [MeasuringCallback(section.steps)]


def _train(
    training: Training,
    run: Run,
    models: ModelStore,
    callbacks: Sequence[TrainerCallback] = (),
    progress: Callable[[int, int], None] | None = None,
) -> None:
    from flextune.models.devices import resolve_device
    from flextune.training.engine import train_adapter
    from flextune.training.processes import sharded

    model, device = training.model, None
    if sharded(training.recipe.train):
        # The whole model waits beside the GPUs, and its layers go there as shards.
        model, device = replace(model, device="cpu"), resolve_device(model.device)
    train_adapter(
        models.base(model),
        training.examples,
        training.validation,
        training.recipe,
        run.trained(training.key).folder,
        start=models.start_folder(training.start) if training.start else None,
        callbacks=callbacks,
        progress=progress,
        device=device,
    )


def _lost_connection() -> type[Exception]:
    import torch.distributed as dist

    return dist.DistError


def _agreed(error: BaseException | None) -> bool:
    """Whether all processes have raised an error, so that they can go on together."""
    while error is not None:
        if getattr(error, "agreed", False):
            return True
        error = error.__cause__
    return False


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _be_quiet() -> None:
    """Leave output, notes and warnings to the first process; let a launcher's signals end this one."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - as long as the process lives
