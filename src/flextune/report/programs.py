"""Every program side by side, small enough to travel inside the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flextune.languages import language_name
from flextune.records import UNKNOWN_OUTCOMES, Score
from flextune.report.inputs import Row, Run, read_rows
from flextune.report.labels import Labels
from flextune.statistics.summary import Setting, setting

#: Bytes of texts and cells in the page; plotly takes 4.8 MB of the 8 MB that a page may have.
BUDGET = 2_400_000
LONGEST_TEXT = 6_000
LONGEST_MESSAGE = 600
#: A cell's own bytes in JSON, texts apart.
CELL_BYTES = 40
MISSING = -1


@dataclass
class Pool:
    """Texts held once each, as long as the budget lasts."""

    left: int
    texts: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def take(self, size: int) -> bool:
        """Whether ``size`` bytes were left; they are then gone."""
        if size > self.left:
            return False
        self.left -= size
        return True

    def add(self, text: str, longest: int = LONGEST_TEXT) -> int:
        """The text's index, or ``MISSING`` when the budget is spent."""
        if len(text) > longest:
            text = text[:longest] + f"\n… ({len(text) - longest:,} more characters)"
        if text not in self.places:
            if not self.take(len(json.dumps(text)) + 1):
                return MISSING
            self.places[text] = len(self.texts)
            self.texts.append(text)
        return self.places[text]


@dataclass(frozen=True, slots=True)
class Answers:
    """One score's files, by seed."""

    score: Score
    problems: dict[str, Row]
    completions: dict[str, dict[tuple[str, int], Row]]
    verdicts: dict[str, dict[tuple[str, int], Row]]


def programs(run: Run, budget: int = BUDGET) -> dict[str, Any]:
    """The page's data on programs: JSON-ready, texts by index into ``pool``.

    First samples go in before further ones, so that a spent budget costs repetitions first.
    ``omitted`` counts the programs that did not fit.
    """
    labels, pool = run.labels, Pool(budget)
    answers = {(setting(s), s.arm): _answers(run.path, s) for s in run.held.scores}
    groups = [_group(where, answers, labels, pool) for where in labels.settings]
    omitted = 0
    for further in (False, True):
        for where, group in zip(labels.settings, groups, strict=True):
            held = [answers.get((where, arm)) for arm in labels.arms]
            for problem in group["problems"]:
                for cell in _cells(problem["name"], held, further, pool):
                    if cell is None:
                        omitted += 1
                    else:
                        problem["cells"].append(cell)
    return {
        "arms": labels.arms,
        "baseline": labels.baseline,
        "groups": groups,
        "pool": pool.texts,
        "omitted": omitted,
    }


def _answers(path: Path, score: Score) -> Answers:
    problems: dict[str, Row] = {}
    completions, verdicts = {}, {}
    for seed, key in sorted(score.generations.items()):
        folder = path / "generated" / key
        problems |= {str(row.get("name")): row for row in read_rows(folder / "problems.jsonl")}
        completions[seed] = _by_sample(read_rows(folder / "completions.jsonl"))
        judged = path / "judged" / score.judgings.get(seed, "-")
        verdicts[seed] = _by_sample(read_rows(judged / "verdicts.jsonl"))
    return Answers(score, problems, completions, verdicts)


def _by_sample(rows: Sequence[Row]) -> dict[tuple[str, int], Row]:
    return {(str(row.get("name")), int(row.get("sample", 0))): row for row in rows}


def _group(
    where: Setting, answers: dict[tuple[Setting, str], Answers], labels: Labels, pool: Pool
) -> dict[str, Any]:
    held = [answers.get((where, arm)) for arm in labels.arms]
    names = sorted({name for a in held if a for runs in a.score.outcomes.values() for name in runs})
    texts = {name: row for a in held if a for name, row in a.problems.items()}
    return {
        "label": labels.name(where),
        "language": where[1],
        "language_name": language_name(where[1]),
        "wording": labels.detail(where),
        "problems": [
            {
                "name": name,
                "prompt": pool.add(str(texts.get(name, {}).get("prompt") or "")),
                "tests": pool.add(str(texts.get(name, {}).get("tests") or "")),
                "reference": pool.add(str(texts.get(name, {}).get("reference") or "")),
                "tally": [_tally(a.score, name) if a else [0, 0, 0] for a in held],
                "cells": [],
            }
            for name in names
        ],
    }


def _tally(score: Score, name: str) -> list[int]:
    """Passed, known and unknown outcomes of one problem over seeds and samples."""
    outcomes = [outcome for runs in score.outcomes.values() for outcome in runs.get(name, [])]
    unknown = sum(outcome in UNKNOWN_OUTCOMES for outcome in outcomes)
    return [outcomes.count("passed"), len(outcomes) - unknown, unknown]


def _cells(
    name: str, held: Sequence[Answers | None], further: bool, pool: Pool
) -> Iterator[list[Any] | None]:
    """First or further samples: arm, seed, sample, outcome, text, message; None when the budget is spent."""
    for arm, answers in enumerate(held):
        if answers is None:
            continue
        for seed, runs in sorted(answers.score.outcomes.items()):
            outcomes = list(enumerate(runs.get(name, [])))
            for sample, outcome in outcomes[1:] if further else outcomes[:1]:
                text = answers.completions.get(seed, {}).get((name, sample), {}).get("text")
                message = answers.verdicts.get(seed, {}).get((name, sample), {}).get("message")
                place = pool.add(str(text)) if text is not None and pool.take(CELL_BYTES) else MISSING
                if text is not None and place == MISSING:
                    yield None
                    continue
                note = pool.add(str(message), LONGEST_MESSAGE) if message else MISSING
                yield [arm, seed, sample, outcome, place, note]
