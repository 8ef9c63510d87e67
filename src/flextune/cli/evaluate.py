"""``flextune eval``: models, with or without adapters, on benchmarks, and what the adapters changed."""

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
    models: Annotated[list[str], typer.Argument(metavar="MODEL[+ADAPTER]", help=o.MODEL, show_default=False)],
    request: ModelRequest,
    server: ServerOptions,
    limits: LimitOptions,
    language: o.Languages = None,
    alone: Annotated[bool, typer.Option("--alone", help="Do not add the base model of an adapter.")] = False,
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
    """Evaluate models on a benchmark by running their programs, and compare adapters with their base model.

    flextune eval BASE BASE+ADAPTER --benchmark humaneval

    Evaluations of one model extend one run: `flextune runs` lists it, `flextune report` shows all of it.
    """
    from flextune.cli.show import show_evaluation
    from flextune.cli.terminal import progress
    from flextune.config import JudgeConfig
    from flextune.config.names import A_NAME, is_name
    from flextune.errors import FlextuneError
    from flextune.runner.evaluate import evaluate_models, with_base_models
    from flextune.runner.execute import RunOptions

    if name is not None and not is_name(name):
        raise FlextuneError(f"--name {name!r}: {A_NAME}")
    judge = JudgeConfig(**limits.section())
    asked = request.experiments(models, language, server.section())
    asked = [experiment.model_copy(update={"judge": judge}) for experiment in asked]
    asked = asked if alone else with_base_models(asked)
    with progress() as reporter:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter)
        result = evaluate_models(asked, runs / (name or f"eval-{asked[0].name}"), options)
    show_evaluation(result, as_json=as_json)
