"""Arms that answer as another one does, program by program: a merged adapter often does."""

from __future__ import annotations

from collections.abc import Sequence

from flextune.records import Score
from flextune.report.labels import Labels
from flextune.statistics.tally import Setting, setting

Results = dict[Setting, dict[str, dict[str, list[bool]]]]


def copies(scores: Sequence[Score], labels: Labels) -> dict[str, str]:
    """Each arm that passes and fails exactly as an earlier one, with every seed, and that arm."""
    first: list[tuple[str, Results]] = []
    found: dict[str, str] = {}
    for arm in labels.arms:
        results = _results([score for score in scores if score.arm == arm])
        original = next((name for name, other in first if other == results), None)
        if original is None:
            first.append((arm, results))
        else:
            found[arm] = original
    return found


def _results(scores: Sequence[Score]) -> Results:
    return {
        setting(score): {
            seed: {name: [outcome == "passed" for outcome in samples] for name, samples in runs.items()}
            for seed, runs in score.outcomes.items()
        }
        for score in scores
    }
