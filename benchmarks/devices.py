"""Benchmarks that run on several devices: how they time, and one results file with a part for each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

TITLES = {"cpu": "CPU", "cuda": "GPU"}


def timed(call: Callable[[], object], device: torch.device) -> float:
    """Seconds, with all that the call gave the device to do."""
    wait(device)
    start = time.perf_counter()
    call()
    wait(device)
    return time.perf_counter() - start


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def medians(
    work: Mapping[str, Callable[[], object]],
    repetitions: int,
    device: torch.device,
    before: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """Seconds of each call; all in turn, so that load and clock speed meet all of them alike.

    ``before`` is called ahead of each and not timed: every call then finds the caches as that leaves them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for repetition in range(-2, repetitions):
        for name, call in work.items():
            before()
            taken = timed(call, device)
            if repetition >= 0:
                seconds[name].append(taken)
    return {name: median(values) for name, values in seconds.items()}


def merged(previous: str, device: str, text: str, introduction: str, commands: Mapping[str, str]) -> str:
    """The results file with one device's part anew, and the other's as it was, or marked open."""
    held = dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", previous, flags=re.DOTALL))
    held[device] = text
    parts = [introduction]
    for name, title in TITLES.items():
        parts.append(f"## {title}")
        if name in held:
            parts.append(f"<!-- {name} -->\n{held[name]}\n<!-- end -->")
        else:
            parts.append(f"Open: not measured yet. One call fills this part: `{commands[name]}`")
    return "\n\n".join(parts)
