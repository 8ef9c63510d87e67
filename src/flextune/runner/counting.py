"""Which stage of how many a run is at, and how long the rest takes."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flextune.progress import Reporter, Stage, duration

#: What the processes of a run wait for; judging runs beside both.
_WAITED_FOR = ("train", "generate")


class CountedReporter:
    """Puts ``[7/38]`` before the label of every stage, and the time left after it.

    The first word of a label is its kind. The time left is that of the stages that are left, at the speed of
    those of their kind that are finished; nothing is said while one of the kinds is unknown.

    Args:
        reporter: Receives the stages.
        left: Kind of stage to how many there will be.
        programs: Kind of stage to how many programs all its stages have, where that tells their length;
            stages of other kinds count as equally long.
    """

    def __init__(
        self, reporter: Reporter, left: Mapping[str, int], programs: Mapping[str, int] | None = None
    ) -> None:
        self._reporter = reporter
        self._left = Counter(left)
        self._sized = set(programs or {})
        self._units = Counter({**left, **(programs or {})})
        self._done: Counter[str] = Counter()
        self._total = sum(left.values())
        self._begun = 0
        self._seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, label: str, total: int) -> Iterator[Stage]:
        """A stage with its number."""
        kind, start = label.partition(" ")[0], time.monotonic()
        with self._lock:
            counted = kind in self._left
            self._begun += counted
            number = f"[{self._begun}/{max(self._total, self._begun)}] " if counted else ""
            left = self._time_left() if counted else ""
        with self._reporter.stage(f"{number}{label}{left}", total) as stage:
            yield stage
        with self._lock:
            if counted:
                self._left[kind] -= 1
                self._done[kind] += total if kind in self._sized else 1
                self._seconds[kind] += time.monotonic() - start

    def note(self, text: str) -> None:
        """Hand a line on."""
        self._reporter.note(text)

    def _time_left(self) -> str:
        seconds = 0.0
        for kind in _WAITED_FOR:
            if self._left[kind] > 0:
                if not self._done[kind]:
                    return ""
                units = max(self._units[kind] - self._done[kind], 0)
                seconds += units * self._seconds[kind] / self._done[kind]
        return f" ({_words(seconds)} left)" if seconds else ""


def _words(seconds: float) -> str:
    return "under a minute" if seconds < 60 else f"about {duration(seconds)}"
