"""Every score with the programs behind it, read once for all sections of a page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flextune.records import Completion, Score, Verdict
from flextune.report.formats import count
from flextune.report.run_data import Answers, RunData
from flextune.statistics.tally import Setting, setting
from flextune.studies.base import once_per_run


@dataclass(frozen=True, slots=True)
class ScoredAnswers:
    """A score and the programs behind it, by seed; no answers where they were not kept."""

    score: Score
    by_seed: dict[str, Answers]

    @property
    def seeds(self) -> list[str]:
        """In the order of the page."""
        return sorted(self.score.outcomes)

    def completion(self, seed: str, name: str, sample: int) -> Completion | None:
        """None where it was not kept."""
        answers = self.by_seed.get(seed)
        return answers.completions.get((name, sample)) if answers else None

    def verdict(self, seed: str, name: str, sample: int) -> Verdict | None:
        """None where it was not kept."""
        answers = self.by_seed.get(seed)
        return answers.verdicts.get((name, sample)) if answers else None


@once_per_run
def scored_answers(run: RunData) -> dict[tuple[Setting, str], ScoredAnswers]:
    """By setting and arm."""
    return {(setting(s), s.arm): ScoredAnswers(s, run.answers(s)) for s in run.scores}


def program_facts(run: RunData) -> list[tuple[str, str]]:
    """How many programs were generated and judged, how fast, and how many were cut."""
    finishes: Counter[str] = Counter()
    tokens, seen = 0, set()
    for scored in scored_answers(run).values():
        for seed, answers in scored.by_seed.items():
            # A merged adapter may have the completions of the adapter itself.
            key = scored.score.generations[seed]
            if key not in seen:
                seen.add(key)
                finishes.update(completion.finish for completion in answers.completions.values())
                tokens += sum(completion.tokens for completion in answers.completions.values())
    if not finishes:
        return []
    speed = _tokens_a_second(run)
    parts = [
        count(finishes.total(), "program"),
        count(tokens, "token") + (f", {speed:,.0f} tokens a second" if speed else ""),
        f"{finishes['length']:,} cut at the token limit" if finishes["length"] else "none cut",
    ]
    return [("Generated", "; ".join(parts))]


def _tokens_a_second(run: RunData) -> float:
    """Over all that the run recorded; 0 where nothing was."""
    rows = [row for row in run.run.work() if row.get("stage") == "generate" and row.get("seconds")]
    return sum(row["tokens"] for row in rows) / sum(row["seconds"] for row in rows) if rows else 0.0
