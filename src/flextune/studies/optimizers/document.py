"""optimizers.md: what a run says about its optimizers, with all numbers and figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flextune.report.facts import document_head
from flextune.report.run_data import RunData
from flextune.report.tables import markdown_item, markdown_table, markdown_text
from flextune.studies.optimizers.causes import causes, notes
from flextune.studies.optimizers.claims import claim_verdicts
from flextune.studies.optimizers.groups import Group
from flextune.studies.optimizers.paper import paper
from flextune.studies.optimizers.paper_table import paper_table
from flextune.studies.optimizers.tables import group_tables

ABOUT = """\
Numbers in brackets are 95 % intervals over seeds (Student's t; ratios on the logarithm), each comparison
paired by seed, for the validation examples that were used: what other examples would give is not in them.
Those of pass@1 are over seeds and problems. They are not adjusted for how many there are: of twenty, one
misses by chance. A verdict needs its whole interval on one side; with one seed nothing is decided. "{faster}"
holds where the seconds of training to the reference's lowest validation loss (of the same seed; estimates of
the curvature counted) are at most {at_most} of the reference's own; "{fewer_steps}" alike. A training that
was planned to be shorter has to end below the reference's final loss.
"""
#: Facts that have a table here.
IN_TABLES = ("Arms", "Optimizer", "Tuned")
FIGURES = """\
Lines are means over seeds, bands the range of the seeds; dashed: untuned. Over the learning rates tried, a
ring marks the best trial and a cross one that diverged."""


def optimizers_document(run: RunData, groups: Sequence[Group], pictures: Sequence[tuple[str, str]]) -> str:
    """The text of optimizers.md.

    Args:
        run: The run.
        groups: What it compares, at least one.
        pictures: Titles and files, relative to the text; none: it points at the page.
    """
    return "\n".join(_lines(run, groups, pictures))


def _lines(run: RunData, groups: Sequence[Group], pictures: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield from document_head(run, "optimizers compared", IN_TABLES)
    yield _about()
    for group in groups:
        yield f"## {markdown_text(group.name)}"
        yield ""
        yield from _claims(group)
        for table in group_tables(group, run):
            yield from markdown_table(table)
    yield "## Beside the paper"
    yield ""
    yield from markdown_table(paper_table(groups))
    yield from _figures(pictures)


def _about() -> str:
    faster, fewer_steps = paper().claim("seconds"), paper().claim("step")
    return ABOUT.format(faster=faster.name, at_most=faster.at_most, fewer_steps=fewer_steps.name)


def _claims(group: Group) -> Iterator[str]:
    for title, sentences in (
        ("Verdicts", [verdict.sentence for verdict in claim_verdicts(group)]),
        ("Causes", [*(cause.sentence for cause in causes(group)), *notes(group)]),
    ):
        if sentences:
            yield f"### {title}"
            yield ""
            for sentence in sentences:
                yield from markdown_item(sentence)
            yield ""


def _figures(pictures: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield "## Figures"
    yield ""
    yield FIGURES
    yield ""
    if not pictures:
        yield "In [report.html](report.html#optimizers)."
    for title, file in pictures:
        yield f"**{markdown_text(title)}**"
        yield ""
        yield f"![{markdown_text(title)}]({file})"
        yield ""
