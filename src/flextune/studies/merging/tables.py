"""One adapter used in different ways, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from flextune.records import Score
from flextune.report.formats import UNDEFINED, count, interval, p_value, percent, points
from flextune.report.run_data import RunData
from flextune.report.tables import Table
from flextune.studies.merging.forms import Form, Group
from flextune.studies.merging.selection import PROBLEMS, SETTINGS, selection

NOTE = (
    "Difference from the same adapters unmerged, on the same problems. Texts: share of the greedy texts"
    " that are others than unmerged."
)


def form_table(group: Group) -> Table:
    """A row for each form."""
    rows = [
        (
            form.score.arm,
            form.words,
            _pass(form.score),
            _difference(form),
            UNDEFINED if form.test is None else p_value(form.test.p_value),
            UNDEFINED if form.test is None else f"{len(form.test.won)} / {len(form.test.lost)}",
            UNDEFINED if form.test is None else percent(form.changed),
        )
        for form in group.forms
    ]
    benchmark, language, lexicon, decoding = group.setting
    where = " ".join(part for part in (benchmark, language, lexicon or "", decoding) if part)
    header = ("arm", "adapter", "pass@1, %", "difference", "p", "won / lost", "texts, %")
    return Table(f"One adapter, used in different ways: {where}", header, tuple(rows), NOTE, align="llrrrrr")


def selection_table(run: RunData) -> Table | None:
    """What choosing among runs of one arm adds; None where no arm has several decodings."""
    arms: dict[tuple[str, str, str, str | None], list[Score]] = {}
    for score in sorted(run.scores, key=run.labels.sort_key):
        arms.setdefault((score.arm, score.benchmark, score.language, score.lexicon), []).append(score)
    rows = []
    for (arm, *_), scores in arms.items():
        found = selection(scores) if len(scores) > 1 else None
        if found is not None:
            each = "; ".join(f"{score.decoding} {_pass(score)}" for score in scores)
            rows.append((arm, each, str(found.runs), *map(percent, (found.mean, found.best, found.expected))))
    header = ("arm", "decodings", "runs", "mean, %", "best, %", f"best of {SETTINGS}, %")
    note = (
        f"A run: one seed, one decoding, one sample a problem. Best of {SETTINGS}: expected highest of so"
        f" many runs on {PROBLEMS} problems that all pass each problem with the same chance as the runs here."
    )
    return Table("Choosing the best decoding", header, tuple(rows), note, align="llrrrr") if rows else None


def group_notes(groups: Sequence[Group]) -> list[str]:
    """What has to be known of the numbers."""
    seeds = {len(form.score.outcomes) for group in groups for form in group.forms}
    return [f"{count(max(seeds), 'seed')}; intervals are those of the paired tests."] if seeds else []


def _pass(score: Score) -> str:
    estimate = next((each for each in score.estimates if each.metric == "pass@1"), None)
    return (
        UNDEFINED
        if estimate is None
        else f"{percent(estimate.value)} {interval(estimate.low, estimate.high)}"
    )


def _difference(form: Form) -> str:
    if form.test is None:
        return UNDEFINED
    return f"{points(form.test.difference)} {interval(form.test.low, form.test.high, signed=True)}"
