"""What arms, languages and settings are called, in which order they come, and their colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.config import Experiment
from flextune.languages import language_name
from flextune.records import OUTCOMES, Comparison, Outcome, Score
from flextune.registry import BENCHMARKS, TRAINING_SOURCES
from flextune.statistics.tally import Setting, setting

#: Okabe and Ito's palette, told apart with every common colour blindness; grey is the baseline's.
GREY = "#8a8f98"
ARM_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
OUTCOME_COLOURS: dict[Outcome, str] = {
    "passed": "#009E73",
    "wrong_answer": "#E69F00",
    "exception": "#D55E00",
    "compile_error": "#CC79A7",
    "timeout": "#56B4E9",
    "memory_limit": "#0072B2",
    "output_limit": "#F0E442",
    "ended_early": "#5b5b5b",
    "toolchain_missing": "#b9bec6",
    "library_missing": "#c9cdd4",
    "strict_unsupported": "#c9b8a8",
    "sandbox_fault": "#d9dce1",
}


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

    def colour(self, arm: str) -> str:
        """The arm's colour in every figure: grey for the baseline, then the palette in order."""
        if arm == self.baseline or arm not in self.arms:
            return GREY
        others = [name for name in self.arms if name != self.baseline]
        return ARM_COLOURS[others.index(arm) % len(ARM_COLOURS)]

    def wording(self, where: Setting) -> str:
        """What a lexicon measures: new words in an untaught language are transfer, old ones retention."""
        _, language, lexicon, _ = where
        if lexicon is None:
            return ""
        if lexicon == "base":
            return "base words" if language == self.trained else "retention"
        if lexicon != "reserved" or not self.taught:
            return f"{lexicon} words"
        return "taught words" if language == self.trained else "transfer"

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
    order = [(part.benchmark, part.language) for arm in arms for part in arm.evaluate]

    def place(where: Setting) -> tuple[int, str, int, str]:
        listed = _place(order, (where[0], where[1]))
        return (listed, f"{where[0]} {where[1]}", ("base", "reserved", None).index(where[2]), where[3])

    return Labels(
        arms=tuple(name for name in names if name in scored),
        settings=tuple(sorted({setting(score) for score in scores}, key=place)),
        baseline=baseline,
        trained=experiment.train.language if experiment is not None and experiment.train else "py",
        taught=any(arm.train is not None and arm.train.lexicon == "reserved" for arm in arms),
    )


def outcomes_present(outcomes: Iterable[str]) -> list[Outcome]:
    """The outcomes that occur, in the records' order."""
    seen = set(outcomes)
    return [outcome for outcome in OUTCOMES if outcome in seen]


def _place(order: Sequence[Any], item: Any) -> int:
    return order.index(item) if item in order else len(order)
