"""``flextune eval``: a model, with or without an adapter, on a benchmark; no experiment file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flextune.cli import options as o
from flextune.cli.groups import grouped
from flextune.cli.limit_options import LimitOptions
from flextune.cli.requests import ModelRequest
from flextune.cli.server_options import ServerOptions


@grouped
def evaluate(
    request: ModelRequest,
    server: ServerOptions,
    limits: LimitOptions,
    language: o.Languages = None,
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--name", help="Name of the run (default: eval-MODEL).", show_default=False),
    ] = None,
    data_dir: o.DataDir = None,
    runs: o.Runs = Path("runs"),
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    as_json: o.Json = False,
) -> None:
    """Evaluate a model on a benchmark by running its programs.

    Evaluations of one model extend one run: `flextune runs` lists it, `flextune report` shows all of it.
    """
    from flextune.cli.terminal import out, print_json, progress
    from flextune.config import JudgeConfig
    from flextune.records import as_row
    from flextune.runner.evaluate import evaluate_model
    from flextune.runner.execute import RunOptions
    from flextune.studies.scores.score_table import score_table

    experiment = request.experiment(language or ["py"], server.section())
    experiment = experiment.model_copy(update={"judge": JudgeConfig(**limits.section())})
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter)
        result = evaluate_model(experiment, runs / (name or f"eval-{experiment.name}"), options)
    if as_json:
        print_json([as_row(score) for score in result.scores])
    else:
        out().print(score_table(result.scores, result.comparisons))
        out().print(f"page: {result.report.page}", highlight=False, soft_wrap=True)
