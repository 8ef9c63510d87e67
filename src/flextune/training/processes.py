"""Several processes that train one adapter: how they meet, agree, and let one of them write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
import torch.distributed as dist

from flextune.errors import FlextuneError, one_line
from flextune.launch import asked_for_fsdp, launched

if TYPE_CHECKING:
    from flextune.config import TrainConfig

Found = TypeVar("Found")
Kind = Literal["ddp", "fsdp"]

#: How long one process waits for another within a training: for a file system that writes a checkpoint.
_PATIENCE = timedelta(hours=2)


def start() -> None:
    """Meet the other processes of a launcher; nothing where there are none, or where they have met.

    Raises:
        FlextuneError: They cannot be reached.
    """
    launch = launched()
    asked_for_fsdp()
    if launch.world == 1 or not dist.is_available() or dist.is_initialized():
        return
    backend = "gloo"
    if launch.local_rank < torch.cuda.device_count():
        torch.cuda.set_device(launch.local_rank)
        backend = "cpu:gloo,cuda:nccl"
    try:
        dist.init_process_group(backend, timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise FlextuneError(f"{launch.name} cannot reach the others ({one_line(error)})") from error


def world() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if _together() else 1


def rank() -> int:
    """Number of this process; 0 writes."""
    return dist.get_rank() if _together() else 0


def kind(train: TrainConfig) -> Kind:
    """How the processes of a training share its model."""
    return train.distributed or ("fsdp" if asked_for_fsdp() else "ddp")


def sharded(train: TrainConfig) -> bool:
    """Whether each process is to hold only its part of the model."""
    return world() > 1 and kind(train) == "fsdp"


def label(train: TrainConfig) -> str:
    """``1 process``, or ``2 processes (ddp)``."""
    return "1 process" if world() == 1 else f"{world()} processes ({kind(train)})"


def wait() -> None:
    """Return once all processes are here."""
    anywhere(False)


def anywhere(*flags: bool) -> list[bool]:
    """Each flag, true if it is true in any process. A collective call, on the CPU where that is possible."""
    if world() == 1:
        return list(flags)
    noted = torch.tensor(flags, dtype=torch.int32, device=_device())
    dist.all_reduce(noted, dist.ReduceOp.MAX)
    return [bool(flag) for flag in noted.tolist()]


def agree(error: Exception | None) -> None:
    """Raise in every process what one of them has to say, marked as ``agreed``. A collective call.

    Args:
        error: Of this process; None: nothing is wrong here.
    """
    if world() == 1:
        if error is not None:
            raise error
        return
    if not anywhere(error is not None)[0]:
        return
    errors: list[Exception | None] = [None] * world()
    dist.all_gather_object(errors, error)
    first = next(each for each in errors if each is not None)
    first.agreed = True  # type: ignore[attr-defined]
    raise first from None


def in_all(work: Callable[[], Found]) -> Found:
    """What each process makes for itself; what a user can mend in one of them, all raise."""
    error: FlextuneError | None = None
    found: list[Found] = []
    try:
        found = [work()]
    except FlextuneError as failure:
        error = failure
    agree(error)
    return found[0]


def by_main(work: Callable[[], Found]) -> Found:
    """What process 0 finds, in every process; what goes wrong there is raised in all of them.

    Args:
        work: Done by process 0, while the others wait; its result is pickled.
    """
    if world() == 1:
        return work()
    error: Exception | None = None
    found: list[Any] = [None]
    if rank() == 0:
        try:
            found = [work()]
        except (FlextuneError, OSError) as failure:
            error = failure
    agree(error)
    dist.broadcast_object_list(found, src=0)
    result: Found = found[0]
    return result


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()


def _device() -> torch.device:
    """Where a flag may lie: processes that a script of one's own brought together may have NCCL alone."""
    if "gloo" in dist.get_backend_config():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())
