"""Scores in the model cards of the adapters and models that a run trained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flextune.files.whole import write_whole
from flextune.records import Score
from flextune.runs.run import Run
from flextune.statistics.summary import estimate
from flextune.training.card import with_scores

CARD = "README.md"


def write_cards(scores: Iterable[Score], run: Run) -> None:
    """Put each adapter's own pass@1 into its card: per benchmark, language and way of decoding."""
    rows: dict[str, list[tuple[str, str]]] = {}
    for score in scores:
        for seed, training in score.trainings.items():
            if training is not None:
                rows.setdefault(training, []).append((_label(score), _pass_at_1(score, seed)))
    for training, measured in rows.items():
        card = run.trained(training).result / CARD
        # An adapter of an earlier version has no card.
        if card.is_file() and (text := with_scores(before := card.read_text("utf-8"), measured)) != before:
            write_whole(card, text)


def _label(score: Score) -> str:
    parts = (score.arm, score.benchmark, score.language, score.lexicon, score.decoding)
    return ", ".join(part for part in parts if part)


def _pass_at_1(score: Score, seed: str) -> str:
    """Of one seed alone, with its interval where there is an honest one."""
    single = replace(score, outcomes={seed: score.outcomes[seed]})
    found = next((each for each in estimate(single).estimates if each.metric == "pass@1"), None)
    if found is None:
        return "unknown"
    interval = "" if found.low is None or found.high is None else f" [{found.low:.1%}, {found.high:.1%}]"
    return f"{found.value:.1%}{interval} of {found.count} problems"
