"""All cases, and how one language's are judged: by two judges at once, a right program after each of them."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from tests.hostile import (
    attacks_by_output,
    attacks_on_compilers,
    attacks_on_files,
    attacks_on_memory,
    attacks_on_the_host,
    attacks_on_the_network,
    attacks_on_the_next,
    attacks_on_the_start,
    attacks_on_time,
)
from tests.hostile.attack_cases import LANGUAGES, RIGHT, Case
from tests.hostile.canaries import Canaries
from tests.support.judged import pair

from flextune.judging import Limits, judge
from flextune.judging import language as language_of
from flextune.judging.runtime import cache_folder
from flextune.judging.sandbox.limits import MIB
from flextune.judging.sandbox.watch import tree_usage
from flextune.records import Completion, Problem, Verdict

LIMITS = Limits(
    cpu_seconds=1.5,
    wall_seconds=2.5,
    memory_bytes=320 * MIB,
    processes=48,
    file_bytes=8 * MIB,
    tmp_bytes=16 * MIB,
    compile_seconds=4,
    compile_memory_bytes=768 * MIB,
)
#: A kernel that looks for memory where none is left uses the time of the program that asked for it.
TO_FILL_MEMORY = replace(LIMITS, cpu_seconds=8, wall_seconds=12)
GROUPS = (
    attacks_on_time,
    attacks_on_memory,
    attacks_by_output,
    attacks_on_files,
    attacks_on_the_host,
    attacks_on_the_network,
    attacks_on_compilers,
    attacks_on_the_next,
    attacks_on_the_start,
)
CASES: tuple[Case, ...] = tuple(case for group in GROUPS for case in group.CASES)
#: Every case in every language that it has.
PROGRAMS = [(language, case) for language in LANGUAGES for case in CASES if language in case.programs]
AFTER = "after: "


@dataclass(frozen=True)
class Run:
    """What judging all programs of one language showed.

    Attributes:
        verdicts: Of every case, and of the program after it, by name.
        left: Processes, mounts, groups and files that were not there before, and stay.
        touched: Canaries that were reached.
        cache_changed: Something that is kept for later programs is not what it was.
    """

    verdicts: dict[str, Verdict]
    left: set[str]
    touched: set[str]
    cache_changed: bool


def judge_language(language: str, folder: Path) -> Run:
    """Judge every case in ``language``, in the order of two judges that run at once."""
    cases = [case for case in CASES if language in case.programs]
    list(judge([pair(language, RIGHT[language], "warm")], limits=LIMITS))
    cached = _digest(cache_folder())
    with Canaries(folder) as canaries:
        before = on_the_host()
        with Watcher() as watcher, ThreadPoolExecutor(2) as threads:
            halves = [threads.submit(_judge, language, cases[start::2], canaries) for start in range(2)]
            verdicts = {verdict.name: verdict for half in halves for verdict in half.result()}
        left = lasting(lambda: (on_the_host() - before) | watcher.living())
        touched = canaries.touched()
    return Run(verdicts, left, touched, _digest(cache_folder()) != cached)


def _judge(language: str, cases: list[Case], canaries: Canaries) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for fills_memory, group in groupby(cases, lambda case: case.outcome == "memory_limit"):
        pairs = _with_followers(language, group, canaries)
        # One worker: the program after an attack meets the same helper and the same compiler.
        verdicts += judge(pairs, limits=TO_FILL_MEMORY if fills_memory else LIMITS, workers=1)
    return verdicts


def _with_followers(
    language: str, cases: Iterable[Case], canaries: Canaries
) -> list[tuple[Problem, Completion]]:
    pairs = []
    for case in cases:
        pairs.append(pair(language, canaries.fill(case.programs[language]), case.name))
        # The comment keeps it from being recognised as a program that was judged already.
        comment = f"{language_of(language).comment} {AFTER}{case.name}\n"
        pairs.append(
            pair(language, case.followers.get(language, RIGHT[language]) + comment, AFTER + case.name)
        )
    return pairs


def _digest(folder: Path) -> str:
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        # Another judge may be building its own.
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            content.update(f"{path} {path.stat().st_mtime_ns}".encode() + path.read_bytes())
    return content.hexdigest()


def on_the_host() -> set[str]:
    """Processes, mounts, groups and files that a judge could leave."""
    found = {f"process {pid}" for pid in tree_usage(os.getpid()).processes}
    found |= {f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines()}
    found |= {f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/flextune-{os.getpid()}-*")}
    return found | {f"file {path}" for path in Path("/tmp").glob("flextune-*")}


class Watcher:
    """Remembers every process that was ever seen below this one, wherever it goes later."""

    def __init__(self) -> None:
        self._seen: dict[int, str] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        known = set(tree_usage(os.getpid()).processes)
        while not self._done.wait(0.05):
            for pid in tree_usage(os.getpid()).processes:
                if pid not in known and (start := start_of(pid)):
                    self._seen[pid] = start

    def living(self) -> set[str]:
        """Those that still run."""
        return {f"process {pid}" for pid, start in self._seen.items() if start_of(pid) == start}


def start_of(pid: int) -> str:
    """When a process started, in the kernel's units; empty when it is gone or waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def lasting(look: Callable[[], set[str]], seconds: float = 15) -> set[str]:
    """What of the first ``look`` stays; another judge on this machine has files too, but they come and go."""
    found = look()
    deadline = time.monotonic() + seconds
    while found and time.monotonic() < deadline:
        time.sleep(0.1)
        found &= look()
    return found
