"""What a training used: its seconds and the processor's, validation left out, and its peak of memory."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def now(device: torch.device) -> float:
    """The clock in seconds, once the device has done what it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()


class Stopwatch:
    """Counts from ``start`` on, except while ``paused``: seconds, and the processor's seconds.

    Args:
        device: Whose work is counted.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._began: tuple[float, float] | None = None
        self._before = (0.0, 0.0)
        #: Seconds of an earlier process, whose training goes on here.
        self.earlier = (0.0, 0.0)

    @property
    def started(self) -> bool:
        """Whether it has ever counted."""
        return self._began is not None or self._before > (0.0, 0.0)

    @property
    def seconds(self) -> float:
        """Seconds counted so far."""
        return self.earlier[0] + self._counted()[0]

    @property
    def cpu_seconds(self) -> float:
        """Seconds that all threads of this process spent on a processor, of those counted so far.

        On the CPU this hardly depends on what else the machine does, and ``seconds`` does.
        """
        return self.earlier[1] + self._counted()[1]

    def start(self) -> None:
        """Start counting; nothing changes if it has started already."""
        if self._began is None:
            self._began = self._clocks()

    def _clocks(self) -> tuple[float, float]:
        return now(self._device), time.process_time()

    def _counted(self) -> tuple[float, float]:
        if self._began is None:
            return self._before
        pairs = zip(self._before, self._clocks(), self._began, strict=True)
        wall, processor = (before + clock - began for before, clock, began in pairs)
        return wall, processor

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Leave what happens inside out of the count."""
        was_counting = self._began is not None
        self._before, self._began = self._counted(), None
        try:
            yield
        finally:
            if was_counting:
                self.start()


@contextlib.contextmanager
def preserved_generators(device: torch.device) -> Iterator[None]:
    """Leave the global generators of Python, numpy and torch as they were.

    Args:
        device: Whose torch generator is kept beside the CPU's.
    """
    python, legacy = random.getstate(), np.random.get_state()
    on_device = {} if device.type == "cpu" else {"device_type": device.type}
    try:
        with torch.random.fork_rng([] if device.type == "cpu" else [device], **on_device):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)


class PeakMemory:
    """The largest amount of memory held at once since this was made.

    On CUDA what torch has allocated for tensors; on the CPU the process's resident memory, interpreter
    and libraries too (Linux alone).

    Args:
        device: Whose memory.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        gc.collect()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            return
        with contextlib.suppress(OSError, AttributeError):
            # What earlier trainings freed is given back, so that it does not count for this one.
            ctypes.CDLL(None).malloc_trim(0)
            _RESET.write_text("5")

    @property
    def bytes(self) -> int | None:
        """The peak so far; None where the system does not tell."""
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        try:
            lines = _STATUS.read_text().splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
