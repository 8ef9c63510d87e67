"""pass@1 of arms with different optimizers, and the differences from the reference."""

from __future__ import annotations

from collections.abc import Iterator

from flextune.records import Score
from flextune.report import formats
from flextune.report.run_data import RunData
from flextune.report.tables import Table
from flextune.statistics.summary import compare
from flextune.statistics.tally import setting
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
            note = "In percentage points, paired by seed and problem; intervals over both, as in scores.json."
            yield Table(f"pass@1 − {other}", header, tuple(rows), note)


def _passed(score: Score | None) -> str:
    estimate = next((e for e in score.estimates if e.metric == "pass@1"), None) if score else None
    if estimate is None:
        return formats.UNDEFINED
    return f"{formats.percent(estimate.value)} {formats.interval(estimate.low, estimate.high)}".rstrip()


def _gained(score: Score | None, other: Score | None) -> str:
    """Difference on the problems whose outcome both know, with its interval."""
    if score is None or other is None:
        return formats.UNDEFINED
    found = compare(score, other)
    span = formats.interval(found.low, found.high, signed=True)
    return f"{formats.points(found.difference)} {span}".rstrip()
