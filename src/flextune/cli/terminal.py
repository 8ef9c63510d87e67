"""What long work looks like: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flextune.progress import Pace, Reporter, Stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

#: Seconds between two plain lines of one stage.
PLAIN_INTERVAL = 15.0


@contextmanager
def progress() -> Iterator[Reporter]:
    """A reporter on standard error: bars if it is a terminal, lines if not."""
    if not sys.stderr.isatty():
        yield PlainReporter()
        return
    from rich.console import Console

    with bars_on(Console(stderr=True)) as bars:
        yield RichReporter(bars)


def bars_on(console: Console) -> Progress:
    """Bars with what they count, how fast and for how long; a long label gives way to them."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    label, fixed = Column(no_wrap=True, overflow="ellipsis", ratio=1), Column(no_wrap=True)
    columns = (
        TextColumn("{task.description}", table_column=label, markup=False),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", table_column=fixed, markup=False),
        TextColumn("{task.fields[detail]}", table_column=fixed, markup=False),
    )
    return Progress(*columns, console=console, transient=True, expand=True)


class RichReporter:
    """One bar per stage; a finished stage leaves one line behind."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    @contextmanager
    def stage(self, label: str, total: int) -> Iterator[Stage]:
        """A new bar."""
        stage = _RichStage(self._bars, self._bars.add_task(label, total=total, pace="", detail=""), label)
        try:
            yield stage
        finally:
            stage.close()

    def note(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(text, highlight=False, markup=False)


class _RichStage:
    def __init__(self, bars: Progress, task: TaskID, label: str) -> None:
        self._bars, self._task, self._label = bars, task, label
        self._done, self._detail = False, ""
        self._started = time.monotonic()
        self._pace = Pace()

    def update(self, done: int, total: int, detail: str = "") -> None:
        self._pace.update(done, total)
        pace = ", ".join(filter(None, (self._pace.rate, self._pace.left)))
        self._bars.update(self._task, completed=done, total=total, pace=pace, detail=detail)
        self._done, self._detail = done >= total, detail

    def close(self) -> None:
        self._bars.remove_task(self._task)
        if self._done:
            seconds = time.monotonic() - self._started
            words = ", ".join(filter(None, (f"{seconds:.0f} s", self._pace.rate, self._detail)))
            self._bars.console.print(f"{self._label} ({words})", highlight=False, markup=False)


class PlainReporter:
    """Lines that read well in a log file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, label: str, total: int) -> Iterator[Stage]:
        """A stage that writes a line when it ends, and every ``PLAIN_INTERVAL`` seconds before."""
        stage = _PlainStage(label, self.note)
        try:
            yield stage
        finally:
            stage.close()

    def note(self, text: str) -> None:
        """One line."""
        with self._lock:
            print(text, file=sys.stderr, flush=True)


class _PlainStage:
    def __init__(self, label: str, write: Any) -> None:
        self._label, self._write = label, write
        self._started = self._written = time.monotonic()
        self._latest = ""
        self._pace = Pace()

    def update(self, done: int, total: int, detail: str = "") -> None:
        self._pace.update(done, total)
        self._latest = ", ".join(filter(None, (f"{done}/{total}", detail)))
        now = time.monotonic()
        if now - self._written > PLAIN_INTERVAL:
            self._written = now
            words = ", ".join(filter(None, (self._latest, self._pace.rate, self._pace.left)))
            self._write(f"{self._label}: {words}")

    def close(self) -> None:
        if self._latest:
            seconds = time.monotonic() - self._started
            words = ", ".join(filter(None, (f"{seconds:.1f} s", self._pace.rate)))
            self._write(f"{self._label}: {self._latest} ({words})")


def out() -> Console:
    """Standard output for tables; 80 columns where it is not a terminal."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=80)


def print_json(value: Any) -> None:
    """A result for other programs: one JSON value on standard output; nan is null."""
    from flextune.files.lines import finite

    print(json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def print_line(text: str, *, wrap: bool = True) -> None:
    """A line of text as it is, broken between words where it is too wide; ``wrap=False`` for paths."""
    out().print(text, highlight=False, markup=False, soft_wrap=not wrap)
