"""``flextune run``: an experiment file from end to end."""

from __future__ import annotations

from pathlib import Path

from flextune.cli import experiments as e
from flextune.cli import options as o


def run_file(
    file: e.File,
    overrides: e.Overrides = None,
    data_dir: o.DataDir = None,
    runs: o.Runs = Path("runs"),
    workers: o.Workers = None,
    cluster: o.Cluster = None,
    no_sandbox: o.NoSandbox = False,
    quickly: e.Quick = False,
    plan: e.Plan = False,
    replace: e.Replace = False,
    as_json: o.Json = False,
) -> None:
    """Run an experiment: train, generate, judge, score and report. The same command resumes it.

    flextune run mine.yaml --plan; flextune run mine.yaml train.epochs=1 'seeds=[0]'
    """
    from flextune.cli.terminal import progress
    from flextune.config import quick
    from flextune.runner.cluster.joining import joined
    from flextune.runner.execute import RunOptions

    experiment, folder = e.open_experiment(file, overrides, runs)
    if quickly:
        experiment = quick(experiment)
        folder = folder.with_name(experiment.name)
    with progress() as reporter, joined(None if plan else cluster, workers) as executor:
        options = RunOptions(data_dir, workers, not no_sandbox, reporter, replace, executor)
        e.run_or_plan(experiment, folder, options, plan=plan, as_json=as_json)
