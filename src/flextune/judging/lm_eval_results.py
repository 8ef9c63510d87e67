"""What lm-evaluation-harness found: its ``--log_samples`` files as verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.records import Verdict

#: Metrics that say of a row how many of its answers are right, in the order in which they are looked for.
_METRICS = ("pass@1", "pass_at_1", "exact_match", "acc")


def is_lm_eval(row: Mapping[str, Any]) -> bool:
    """Whether a line is one of ``samples_TASK_DATE.jsonl``."""
    return "doc_id" in row and "filtered_resps" in row


def lm_eval_verdicts(file: Path, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, Verdict]]:
    """Verdicts with their lines' numbers; a document of n answers gives n.

    A metric is the mean over the answers of a document, so it says how many passed and not which.

    Raises:
        FlextuneError: Lines of several filters, without a known metric, or of documents that were graded in
            between.
    """
    for number, row in enumerate(rows, start=1):
        if not is_lm_eval(row):
            raise FlextuneError(f"{file}:{number}: not a line of lm-eval's --log_samples")
    filters = sorted({str(row.get("filter", "none")) for row in rows})
    if len(filters) > 1:
        named = ", ".join(filters)
        raise FlextuneError(f"{file}: answers read by several filters ({named}); keep the lines of one")
    verdicts = []
    for number, row in enumerate(rows, start=1):
        where = f"{file}:{number}"
        name, (passed, answers) = _name(row), _passed(where, row)
        outcomes = ["passed"] * passed + ["wrong_answer"] * (answers - passed)
        for sample, outcome in enumerate(outcomes):
            verdicts.append((number, Verdict(name, sample, outcome, "run", language="py")))  # type: ignore[arg-type]
    return verdicts


def _name(row: Mapping[str, Any]) -> str:
    """As our benchmarks call the problem, where the document says which it is."""
    doc = row.get("doc")
    task = doc.get("task_id") if isinstance(doc, Mapping) else None
    if isinstance(task, int):
        return f"MBPP/{task}"
    return task if isinstance(task, str) and task else str(row["doc_id"])


def _passed(where: str, row: Mapping[str, Any]) -> tuple[int, int]:
    """How many answers passed, and of how many."""
    metric = next((key for key in _METRICS if isinstance(row.get(key), (int, float))), None)
    if metric is None:
        raise FlextuneError(f"{where}: no metric that tells right from wrong (known: {', '.join(_METRICS)})")
    answers = row["filtered_resps"]
    if isinstance(answers, list) and len(answers) == 1 and isinstance(answers[0], list):
        answers = answers[0]
    count = max(1, len(answers)) if isinstance(answers, list) else 1
    passed = float(row[metric]) * count
    if not (0 <= round(passed) <= count and abs(passed - round(passed)) < 1e-6):
        raise FlextuneError(f"{where}: {metric} is {row[metric]}, which is no share of {count} answers")
    return round(passed), count
