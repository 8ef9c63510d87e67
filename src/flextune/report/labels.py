"""What arms, languages and settings are called, in which order they come, and their colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.config import Experiment
from flextune.languages import language_name
from flextune.records import OUTCOMES, Comparison, Outcome, Score
from flextune.registry import BENCHMARKS, TRAINING_SOURCES
from flextune.report.palette import BASELINE, Style, arm_style
from flextune.statistics.tally import Setting, setting


def benchmark_title(name: str) -> str:
    """``humaneval`` is ``HumanEval``; a benchmark that is not registered here keeps its name."""
    return BENCHMARKS.get(name).title if name in BENCHMARKS else name


def source_title(name: str) -> str:
    """``mbpp`` is ``MBPP``; a training source that is not registered here keeps its name."""
    return TRAINING_SOURCES.get(name).title if name in TRAINING_SOURCES else name


def outcome_name(outcome: str) -> str:
    """``wrong_answer`` is ``wrong answer``."""
    return outcome.replace("_", " ")


def lexicon_words(lexicon: str | None, *, taught: bool = True) -> str:
    """What the page and the terminal call a lexicon.

    Args:
        lexicon: ``base`` are the words of pretraining, ``reserved`` those that were kept for teaching.
        taught: Whether any arm was taught the reserved words.
    """
    if lexicon is None:
        return ""
    names = {"base": "old words", "reserved": "taught words" if taught else "reserved words"}
    return names.get(lexicon, f"{lexicon} words")


@dataclass(frozen=True, slots=True)
class Labels:
    """Names and order for one run.

    Attributes:
        arms: In the experiment's order.
        settings: In the experiment's order of evaluation.
        baseline: The arm that others are compared with.
        trained: Short name of the language that was trained on.
        taught: Whether the reserved words were in the training data of any arm.
    """

    arms: tuple[str, ...]
    settings: tuple[Setting, ...]
    baseline: str
    trained: str
    taught: bool

    def style(self, arm: str) -> Style:
        """What the arm looks like in every figure: grey for the baseline, then the palette in order."""
        if arm == self.baseline or arm not in self.arms:
            return BASELINE
        others = [name for name in self.arms if name != self.baseline]
        return arm_style(others.index(arm))

    def colour(self, arm: str) -> str:
        """The colour of its style."""
        return self.style(arm).colour

    def wording(self, where: Setting) -> str:
        """The words that problems are posed in: old ones, or those that were taught in one language."""
        return lexicon_words(where[2], taught=self.taught)

    def detail(self, where: Setting) -> str:
        """What tells this setting from others of its language: benchmark, wording, decoding as needed."""
        benchmark, _, _, decoding = where
        several_benchmarks = len({s[0] for s in self.settings}) > 1
        several_decodings = len({s[3] for s in self.settings}) > 1
        parts = [
            benchmark_title(benchmark) if several_benchmarks else "",
            self.wording(where),
            decoding if several_decodings else "",
        ]
        return ", ".join(part for part in parts if part)

    def name(self, where: Setting) -> str:
        """Language and detail in one line."""
        detail = self.detail(where)
        return f"{language_name(where[1])} · {detail}" if detail else language_name(where[1])

    def anchor(self, where: Setting) -> str:
        """The setting's name in an address: ``py-reserved``."""
        names = [_address(place, self.settings) for place in self.settings]
        name = _address(where, self.settings)
        twice = [place for place, other in zip(self.settings, names, strict=True) if other == name]
        return name if len(twice) < 2 else f"{name}-{twice.index(where) + 1}"

    def sort_key(self, row: Score | Comparison) -> tuple[int, int]:
        """By setting, then by arm."""
        return (_place(self.settings, setting(row)), _place(self.arms, row.arm))


def labels(experiment: Experiment | None, scores: Sequence[Score], baseline: str) -> Labels:
    """Names and order from the experiment, completed from the scores.

    Args:
        experiment: None where it is not known.
        scores: All scores of the run.
        baseline: The baseline arm.
    """
    arms = experiment.resolved_arms() if experiment is not None else []
    names = dict.fromkeys([*(arm.name for arm in arms), baseline, *(score.arm for score in scores)])
    scored = {score.arm for score in scores}
    order = [(part.name, part.language) for arm in arms for part in arm.evaluate]

    def place(where: Setting) -> tuple[int, str, int, str]:
        listed = _place(order, (where[0], where[1]))
        return (listed, f"{where[0]} {where[1]}", ("base", "reserved", None).index(where[2]), where[3])

    return Labels(
        arms=tuple(name for name in names if name in scored),
        settings=tuple(sorted({setting(score) for score in scores}, key=place)),
        baseline=baseline,
        trained=_trained_language(experiment, arms),
        taught=any(_is_taught(arm) for arm in arms),
    )


def _trained_language(experiment: Experiment | None, arms: Sequence[Experiment]) -> str:
    """The experiment's, or that of its first arm that trains: of the first part of the data."""
    trains = [experiment.train, *(arm.train for arm in arms)] if experiment is not None else []
    train = next((train for train in trains if train is not None), None)
    if train is None:
        return "py"
    return (train.part.languages or [train.part.language or train.language])[0]


def _is_taught(arm: Experiment) -> bool:
    """Whether reserved words are in any part of its training data."""
    train = arm.train
    return train is not None and any((part.lexicon or train.lexicon) == "reserved" for part in train.parts)


def outcomes_present(outcomes: Iterable[str]) -> list[Outcome]:
    """The outcomes that occur, in the records' order."""
    seen = set(outcomes)
    return [outcome for outcome in OUTCOMES if outcome in seen]


def _address(where: Setting, settings: Sequence[Setting]) -> str:
    benchmark, language, lexicon, decoding = where
    parts = [
        language,
        lexicon or "",
        benchmark if len({s[0] for s in settings}) > 1 else "",
        decoding if len({s[3] for s in settings}) > 1 else "",
    ]
    return re.sub(r"[^a-z0-9.]+", "-", "-".join(part for part in parts if part).lower()).strip("-")


def _place(order: Sequence[Any], item: Any) -> int:
    return order.index(item) if item in order else len(order)
