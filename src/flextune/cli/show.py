"""How results are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flextune.cli.terminal import out, print_json

if TYPE_CHECKING:
    from flextune.runner.execute import RunResult


def show_run(result: RunResult, *, as_json: bool) -> None:
    """The table of scores and where the page lies, or scores.json itself.

    A study's documents and its summary, as one line of JSON, come last.
    """
    from flextune.studies.scores.score_table import score_table

    if as_json:
        print_json(json.loads(result.run.scores_file.read_text(encoding="utf-8")))
        return
    console = out()
    console.print(score_table(result.scores, result.comparisons))
    console.print(f"page: {result.report.page}", highlight=False, soft_wrap=True)
    for study in result.report.studies:
        for document in study.documents:
            console.print(f"{study.study}: {document}", highlight=False, soft_wrap=True)
        if study.summary is not None:
            print(json.dumps(study.summary))
