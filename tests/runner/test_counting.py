"""Which stage of how many, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from flextune.progress import Stage
from flextune.runner.counting import CountedReporter


class Labels:
    """Keeps the labels of stages."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    @contextmanager
    def stage(self, label: str, total: int) -> Iterator[Stage]:
        self.labels.append(label)
        yield self

    def update(self, done: int, total: int, detail: str = "") -> None:
        pass

    def note(self, text: str) -> None:
        self.labels.append(text)


def do(reporter: CountedReporter, *labels: str) -> None:
    for label in labels:
        with reporter.stage(label, 1):
            pass


def test_stages_have_numbers_and_the_time_left_once_every_kind_is_known() -> None:
    labels = Labels()
    reporter = CountedReporter(labels, {"train": 2, "generate": 2, "judge": 1})
    do(reporter, "generate base", "train lora", "judge base", "generate lora", "train fourier")
    assert labels.labels == [
        "[1/5] generate base",
        "[2/5] train lora",
        "[3/5] judge base (under a minute left)",
        "[4/5] generate lora (under a minute left)",
        "[5/5] train fourier (under a minute left)",
    ]


def test_a_long_stage_does_not_promise_that_short_ones_take_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("flextune.runner.counting.time.monotonic", lambda: now[0])
    labels = Labels()
    reporter = CountedReporter(labels, {"generate": 3}, {"generate": 1200})
    for label, programs in (("generate base", 1000), ("generate lora", 100), ("generate fourier", 100)):
        with reporter.stage(label, programs):
            now[0] += 3 * programs
    assert labels.labels == [
        "[1/3] generate base",
        "[2/3] generate lora (about 10 min left)",
        "[3/3] generate fourier (about 5 min left)",
    ]


def test_what_is_not_counted_keeps_its_label() -> None:
    labels = Labels()
    reporter = CountedReporter(labels, {"train": 1})
    do(reporter, "load model")
    reporter.note("a note")
    assert labels.labels == ["load model", "a note"]


def test_a_stage_that_fails_is_not_measured() -> None:
    labels = Labels()
    reporter = CountedReporter(labels, {"train": 2})
    with pytest.raises(ZeroDivisionError), reporter.stage("train lora", 1):
        raise ZeroDivisionError
    do(reporter, "train fourier")
    assert labels.labels == ["[1/2] train lora", "[2/2] train fourier"]
