"""How results are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flextune.cli.terminal import out, print_json

if TYPE_CHECKING:
    from flextune.runner.execute import RunResult


def show_run(result: RunResult, *, as_json: bool) -> None:
    """The table of scores and where the page lies, or scores.json itself.

    Where optimizers are compared, their ratios to AdamW are the last line, as JSON.
    """
    from flextune.report.table import score_table

    if as_json:
        print_json(json.loads(result.run.scores_file.read_text(encoding="utf-8")))
        return
    console = out()
    console.print(score_table(result.scores, result.comparisons))
    console.print(f"page: {result.page}", highlight=False, soft_wrap=True)
    if result.study is not None:
        from flextune.report.inputs import read_run
        from flextune.report.optimizers.study import optimizer_summary

        console.print(f"optimizers: {result.study}", highlight=False, soft_wrap=True)
        print(json.dumps(optimizer_summary(read_run(result.run.folder))))
