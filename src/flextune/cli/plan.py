"""How a plan is printed: what would be trained, generated and judged, what is there, what it could tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.cli.terminal import out, print_json, print_line

if TYPE_CHECKING:
    from flextune.config import Experiment
    from flextune.runner.execute import RunOptions
    from flextune.runner.outline import Outline, Question, Work


def show_plan(experiment: Experiment, folder: Path, options: RunOptions, *, as_json: bool) -> None:
    """Print what a run of the experiment would do; nothing is done."""
    from flextune.records import as_row
    from flextune.runner.outline import outline

    found = outline(experiment, folder, options)
    if as_json:
        print_json({**as_row(found), "folder": str(found.folder)})
    else:
        _print(found, experiment)


def _print(found: Outline, experiment: Experiment) -> None:
    from flextune.progress import duration
    from flextune.report import formats
    from flextune.report.tables import Table, rich_table
    from flextune.runner.outline import EXPECTED_RATE, EXPECTED_SEED_SPREAD

    rows = [
        *((work.label, "train", _progress(work, "trained")) for work in found.trainings),
        *((work.label, "judge", _progress(work, "programs judged")) for work in found.evaluations),
    ]
    title = f"{experiment.name} in {found.folder}"
    out().print(rich_table(Table(title, ("what", "", "state"), tuple(rows), align="lll"), {"what": 48}))
    for name, work in found.searches.items():
        print_line(_search(name, work))
    print_line(f"trainings: {_sum(found.trainings)}")
    print_line(f"programs: {_sum(found.evaluations)}")
    for need in found.memory:
        print_line(
            f"memory: {need.model}, {formats.large(need.parameters)} parameters, "
            f"{formats.size(need.bytes)} in {need.dtype}; training takes more"
        )
    print_line(f"time here: {duration(found.seconds)}, within a factor of two or so")
    if found.note:
        print_line(found.note)
    for question in found.questions:
        print_line(_question(question))
    if found.questions:
        print_line(
            f"(expected: {100 * EXPECTED_RATE:.0f} % passed, trainings that differ by "
            f"{100 * EXPECTED_SEED_SPREAD:.0f} points; other numbers: flextune power)"
        )
    print_line("nothing was done")


def _progress(work: Work, what: str) -> str:
    if work.done == work.total:
        return f"done ({work.total} {what})"
    there = f", {work.generated} generated" if work.generated else ""
    return f"{work.done} of {work.total} {what}{there}"


def _search(name: str, work: Work) -> str:
    if work.done == work.total:
        return f"{name}: finished ({work.done} trainings)"
    there = f", {work.done} there" if work.done else ""
    return f"{name}: up to {work.total} trainings before these{there}; their settings are not known yet"


def _sum(parts: Sequence[Work]) -> str:
    total, done = sum(work.total for work in parts), sum(work.done for work in parts)
    return f"{total - done:,} to do, {done:,} there already"


def _question(question: Question) -> str:
    from flextune.report.formats import count

    design = question.power.design
    seeds = count(design.seeds, "training") if design.seeds else "fixed models"
    pairs = ", ".join(question.pairs)
    return f"can show, {pairs} ({design.problems} problems, {seeds}): {question.power.words}"
