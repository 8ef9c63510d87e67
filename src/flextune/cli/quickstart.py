"""``flextune quickstart``: the embedded model and benchmark, in minutes on a laptop."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from flextune.cli import experiments as e
from flextune.cli import options as o


def quickstart(
    overrides: e.Overrides = None,
    runs: o.Runs = Path("runs"),
    workers: o.Workers = None,
    no_sandbox: o.NoSandbox = False,
    quickly: e.Quick = False,
    plan: e.Plan = False,
    replace: e.Replace = False,
    as_json: o.Json = False,
) -> None:
    """Fine-tune the embedded model on Python and see what happens to its Java and JavaScript.

    Its experiment can be changed: flextune quickstart penalty.strength=0.02 name=strong
    """
    from flextune.cli.terminal import progress
    from flextune.config import parse_experiment, quick
    from flextune.runner.execute import RunOptions

    source = files("flextune.cli") / "quickstart.yaml"
    text = source.read_text(encoding="utf-8")
    experiment = parse_experiment(text, where="quickstart.yaml", overrides=overrides or [])
    experiment = quick(experiment) if quickly else experiment
    with progress() as reporter:
        options = RunOptions(None, workers, not no_sandbox, reporter, replace)
        e.run_or_plan(experiment, runs / experiment.name, options, plan=plan, as_json=as_json)
    if not plan and not as_json:
        print("next: flextune init > mine.yaml (an experiment of your own, with comments)")
