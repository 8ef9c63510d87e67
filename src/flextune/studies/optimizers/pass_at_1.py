"""pass@1 of arms with different optimizers, and the differences from the reference."""

from __future__ import annotations

from collections.abc import Iterator

from flextune.records import Score
from flextune.report import formats
from flextune.report.run_data import RunData
from flextune.report.tables import Table
from flextune.statistics.means import mean_over_seeds
from flextune.statistics.summary import setting
from flextune.statistics.tally import tally
from flextune.studies.optimizers.groups import Group

#: pass@1 has a column a setting; more of them go into a further table.
SETTINGS_ACROSS = 4


def pass_tables(group: Group, run: RunData) -> Iterator[Table]:
    """pass@1 of the group's arms and its differences from the reference's, a few settings across."""
    scores = {(setting(score), score.arm): score for score in run.scores}
    names = {arm.name for arm in group.arms}
    settings = [s for s in run.labels.settings if any((s, name) in scores for name in names)]
    for first in range(0, len(settings), SETTINGS_ACROSS):
        part = settings[first : first + SETTINGS_ACROSS]
        header = ("arm", *(run.labels.name(where) for where in part))
        rows = [(arm.name, *(_passed(scores.get((s, arm.name))) for s in part)) for arm in group.arms]
        note = "In percent; intervals over problems and seeds, as in scores.json."
        yield Table("pass@1", header, tuple(rows), note)
        if group.reference is not None:
            other = group.reference.name
            rows = [
                (arm.name, *(_gained(scores.get((s, arm.name)), scores.get((s, other))) for s in part))
                for arm in group.others()
            ]
            note = "In percentage points, paired by seed; intervals over seeds alone, for these problems."
            yield Table(f"pass@1 − {other}", header, tuple(rows), note)


def _passed(score: Score | None) -> str:
    estimate = next((e for e in score.estimates if e.metric == "pass@1"), None) if score else None
    if estimate is None:
        return formats.UNDEFINED
    return f"{formats.percent(estimate.value)} {formats.interval(estimate.low, estimate.high)}".rstrip()


def _gained(score: Score | None, other: Score | None) -> str:
    """Difference of the pass rates of each seed, on the problems whose outcome both know."""
    if score is None or other is None:
        return formats.UNDEFINED
    common = set(tally(score).problems) & set(tally(other).problems)
    ours, theirs = (_rates(one, common) for one in (score, other))
    points = [100 * (ours[seed] - theirs[seed]) for seed in ours if seed in theirs]
    return formats.spread(mean_over_seeds(points), 1, signed=True)


def _rates(score: Score, problems: set[str]) -> dict[str, float]:
    counts = tally(score, problems)
    return dict(zip(counts.seeds, counts.rates().mean(axis=1).tolist(), strict=True)) if problems else {}
