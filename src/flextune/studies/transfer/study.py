"""The study of transfer: what arms learned in one language, and what they kept in the others."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from flextune.report.facts import document_head
from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Fragment, Section, asset
from flextune.report.tables import COLUMNS, Table, markdown_item, markdown_table, markdown_text
from flextune.statistics.decision import MARGIN
from flextune.studies.base import Study, once_per_run
from flextune.studies.transfer.equal_learning import EqualLearning, equal_learning
from flextune.studies.transfer.figures import transfer_charts
from flextune.studies.transfer.matrices import matrices, matrix_table
from flextune.studies.transfer.plane import Plane, planes
from flextune.studies.transfer.tables import equal_table, plane_table, sentences

INTRO = (
    "An arm that learns less also forgets less. So arms are compared at equal learning: a line joins the arms"
    " of a family (all settings are the same but one number), and says what the family keeps at each level of"
    " learning."
)


class TransferStudy(Study):
    """Applies where arms were trained in one language and evaluated in it and in another."""

    def applies(self, run: RunData) -> bool:
        """Whether there is a trained arm with something learned and something kept."""
        return bool(planes(run))

    def sections(self, run: RunData) -> list[Section]:
        """One section: the plane, the matrices, the comparison at equal learning."""
        return [
            Section(
                id="transfer",
                title="Learned and kept",
                order=22,
                intro=INTRO,
                charts=transfer_charts(run),
                tables=tuple(_tables(run)),
                fragment=Fragment(
                    asset("flextune.studies.transfer", "templates/section.html.j2"),
                    {"sentences": list(_equal_sentences(run))},
                ),
            )
        ]

    def pictures(self, run: RunData) -> list[Chart]:
        """The section's charts."""
        return list(transfer_charts(run))

    def documents(self, run: RunData, files: Mapping[str, str]) -> dict[str, str]:
        """``transfer.md``, with links to the pictures."""
        return {"transfer.md": "\n".join(_document(run, files))}


@once_per_run
def compared_families(run: RunData) -> tuple[tuple[Plane, list[EqualLearning]], ...]:
    """The plane of each way of decoding, and its families at equal learning."""
    return tuple((plane, equal_learning(plane, _margin(run))) for plane in planes(run))


def _margin(run: RunData) -> float:
    return run.experiment.contrasts.margin / 100 if run.experiment is not None else MARGIN


def _tables(run: RunData) -> Iterator[Table]:
    for plane, compared in compared_families(run):
        yield plane_table(plane, run)
        if compared:
            yield equal_table(compared)
    for matrix in matrices(run):
        yield matrix_table(matrix, run)


def _equal_sentences(run: RunData) -> Iterator[str]:
    """Those about families: the section has the arms in its tables."""
    for plane, compared in compared_families(run):
        for number, sentence in enumerate(sentences(plane, compared, run, _margin(run))):
            if number < len(compared):
                yield sentence


def _document(run: RunData, files: Mapping[str, str]) -> Iterator[str]:
    yield from document_head(run, "learned and kept")
    yield from textwrap.wrap(INTRO, COLUMNS)
    yield ""
    charts = transfer_charts(run)
    for chart in charts:
        if chart.id in files:
            yield f"![{markdown_text(chart.title)}]({files[chart.id]})"
            yield ""
    if not any(chart.id in files for chart in charts):
        yield "The figures are in [report.html](report.html#transfer)."
        yield ""
    yield "## Findings"
    yield ""
    for plane, compared in compared_families(run):
        for sentence in sentences(plane, compared, run, _margin(run)):
            yield from markdown_item(sentence)
    yield ""
    yield "## Numbers"
    yield ""
    for table in _tables(run):
        yield from markdown_table(table)
