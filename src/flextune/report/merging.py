"""An audit of a merge as text: a table of its layers, and what was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flextune.report.formats import UNDEFINED, count, p_value, percent
from flextune.report.tables import Table, rich_table

#: Rows of ``MergeAudit.as_row``.
Row = Mapping[str, Any]

NOTE = (
    "Update: |U| / |W|. Error: |M - (W + U)| / |U|, what rounding (or a fault) did to the update. Kept: the"
    " part of the update that is in the weights, <M - W, U> / <U, U>; 1 is all of it. Unmoved: weights with"
    " an update that are what they were."
)


def change_table(audit: Row) -> Table:
    """A row for each type of module: the mean over its parameters, and the worst."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for change in audit["weights"]["changes"]:
        groups[str(change["type"])].append(change)
    rows = [
        (
            kind,
            str(len(members)),
            "/".join(sorted({str(change["dtype"]) for change in members})),
            *(_percent(_mean(members, key)) for key in ("update", "error")),
            _percent(max(float(change["error"]) for change in members)),
            f"{_mean(members, 'scale'):.3f}",
            _percent(_mean(members, "unmoved")),
        )
        for kind, members in groups.items()
    ]
    header = ("module", "n", "type", "update, %", "error, %", "worst, %", "kept", "unmoved, %")
    return Table("Update in the merged weights", header, tuple(rows), NOTE, align="lrlrrrrr")


def layer_table(audit: Row) -> Any:
    """The same for the terminal."""
    return rich_table(change_table(audit), {})


def audit_lines(audit: Row) -> Iterator[str]:
    """What was found, a line each."""
    weights = audit["weights"]
    yield (
        f"weights: error of the update {_percent(weights['error'])} %, kept {weights['scale']:.4f},"
        f" unmoved {_percent(weights['unmoved'])} %"
    )
    yield f"onto {audit['onto']}"
    if audit["note"]:
        yield f"note: {audit['note']}"
    tokens = audit["tokens"]
    if tokens is not None:
        yield (
            f"tokens ({tokens['tokens']:,}): mean KL {tokens['kl']:.2e} nats (largest"
            f" {tokens['kl_max']:.2e}), same likeliest token {100 * tokens['top1']:.2f} %"
        )
        lost = _part(tokens["lost"])
        yield f"the adapter itself: KL {tokens['effect']:.2e}; merging changed {lost} of that"
        changed = audit["changed_texts"]
        yield f"greedy texts: {len(changed)} of {count(audit['texts'], 'text')} differ{_some(changed)}"
    for test, (before, after) in zip(audit["comparisons"], audit["pass_at_1"], strict=True):
        both = f"unmerged {percent(before)}, merged {percent(after)}"
        test_words = f"{test['method']} p = {p_value(test['p_value'])}"
        pairs = f"{len(test['won'])} won, {len(test['lost'])} lost, {test_words}"
        yield f"pass@1 {test['benchmark']} {test['language']}: {both} ({pairs})"
    for reason in audit["reasons"]:
        yield f"{reason['verdict']}: {reason['words']}"
    yield f"verdict: {audit['verdict']}"


def _mean(rows: Sequence[Row], key: str) -> float:
    return sum(float(row[key]) for row in rows) / len(rows)


def _percent(value: float) -> str:
    """Two significant digits: errors are spread over many powers of ten."""
    return f"{100 * value:.2g}"


def _part(value: float | None) -> str:
    return UNDEFINED if value is None else f"{100 * value:.2g} %"


def _some(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})" if names else ""
