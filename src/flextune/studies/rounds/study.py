"""The study of the paper's rounds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from flextune.report.facts import document_head
from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Section
from flextune.report.tables import COLUMNS, markdown_table
from flextune.studies.base import Study
from flextune.studies.rounds.claims import score_verdicts
from flextune.studies.rounds.figures import decoding_charts, rounds_chart
from flextune.studies.rounds.paper import paper_scores
from flextune.studies.rounds.tables import claim_table, score_table, tally
from flextune.studies.rounds.training_verdicts import training_verdicts

INTRO = (
    "The paper (arXiv:2604.06253) fine-tunes Code Llama 7B in rounds 0 to 5. These are its numbers beside"
    " ours, and what ours say to its claims."
)


class RoundsStudy(Study):
    """Applies where an arm stands for one of the paper's scores."""

    def applies(self, run: RunData) -> bool:
        """Whether the run has such an arm."""
        named = {score.arm for score in paper_scores()}
        return any(score.arm in named for score in run.scores)

    def sections(self, run: RunData) -> list[Section]:
        """One section: bars, figures over decodings, the two tables."""
        verdicts = [*score_verdicts(run), *training_verdicts(run)]
        return [
            Section(
                id="rounds",
                title="The paper's rounds",
                order=25,
                intro=INTRO,
                charts=(rounds_chart(run), *decoding_charts(run)),
                tables=(score_table(run), *([claim_table(verdicts)] if verdicts else [])),
            )
        ]

    def pictures(self, run: RunData) -> list[Chart]:
        """The section's charts."""
        return [rounds_chart(run), *decoding_charts(run)]

    def documents(self, run: RunData, files: Mapping[str, str]) -> dict[str, str]:
        """``rounds.md``."""
        return {"rounds.md": "\n".join(_document(run, files))}

    def summary(self, run: RunData) -> dict[str, Any] | None:
        """The verdict on each claim."""
        verdicts = [*score_verdicts(run), *training_verdicts(run)]
        return {"claims": {each.claim.id: each.decision for each in verdicts}} if verdicts else None


def _document(run: RunData, files: Mapping[str, str]) -> Iterator[str]:
    yield from document_head(run, "the paper's rounds")
    yield from textwrap.wrap(INTRO, COLUMNS)
    yield ""
    verdicts = [*score_verdicts(run), *training_verdicts(run)]
    if verdicts:
        yield f"Claims: {tally(verdicts)}."
        yield ""
    yield from markdown_table(score_table(run))
    if verdicts:
        yield from markdown_table(claim_table(verdicts))
    for chart in (rounds_chart(run), *decoding_charts(run)):
        if chart.id in files:
            yield f"![{chart.title}]({files[chart.id]})"
            yield ""
