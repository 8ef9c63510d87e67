"""``flextune quickstart``: the embedded model and benchmark, in minutes on a laptop."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flextune.cli.options import Json, NoSandbox, Runs, Workers


def quickstart(
    runs: Runs = Path("runs"), workers: Workers = None, no_sandbox: NoSandbox = False, as_json: Json = False
) -> None:
    """Fine-tune the embedded model on Python and see what happens to its Java and JavaScript."""
    from flextune.cli.show import show_run
    from flextune.cli.terminal import progress
    from flextune.config import parse_experiment
    from flextune.runner.execute import RunOptions, run_experiment

    source = files("flextune.cli") / "quickstart.yaml"
    experiment = parse_experiment(source.read_text(encoding="utf-8"), where="quickstart.yaml")
    with progress() as reporter:
        options = RunOptions(None, workers, not no_sandbox, reporter)
        result = run_experiment(experiment, runs / experiment.name, options)
    show_run(result, as_json=as_json)
