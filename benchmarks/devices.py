"""Benchmarks that run on several devices: call, clock, and one results file with a part for each."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import torch

from benchmarks.reporting import RESULTS, finish

TITLES = {"cpu": "CPU", "cuda": "GPU"}

_START = time.perf_counter()

Effort = TypeVar("Effort")
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Call:
    """What a benchmark is asked for.

    Attributes:
        device: Where to measure.
        quick: Under a minute, rough; the results file stays as it is.
        tiny: Only try the GPU's part, on any device; the results file stays as it is.
    """

    device: torch.device
    quick: bool
    tiny: bool

    @property
    def on_models(self) -> bool:
        """Whether the GPU's part is asked for, that of whole models."""
        return self.tiny or self.device.type == "cuda"

    def effort(self, full: Effort, quick: Effort, trial: Effort) -> Effort:
        """The one of three amounts of work that this call asks for."""
        return trial if self.tiny else quick if self.quick else full

    def report(self, name: str, introduction: str, part: str, keys: Mapping[str, object]) -> None:
        """Write this device's part into ``results/NAME.md``, or show it, and print the last line."""
        file = RESULTS / f"{name}.md"
        previous = file.read_text(encoding="utf-8") if file.is_file() else ""
        text = merged(previous, self.device.type, part, introduction, commands(name))
        finish(name, text, keys, quick=self.quick or self.tiny)


def parse_call(description: str | None) -> Call:
    """The command line of a benchmark that runs on several devices."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", choices=tuple(TITLES), default="cpu")
    parser.add_argument("--quick", action="store_true", help="under a minute, rough; writes nothing")
    parser.add_argument("--tiny", action="store_true", help="try the GPU's part, on any device")
    options = parser.parse_args()
    return Call(torch.device(options.device), options.quick, options.tiny)


def commands(name: str) -> dict[str, str]:
    """What fills each device's part; on the GPU's machine nothing is installed."""
    return {
        "cpu": f"python -m benchmarks.{name}",
        "cuda": f"PYTHONPATH=src python3 -m benchmarks.{name} --device cuda",
    }


def progress(text: str) -> None:
    """A line on the error stream, at once: a device is lent by the minute."""
    print(f"[{time.perf_counter() - _START:6.1f} s] {text}", file=sys.stderr, flush=True)


def cache_filler(device: torch.device, size: int) -> Callable[[], object]:
    """A call that fills a device's cache with ``size`` bytes of something else, as a training step does."""
    buffer = torch.empty(size // 4, dtype=torch.float32, device=device)
    return buffer.zero_


def timed(call: Callable[[], object], device: torch.device) -> float:
    """Seconds, with all that the call gave the device to do."""
    wait(device)
    start = time.perf_counter()
    call()
    wait(device)
    return time.perf_counter() - start


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def medians(
    work: Mapping[Name, Callable[[], object]],
    repetitions: int,
    device: torch.device,
    before: Callable[[], object] = lambda: None,
) -> dict[Name, float]:
    """Seconds of each call; all in turn, so that load and clock speed meet all of them alike.

    ``before`` is called ahead of each and not timed: every call then finds the caches as that leaves them.
    """
    seconds: dict[Name, list[float]] = {name: [] for name in work}
    for repetition in range(-2, repetitions):
        for name, call in work.items():
            before()
            elapsed = timed(call, device)
            if repetition >= 0:
                seconds[name].append(elapsed)
    return {name: median(values) for name, values in seconds.items()}


def merged(previous: str, device: str, text: str, introduction: str, commands: Mapping[str, str]) -> str:
    """The results file with one device's new part, and the other's as it was, or marked open."""
    parts_by_device = dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", previous, flags=re.DOTALL))
    parts_by_device[device] = text
    parts = [introduction]
    for name, title in TITLES.items():
        parts.append(f"## {title}")
        if name in parts_by_device:
            parts.append(f"<!-- {name} -->\n{parts_by_device[name]}\n<!-- end -->")
        else:
            parts.append(f"Open: not measured yet. One call fills this part: `{commands[name]}`")
    return "\n\n".join(parts)
