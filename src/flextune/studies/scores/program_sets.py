"""The problems of one setting with every arm's programs, as the page's script reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flextune.languages import language_name
from flextune.records import OUTCOMES, Completion, Outcome, Problem, Score
from flextune.report.labels import Labels
from flextune.statistics.tally import Setting
from flextune.studies.scores.answered import ScoredAnswers
from flextune.studies.scores.program_pool import LONGEST_MESSAGE, MISSING, Pool, shortened

#: A letter for each outcome; a capital one for an answer that was cut at its length limit.
LETTERS = "abcdefghijklmnopqrstuvwxyz"[: len(OUTCOMES)]
#: Bytes of a program's own row in JSON, texts apart.
ROW_BYTES = 48


@dataclass(eq=False)
class ProblemRow:
    """One problem on the page.

    Attributes:
        name: Of the problem.
        problem: None where it was not kept.
        change: Largest difference of a pass rate from the baseline's.
        texts: Places of prompt, tests and reference.
        programs: Arm, seed, sample, text, message, tokens, CPU seconds: one for each program with its text.
    """

    name: str
    problem: Problem | None
    change: float
    texts: tuple[int, ...] = (MISSING,) * 3
    programs: list[list[Any]] = field(default_factory=list)


@dataclass(eq=False)
class ProgramSet:
    """One setting.

    Attributes:
        where: The setting.
        labels: Names and order.
        arms: In the order of the labels; None for one without a score here.
        spent: Bytes of the page that it took.
    """

    where: Setting
    labels: Labels
    arms: Sequence[ScoredAnswers | None]
    spent: int = 0

    @cached_property
    def problems(self) -> list[ProblemRow]:
        """By name."""
        kept: dict[str, Problem] = {}
        for answers in (a for arm in self.arms if arm for a in arm.by_seed.values()):
            kept |= answers.problems
        runs = [names for arm in self.arms if arm for names in arm.score.outcomes.values()]
        names = sorted({name for outcomes in runs for name in outcomes})
        return [ProblemRow(name, kept.get(name), self._change(name)) for name in names]

    def take(self, row: ProblemRow, pool: Pool, *, further: bool) -> int:
        """Put a problem's programs into the page, all or none.

        Args:
            row: The problem.
            pool: The texts of the page.
            further: The samples after the first one.

        Returns:
            Programs that have a text and found no room.
        """
        cells, texts = [], []
        for cell, completion, message in self._programs(row.name, further=further):
            cells.append(cell)
            texts += [shortened(completion.text), shortened(message, LONGEST_MESSAGE)]
        shared = [] if further else self._texts(row)
        before = pool.left
        places = pool.add([*shared, *texts], ROW_BYTES * len(cells))
        if places is None:
            return len(cells)
        self.spent += before - pool.left
        if not further:
            row.texts = tuple(places[: len(shared)])
        for index, cell in enumerate(cells):
            text, message_place = places[len(shared) + 2 * index :][:2]
            row.programs.append([*cell[:3], text, message_place, *cell[3:]])
        return 0

    def as_json(self) -> dict[str, Any]:
        """What the script reads."""
        return {
            "id": self.labels.anchor(self.where),
            "label": self.labels.name(self.where),
            "language": self.where[1],
            "language_name": language_name(self.where[1]),
            "seeds": [arm.seeds if arm else [] for arm in self.arms],
            "folders": [
                [arm.score.generations.get(seed, "") for seed in arm.seeds] if arm else []
                for arm in self.arms
            ],
            "problems": [
                [row.name, *row.texts, self._letters(row.name), row.programs] for row in self.problems
            ],
        }

    def _texts(self, row: ProblemRow) -> list[str]:
        problem = row.problem
        texts = (problem.prompt or problem.posed, problem.tests, problem.reference) if problem else ("",) * 3
        return [shortened(text or "") for text in texts]

    def _programs(self, name: str, *, further: bool) -> Iterator[tuple[list[Any], Completion, str]]:
        """Arm, seed, sample, tokens and CPU seconds of each kept program, its completion and its message."""
        scored = ((place, arm) for place, arm in enumerate(self.arms) if arm is not None)
        for place, arm in scored:
            for number, seed in enumerate(arm.seeds):
                samples = range(len(arm.score.outcomes[seed].get(name, ())))
                for sample in samples[1:] if further else samples[:1]:
                    completion = arm.completion(seed, name, sample)
                    verdict = arm.verdict(seed, name, sample)
                    if completion is not None:
                        seconds = round(verdict.cpu_seconds, 2) if verdict else 0
                        cell = [place, number, sample, completion.tokens, seconds]
                        yield cell, completion, verdict.message if verdict else ""

    def _letters(self, name: str) -> list[str]:
        """For each arm the outcomes of its samples, seeds apart by commas."""
        return [",".join(_letters(arm, seed, name) for seed in arm.seeds) if arm else "" for arm in self.arms]

    def _change(self, name: str) -> float:
        rates = [_rate(arm.score, name) if arm else None for arm in self.arms]
        place = (
            self.labels.arms.index(self.labels.baseline) if self.labels.baseline in self.labels.arms else 0
        )
        own = rates[place]
        others = [abs(rate - own) for rate in rates if rate is not None and own is not None]
        return max(others, default=0.0)


def _letters(arm: ScoredAnswers, seed: str, name: str) -> str:
    letters = []
    for sample, outcome in enumerate(arm.score.outcomes[seed].get(name, ())):
        completion = arm.completion(seed, name, sample)
        letter = LETTERS[OUTCOMES.index(outcome)]
        letters.append(letter.upper() if completion and completion.finish == "length" else letter)
    return "".join(letters)


def _rate(score: Score, name: str) -> float | None:
    outcomes: list[Outcome] = [o for runs in score.outcomes.values() for o in runs.get(name, ())]
    return outcomes.count("passed") / len(outcomes) if outcomes else None
