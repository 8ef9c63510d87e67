"""flextune: fine-tune code models in one language and know what it does to the others.

    import flextune as ft

    run = ft.run("experiment.yaml", "seeds=[0]")
    run.scores.to_pandas()

Names are imported when they are first used: ``import flextune`` alone loads nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from flextune.api.adapters import merge, spectrum
    from flextune.api.data import load_examples, overlap
    from flextune.api.experiments import (
        evaluate,
        generate,
        load_problems,
        open_run,
        reproduce,
        run,
        sweep,
        train,
    )
    from flextune.api.verdicts import compare, power, score
    from flextune.config import Experiment, Recipe, load_experiment
    from flextune.errors import FlextuneError
    from flextune.judging import Judge, JudgeSettings, Reward, check_problems, judge_files
    from flextune.records import Completion, Example, Problem, Verdict
    from flextune.runner.pass_at_one import PassAtOneCallback
    from flextune.runs.run import Run
    from flextune.studies.writing import write_report
    from flextune.training.callbacks.keeping import KeepBestCallback

_HOMES = {
    "Completion": "flextune.records",
    "Example": "flextune.records",
    "Experiment": "flextune.config",
    "FlextuneError": "flextune.errors",
    "Judge": "flextune.judging",
    "JudgeSettings": "flextune.judging",
    "KeepBestCallback": "flextune.training.callbacks.keeping",
    "PassAtOneCallback": "flextune.runner.pass_at_one",
    "Problem": "flextune.records",
    "Recipe": "flextune.config",
    "Reward": "flextune.judging",
    "Run": "flextune.runs.run",
    "Verdict": "flextune.records",
    "check_problems": "flextune.judging",
    "compare": "flextune.api.verdicts",
    "evaluate": "flextune.api.experiments",
    "generate": "flextune.api.experiments",
    "judge_files": "flextune.judging",
    "load_examples": "flextune.api.data",
    "load_experiment": "flextune.config",
    "load_problems": "flextune.api.experiments",
    "merge": "flextune.api.adapters",
    "open_run": "flextune.api.experiments",
    "overlap": "flextune.api.data",
    "power": "flextune.api.verdicts",
    "reproduce": "flextune.api.experiments",
    "run": "flextune.api.experiments",
    "score": "flextune.api.verdicts",
    "spectrum": "flextune.api.adapters",
    "sweep": "flextune.api.experiments",
    "train": "flextune.api.experiments",
    "write_report": "flextune.studies.writing",
}

__all__ = [
    "Completion",
    "Example",
    "Experiment",
    "FlextuneError",
    "Judge",
    "JudgeSettings",
    "KeepBestCallback",
    "PassAtOneCallback",
    "Problem",
    "Recipe",
    "Reward",
    "Run",
    "Verdict",
    "check_problems",
    "compare",
    "evaluate",
    "generate",
    "judge_files",
    "load_examples",
    "load_experiment",
    "load_problems",
    "merge",
    "open_run",
    "overlap",
    "power",
    "reproduce",
    "run",
    "score",
    "spectrum",
    "sweep",
    "train",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """A public name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module 'flextune' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Public names, loaded or not."""
    return sorted({*globals(), *__all__})
