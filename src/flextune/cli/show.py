"""How results are printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.cli.terminal import out, print_json, print_line

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
            print_line(f"{study.study}: {document}", wrap=False)
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
    """Scores and comparisons as a table; what they say, in sentences; and the page.

    Of a few comparisons each gets a sentence; of many those that the experiment names, or each arm, as on the
    page.
    """
    from flextune.report.labels import labels
    from flextune.report.verdict_words import plain
    from flextune.studies.scores.copies import copies
    from flextune.studies.scores.headline import headline
    from flextune.studies.scores.score_table import score_table, sentences

    names = labels(run.experiment, scores, run.scores.baseline)
    out().print(score_table(scores, comparisons, taught=names.taught))
    if len(comparisons) <= SENTENCES:
        said = list(sentences(comparisons, taught=names.taught))
    else:
        said = [plain(" ".join(line)) for line in headline(comparisons, names, copies(scores, names))]
    for words in said:
        print_line(words)
    _link("page", page)


def _link(what: str, file: Path) -> None:
    """A file by its whole path, which a terminal that can opens at a click."""
    from rich.style import Style
    from rich.text import Text

    path = file.absolute()
    out().print(Text.assemble(f"{what}: ", (str(path), Style(link=path.as_uri()))), soft_wrap=True)
