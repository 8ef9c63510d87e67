from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest
import torch

from flextune.training.usage import PeakMemory, Stopwatch

CPU = torch.device("cpu")
MIB = 2**20


def test_a_stopwatch_counts_from_its_start_and_not_while_it_is_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 13.0, 50.0, 54.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    stopwatch = Stopwatch(CPU)
    assert stopwatch.seconds == 0
    stopwatch.start()
    with stopwatch.paused():
        assert stopwatch.seconds == 3
    assert stopwatch.seconds == 7


def test_the_processors_seconds_are_counted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 1.5, 9.0, 9.25])
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    stopwatch = Stopwatch(CPU)
    stopwatch.start()
    with stopwatch.paused():
        pass
    assert stopwatch.cpu_seconds == 0.75


def test_a_pause_before_the_start_starts_nothing() -> None:
    stopwatch = Stopwatch(CPU)
    with stopwatch.paused():
        pass
    assert stopwatch.seconds == 0


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the kernel keeps no peak")
def test_the_peak_is_of_what_came_since() -> None:
    large = torch.ones(128 * MIB // 4)
    first = PeakMemory(CPU)
    held = first.bytes
    assert held is not None
    del large
    gc.collect()
    second = PeakMemory(CPU)
    after = second.bytes
    assert after is not None
    assert held - after > 100 * MIB
    torch.ones(64 * MIB // 4).sum()
    again = second.bytes
    assert again is not None
    assert again - after > 50 * MIB
