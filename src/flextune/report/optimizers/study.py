"""optimizers.md: what a run says about its optimizers, with all numbers and figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from flextune.errors import FlextuneError
from flextune.files.whole import write_whole
from flextune.report.context import facts
from flextune.report.figures.files import check_formats, write_figures
from flextune.report.inputs import Run, read_run
from flextune.report.optimizers.claims import causes, tuning_notes, verdicts
from flextune.report.optimizers.drawn import optimizer_figures
from flextune.report.optimizers.groups import Group, optimizer_groups
from flextune.report.optimizers.pairs import pair
from flextune.report.optimizers.paper import paper_table
from flextune.report.optimizers.tables import group_tables
from flextune.report.text_table import Table

NAME = "optimizers"
COLUMNS = 110
#: Pixels; a page has its own width.
WIDTH = 1080
ABOUT = """\
Numbers in brackets are 95 % intervals over seeds (Student's t; ratios on the logarithm), each comparison
paired by seed. They are not adjusted for how many there are: of twenty, one misses by chance. A verdict
needs its whole interval on one side; with one seed nothing is decided. "30 % faster" holds where the seconds
of training to the reference's lowest validation loss (of the same seed; estimates of the curvature counted)
are at most 0.7 of the reference's own; "30 % fewer steps" alike.
"""
#: Facts that have a table here.
IN_TABLES = ("Arms", "Optimizer", "Tuned")
FIGURES = """\
Lines are means over seeds, bands the range of the seeds; dashed: untuned. Over the learning rates tried, a
ring marks the best trial and a cross one that diverged."""


def write_optimizer_study(run_folder: Path, pictures: str | None = None) -> Path | None:
    """Write ``optimizers.md``, and its figures into ``optimizers/`` beside it.

    Args:
        run_folder: With scores.json.
        pictures: svg, png or pdf; None: no files are drawn, the text points at report.html.

    Returns:
        The file; None where the run does not compare optimizers.

    Raises:
        FlextuneError: If scores.json is missing, a file is damaged, the study cannot be written, or pictures
            cannot be drawn.
    """
    run = read_run(run_folder)
    groups = optimizer_groups(run)
    if not groups:
        return None
    figures = list(optimizer_figures(groups))
    drawn = {name: figure for name, _, figure in figures}
    files = _pictures(drawn, run_folder / NAME, pictures) if pictures else {}
    shown = [(title, files[name]) for name, title, _ in figures if name in files]
    page = run_folder / f"{NAME}.md"
    # A lone surrogate can stand in a name that a file escaped; UTF-8 has no place for it.
    text = study(run, groups, shown).encode("utf-8", errors="replace").decode("utf-8")
    try:
        write_whole(page, text)
    except OSError as error:
        raise FlextuneError(f"{page}: cannot be written ({error.strerror})") from None
    return page


def optimizer_summary(run: Run) -> dict[str, Any] | None:
    """Each arm over its reference, as ratios (geometric means over seeds); None where nothing is compared.

    ``steps_ratio`` and ``seconds_ratio`` are of the way to the reference's lowest validation loss. A ratio
    is null where it is not known, or where a seed did not get there.
    """
    found: dict[str, Any] = {}
    for group in optimizer_groups(run):
        for arm in group.others():
            assert group.reference is not None
            held = pair(arm, group.reference)
            races = [
                race.ratio if race.reached == race.of else None
                for race in (held.steps_to_loss, held.seconds_to_loss)
            ]
            spreads = (held.loss_ratio, held.perplexity, *races, held.seconds_per_step)
            names = ("val_loss", "perplexity", "steps", "seconds", "seconds_per_step")
            found[arm.name] = {
                f"{name}_ratio": float(f"{spread.value:.6g}") if spread is not None else None
                for name, spread in zip(names, spreads, strict=True)
            }
    return found or None


def study(run: Run, groups: Sequence[Group], figures: Sequence[tuple[str, str]]) -> str:
    """The text of optimizers.md.

    Args:
        run: The run.
        groups: What it compares, at least one.
        figures: Titles and files, relative to the text.
    """
    return "\n".join(_lines(run, groups, figures))


def _lines(run: Run, groups: Sequence[Group], figures: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"# {_text(run.held.experiment)}: optimizers compared"
    yield ""
    for name, value in facts(run):
        if name not in IN_TABLES:
            shown = f"`{value}`" if name in ("Command", "Commit") else value
            yield from _item(f"{name}: {shown}")
    yield ""
    yield ABOUT
    for group in groups:
        yield f"## {_text(group.name)}"
        yield ""
        yield from _claims(group)
        for table in group_tables(group, run):
            yield from _markdown(table)
    yield "## Beside the paper"
    yield ""
    yield from _markdown(paper_table(groups))
    yield "## Figures"
    yield ""
    yield FIGURES
    yield ""
    if not figures:
        yield "In [report.html](report.html#optimizers)."
    for title, file in figures:
        yield f"**{_text(title)}**"
        yield ""
        yield f"![{_text(title)}]({file})"
        yield ""


def _claims(group: Group) -> Iterator[str]:
    for title, sentences in (
        ("Verdicts", [verdict.sentence for verdict in verdicts(group)]),
        ("Causes", [*(cause.sentence for cause in causes(group)), *tuning_notes(group)]),
    ):
        if sentences:
            yield f"### {title}"
            yield ""
            for sentence in sentences:
                yield from _item(sentence)
            yield ""


def _item(text: str) -> Iterator[str]:
    """A list's item over several lines."""
    yield from textwrap.wrap(f"- {_text(text)}", COLUMNS, subsequent_indent="  ", break_on_hyphens=False)


def _markdown(table: Table) -> Iterator[str]:
    """A table that can be read as it is, too: its columns are padded."""
    cells = [[_text(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    right = [not table.words and place > 0 for place in range(len(widths))]
    rule = ["-" * (width - side) + ":" * side for width, side in zip(widths, right, strict=True)]
    yield f"### {_text(table.title)}"
    yield ""
    for row in (cells[0], rule, *cells[1:]):
        padded = zip(row, widths, right, strict=True)
        yield f"| {' | '.join(c.rjust(width) if side else c.ljust(width) for c, width, side in padded)} |"
    yield ""
    if table.note:
        yield from textwrap.wrap(_text(table.note), COLUMNS, break_on_hyphens=False)
        yield ""


def _text(text: str) -> str:
    """On one line, and without what Markdown would read as a table's edge or as markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _pictures(figures: dict[str, go.Figure], folder: Path, kind: str) -> dict[str, str]:
    """Name to file, relative to the folder above."""
    wide = {name: go.Figure(figure).update_layout(width=WIDTH) for name, figure in figures.items()}
    written = write_figures(wide, folder, check_formats((kind,)))
    return {path.stem: f"{folder.name}/{path.name}" for path in written}
