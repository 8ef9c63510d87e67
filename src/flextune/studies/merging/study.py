"""The study of merging: one adapter used in different ways, and audits of its merges."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from flextune.report.facts import document_head
from flextune.report.merging import audit_lines, change_table
from flextune.report.run_data import RunData
from flextune.report.sections import Section
from flextune.report.tables import COLUMNS, Table, markdown_item, markdown_table, markdown_text
from flextune.studies.base import Study, once_per_run
from flextune.studies.merging.claims import MERGED, UNMERGED, claims
from flextune.studies.merging.forms import Group, merging_groups
from flextune.studies.merging.tables import form_table, group_notes, selection_table

INTRO = (
    f"The paper reports {100 * UNMERGED:.2f} % for an unmerged model and {100 * MERGED:.2f} % for a merged"
    " one. A use of an adapter makes such a gap where its whole interval is below 0 and reaches that far;"
    " it cannot where its whole interval is above that gap."
)


class MergingStudy(Study):
    """Applies where arms use the same adapters in different ways, and where merges were audited."""

    def applies(self, run: RunData) -> bool:
        """Whether there is more than one use of an adapter, or an audit."""
        return bool(_groups(run) or _audits(run))

    def sections(self, run: RunData) -> list[Section]:
        """One section: uses of an adapter, decodings, what is decided, audits."""
        groups = _groups(run)
        notes = [claim.sentence for claim in claims(groups)] + group_notes(groups)
        for name, audit in _audits(run).items():
            notes += [f"{name}: {line}" for line in audit_lines(audit)]
        return [
            Section(
                id="merging",
                title="Merging",
                order=65,
                intro=INTRO if groups else "",
                tables=tuple(_tables(run)),
                notes=tuple(notes),
            )
        ]

    def documents(self, run: RunData, files: Mapping[str, str]) -> dict[str, str]:
        """``merging.md``."""
        return {"merging.md": "\n".join(_document(run))}


@once_per_run
def _groups(run: RunData) -> tuple[Group, ...]:
    return tuple(merging_groups(run))


@once_per_run
def _audits(run: RunData) -> dict[str, Mapping[str, Any]]:
    return {
        f"{trained.key[:6]} {name}": audit
        for trained in run.run.trainings()
        for name, audit in trained.merges().items()
    }


def _tables(run: RunData) -> Iterator[Table]:
    yield from map(form_table, _groups(run))
    chosen = selection_table(run) if _groups(run) else None
    if chosen is not None:
        yield chosen
    for name, audit in _audits(run).items():
        table = change_table(audit)
        yield Table(f"{table.title}: {name}", table.header, table.rows, table.note, align=table.align)


def _document(run: RunData) -> Iterator[str]:
    yield from document_head(run, "one adapter, used in different ways")
    groups = _groups(run)
    if groups:
        yield from textwrap.wrap(INTRO, COLUMNS)
        yield ""
        for claim in claims(groups):
            yield from markdown_item(claim.sentence)
        yield ""
    for table in _tables(run):
        yield from markdown_table(table)
    for name, audit in _audits(run).items():
        yield f"### Audit: {markdown_text(name)}"
        yield ""
        for line in audit_lines(audit):
            yield from markdown_item(line)
        yield ""
