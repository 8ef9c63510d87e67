"""How a sweep is printed: its plan, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flextune.cli.terminal import out, print_json, print_line

if TYPE_CHECKING:
    from flextune.sweeps.outline import SweepOutline
    from flextune.sweeps.sweep import SweepResult


def show_sweep(result: SweepResult, *, as_json: bool) -> None:
    """The tables of the page's section, and where page and configuration lie; or ``swept.json`` itself."""
    if as_json:
        print_json(result.found)
        return
    from flextune.report.tables import rich_table
    from flextune.studies.sweeps.tables import sentences, sweep_tables

    console = out()
    for table in sweep_tables(result.found):
        console.print(rich_table(table, {table.header[0]: 30, "settings": 30}))
    for sentence in sentences(result.found):
        print_line(sentence)
    print_line(f"configuration: {result.run.folder / 'chosen.yaml'}", wrap=False)
    print_line(f"page: {result.run.page}", wrap=False)


def show_sweep_plan(found: SweepOutline, *, as_json: bool) -> None:
    """Print what a sweep would do; nothing is done."""
    from flextune.records import as_row

    if as_json:
        print_json({**as_row(found), "folder": str(found.folder)})
        return
    from flextune.progress import duration
    from flextune.report.formats import count

    most = "" if found.search in ("grid", "random") else "at most "
    lines = [
        f"{found.search} in {found.folder}: {most}{count(found.configurations, 'configuration')},"
        f" {found.ended} ended",
        f"train: {most}{count(found.trainings, 'adapter')} for them ({found.trained} there),"
        f" {found.final_trainings} of what is chosen",
        f"generate and judge: {most}{count(found.programs, 'program')} for them, about"
        f" {found.final_programs} for baseline and choice",
        f"choose by {count(found.halves[0], 'problem')}, report on {found.halves[1]}; the report can show"
        f" {found.power.words}",
        "time: not known before the first configuration has ended"
        if found.seconds is None
        else f"time: about {duration(found.seconds)} on one worker, at the pace of those that ended",
        "nothing was done",
    ]
    for line in lines:
        print_line(line)
