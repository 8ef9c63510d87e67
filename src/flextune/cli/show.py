"""How results are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.cli.terminal import out, print_json

if TYPE_CHECKING:
    from flextune.records import Comparison, Score
    from flextune.runner.execute import RunResult
    from flextune.runs.run import Run


#: Comparisons of which each gets a sentence of its own below the table.
SENTENCES = 6


def show_run(result: RunResult, *, as_json: bool) -> None:
    """The table of scores and where the page lies, or scores.json itself.

    A study's documents and its summary, as one line of JSON, come last.
    """
    if as_json:
        print_json(json.loads(result.run.scores_file.read_text(encoding="utf-8")))
        return
    show_scores(result.run, result.scores, result.comparisons, result.report.page)
    for study in result.report.studies:
        for document in study.documents:
            _line(f"{study.study}: {document}")
        if study.summary is not None:
            print(json.dumps(study.summary))


def show_evaluation(result: RunResult, *, as_json: bool) -> None:
    """The table of what was asked for, or the same in the format of scores.json."""
    from flextune.statistics.scores_file import scores_json

    if not as_json:
        show_scores(result.run, result.scores, result.comparisons, result.report.page)
        return
    baseline = next((row.baseline for row in result.comparisons), result.scores[0].arm)
    print_json(json.loads(scores_json(result.run.name, baseline, result.scores, result.comparisons)))


def show_scores(run: Run, scores: Sequence[Score], comparisons: Sequence[Comparison], page: Path) -> None:
    """Scores and comparisons as a table; of a few comparisons each as a sentence, too; and the page."""
    from flextune.report.labels import labels
    from flextune.studies.scores.score_table import score_table, sentences

    taught = labels(run.experiment, scores, "").taught
    out().print(score_table(scores, comparisons, taught=taught))
    if len(comparisons) <= SENTENCES:
        for words in sentences(comparisons, taught=taught):
            out().print(words, highlight=False, markup=False)
    _line(f"page: {page}")


def _line(text: str) -> None:
    out().print(text, highlight=False, markup=False, soft_wrap=True)
