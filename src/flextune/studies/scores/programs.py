"""Every program side by side, small enough to travel inside the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flextune.languages import language_name
from flextune.records import OUTCOMES, UNKNOWN_OUTCOMES, Problem, Score
from flextune.report.labels import OUTCOME_COLOURS, Labels
from flextune.report.run_data import Answers, RunData
from flextune.report.sections import Fragment, Section, asset
from flextune.statistics.tally import Setting, setting

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
class ScoredAnswers:
    """A score and the programs behind it, by seed."""

    score: Score
    by_seed: dict[str, Answers]

    def problems(self) -> dict[str, Problem]:
        """All seeds' problems, by name."""
        return {name: row for answers in self.by_seed.values() for name, row in answers.problems.items()}

    def text(self, seed: str, name: str, sample: int) -> str | None:
        """A completion; None where it was not kept."""
        answers = self.by_seed.get(seed)
        completion = answers.completions.get((name, sample)) if answers else None
        return completion.text if completion else None

    def message(self, seed: str, name: str, sample: int) -> str:
        """What compiler or program said; empty where it is not known."""
        answers = self.by_seed.get(seed)
        verdict = answers.verdicts.get((name, sample)) if answers else None
        return verdict.message if verdict else ""


ByPlace = dict[tuple[Setting, str], ScoredAnswers]


def programs_section(run: RunData) -> Section:
    """Every program, to be searched in."""
    data = programs(run)
    template = asset("flextune.studies.scores", "templates/programs.html.j2")
    return Section(
        id="programs",
        title="Programs",
        order=80,
        fragment=Fragment(template, {"omitted": data["omitted"]}),
        style=asset("flextune.studies.scores", "templates/programs.css"),
        script=asset("flextune.studies.scores", "templates/programs.js"),
        data={**data, "outcomes": OUTCOMES, "colours": OUTCOME_COLOURS},
    )


def programs(run: RunData, budget: int = BUDGET) -> dict[str, Any]:
    """The page's data on programs: JSON-ready, texts by index into ``pool``.

    First samples go in before further ones, so that a spent budget costs repetitions first.
    ``omitted`` counts the programs that did not fit.
    """
    labels, pool = run.labels, Pool(budget)
    by_place = {(setting(s), s.arm): ScoredAnswers(s, run.answers(s)) for s in run.scores}
    groups = [_group(where, by_place, labels, pool) for where in labels.settings]
    omitted = 0
    for further in (False, True):
        for where, group in zip(labels.settings, groups, strict=True):
            arms = [by_place.get((where, arm)) for arm in labels.arms]
            for problem in group["problems"]:
                for cell in _cells(problem["name"], arms, further, pool):
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


def _group(where: Setting, by_place: ByPlace, labels: Labels, pool: Pool) -> dict[str, Any]:
    arms = [by_place.get((where, arm)) for arm in labels.arms]
    names = sorted({name for a in arms if a for runs in a.score.outcomes.values() for name in runs})
    problems = {name: problem for a in arms if a for name, problem in a.problems().items()}
    return {
        "label": labels.name(where),
        "language": where[1],
        "language_name": language_name(where[1]),
        "wording": labels.detail(where),
        "problems": [_problem(name, problems.get(name), arms, pool) for name in names],
    }


def _problem(
    name: str, problem: Problem | None, arms: Sequence[ScoredAnswers | None], pool: Pool
) -> dict[str, Any]:
    texts = {key: pool.add(getattr(problem, key, None) or "") for key in ("prompt", "tests", "reference")}
    return {
        "name": name,
        **texts,
        "tally": [_tally(a.score, name) if a else [0, 0, 0] for a in arms],
        "cells": [],
    }


def _tally(score: Score, name: str) -> list[int]:
    """Passed, known and unknown outcomes of one problem over seeds and samples."""
    outcomes = [outcome for runs in score.outcomes.values() for outcome in runs.get(name, [])]
    unknown = sum(outcome in UNKNOWN_OUTCOMES for outcome in outcomes)
    return [outcomes.count("passed"), len(outcomes) - unknown, unknown]


def _cells(
    name: str, arms: Sequence[ScoredAnswers | None], further: bool, pool: Pool
) -> Iterator[list[Any] | None]:
    """First or further samples: arm, seed, sample, outcome, text, message; None when the budget is spent."""
    for arm, answers in enumerate(arms):
        if answers is None:
            continue
        for seed, runs in sorted(answers.score.outcomes.items()):
            outcomes = list(enumerate(runs.get(name, [])))
            for sample, outcome in outcomes[1:] if further else outcomes[:1]:
                text, message = answers.text(seed, name, sample), answers.message(seed, name, sample)
                place = pool.add(text) if text is not None and pool.take(CELL_BYTES) else MISSING
                if text is not None and place == MISSING:
                    yield None
                    continue
                note = pool.add(message, LONGEST_MESSAGE) if message else MISSING
                yield [arm, seed, sample, outcome, place, note]
