"""Every program side by side, small enough to travel inside the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flextune.records import OUTCOMES
from flextune.report.palette import OUTCOME_STYLES
from flextune.report.run_data import RunData
from flextune.report.sections import Fragment, Section, asset
from flextune.studies.scores.answered import scored_answers
from flextune.studies.scores.program_pool import Pool
from flextune.studies.scores.program_sets import LETTERS, ProgramSet

#: Bytes of texts and outcomes in the page; plotly takes 4.8 MB of the 8 MB that a page may have.
BUDGET = 2_400_000
PACKAGE = "flextune.studies.scores"
#: Parts of one script, in their order.
SCRIPTS = ("code", "diff", "model", "filters", "view", "list")


def programs_section(run: RunData) -> Section:
    """Every program, to be searched in."""
    data = programs(run)
    parts = "\n".join(asset(PACKAGE, f"templates/programs/{name}.js") for name in SCRIPTS)
    return Section(
        id="programs",
        title="Programs",
        order=80,
        fragment=Fragment(asset(PACKAGE, "templates/programs.html.j2"), {"omitted": data["omitted"]}),
        style=asset(PACKAGE, "templates/programs.css"),
        script=f"page.programs = (() => {{\n{parts}\n}})();",
        data=data,
    )


def programs(run: RunData, budget: int = BUDGET) -> dict[str, Any]:
    """The page's data on programs: JSON-ready, texts by index into ``pool``.

    Every outcome is there. Texts are, as far as the budget reaches: first samples before further ones, so
    that a spent budget costs repetitions first; all sets share it, and in each the problems come first that
    changed most against the baseline. ``omitted`` counts the programs whose text did not fit.
    """
    labels = run.labels
    by_place = scored_answers(run)
    sets = [
        ProgramSet(where, labels, [by_place.get((where, arm)) for arm in labels.arms])
        for where in labels.settings
    ]
    index = len(json.dumps([one.as_json() for one in sets]))
    pool = Pool(max(0, budget - index))
    omitted = sum(_share(sets, pool, further=further) for further in (False, True))
    return {
        "arms": labels.arms,
        "baseline": labels.baseline,
        "letters": LETTERS,
        "outcomes": OUTCOMES,
        "styles": {outcome: [style.colour, style.pattern] for outcome, style in OUTCOME_STYLES.items()},
        "sets": [one.as_json() for one in sets],
        "pool": pool.texts,
        "omitted": omitted,
    }


def _share(sets: Sequence[ProgramSet], pool: Pool, *, further: bool) -> int:
    """Fill the pool, always from the set that has taken least; how many programs found no room."""
    waiting = {
        one: iter(sorted(one.problems, key=lambda row: (-row.change, row.name)))
        for one in sets
        if one.problems
    }
    omitted = 0
    while waiting:
        poorest = min(waiting, key=lambda one: one.spent)
        row = next(waiting[poorest], None)
        if row is None:
            del waiting[poorest]
        else:
            omitted += poorest.take(row, pool, further=further)
    return omitted
