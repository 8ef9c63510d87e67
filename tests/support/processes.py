"""Tests of two processes: functions that run in both at once, over gloo on the loopback interface alone."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import start_processes

#: What a process calls with its rank. It is pickled: a function of a module, or a ``partial`` of one.
Job = Callable[[int], object]


def _has_gloo() -> bool:
    names = [name for _, name in socket.if_nameindex()]
    return dist.is_available() and dist.is_gloo_available() and "lo" in names


needs_gloo = pytest.mark.skipif(
    not _has_gloo(), reason="needs torch with gloo and a loopback interface named lo"
)


@dataclass(frozen=True)
class Together:
    """What two processes made of their jobs."""

    folder: Path
    seconds: float

    def returned(self, name: str) -> list[Any]:
        """What a job returned in either process; fails the test if it raised or did not come to its end."""
        outcomes = [self._outcome(name, rank) for rank in range(2)]
        wrong = [f"process {rank}: {failure}" for rank, (_, failure) in enumerate(outcomes) if failure]
        if wrong:
            pytest.fail(f"{name} in two processes\n" + "\n".join(wrong), pytrace=False)
        return [value for value, _ in outcomes]

    def _outcome(self, name: str, rank: int) -> tuple[Any, str]:
        file = self.folder / f"{name}-{rank}"
        if not file.exists():
            return None, f"not finished; all jobs together have {self.seconds:g} s"
        return pickle.loads(file.read_bytes())


def forking() -> ForkServerContext:
    """Starts processes from one that has imported what takes seconds, the same for all tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["flextune.training.trainer", "flextune.runner.execute", "peft"])
    return context


def run_in_two_processes(jobs: Mapping[str, Job], folder: Path, seconds: float = 240) -> Together:
    """Run each job in both processes, one after the other, even after one that raised.

    Starting the processes takes longer than their work: the tests of a module share one call.

    Args:
        jobs: By name.
        folder: An empty one, for what they return.
        seconds: For everything; what still runs then is killed.

    Raises:
        ProcessException: A process failed outside its jobs; says its traceback or signal.
    """
    end = time.monotonic() + seconds
    forking()
    context = start_processes(_work, (dict(jobs), folder), nprocs=2, join=False, start_method="forkserver")
    try:
        while not context.join(max(0.0, end - time.monotonic())) and time.monotonic() < end:
            pass
    finally:
        for process in context.processes:
            process.kill()
            process.join()
    return Together(folder, seconds)


def _work(rank: int, jobs: dict[str, Job], folder: Path) -> None:
    # All but the last are a launcher's, which a Trainer reads.
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    torch.set_num_threads(1)
    gc.freeze()
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    try:
        for name, job in jobs.items():
            value, failure = None, ""
            try:
                value = job(rank)
            # What `pytest.raises` raises is no Exception.
            except (Exception, pytest.fail.Exception):
                failure = traceback.format_exc()
            (folder / f"{name}-{rank}").write_bytes(pickle.dumps((value, failure)))
    finally:
        dist.destroy_process_group()
