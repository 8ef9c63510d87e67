"""Model folders of arms whose adapter is to be merged: what ``flextune train`` leaves beside the adapter."""

from __future__ import annotations

from pathlib import Path

from flextune.config import Experiment, GenerateConfig
from flextune.errors import FlextuneError
from flextune.progress import Reporter
from flextune.runner.merging.merge import merge_adapter_folder
from flextune.runner.merging.request import merge_options
from flextune.runner.plan import Plan
from flextune.runs import layout
from flextune.runs.run import Run


def export_merged(experiment: Experiment, plan: Plan, run: Run, reporter: Reporter) -> list[Path]:
    """Write ``trained/<key>/merged`` for every arm with ``generate.export: merged``, unless it is there.

    Args:
        experiment: Whose arms.
        plan: Its trainings, which are finished.
        run: Where they lie.
        reporter: Told of the progress.

    Returns:
        The model folders.

    Raises:
        FlextuneError: As ``merge_adapter_folder``; a merge that gives another model than the adapter.
    """
    folders: dict[Path, Experiment] = {}
    for arm in experiment.resolved_arms():
        # Without an adapter there is a model already.
        if arm.train is None or arm.adapter is None or not _is_exported(arm.generate):
            continue
        for seed in experiment.seeds:
            folders[run.trained(plan.by_arm[arm.name, seed].key).folder / layout.MERGED] = arm
    for folder, arm in folders.items():
        if not folder.exists():
            _merge(folder, arm, reporter)
    return list(folders)


def _is_exported(generate: GenerateConfig) -> bool:
    """Whether it is a merged model to keep: a smaller update and a mistake on purpose are for evaluations."""
    whole = generate.scale == 1 and generate.spectral_norm is None
    return generate.export == "merged" and whole and generate.fault == "none"


def _merge(folder: Path, arm: Experiment, reporter: Reporter) -> None:
    adapter = folder.with_name(layout.ADAPTER)
    generate = arm.generate
    onto = generate.onto if generate.onto != "weights" else arm.quantization or "weights"
    options = merge_options(
        adapter,
        dtype=generate.dtype or "auto",
        onto=onto,
        rounding=generate.rounding,
        reporter=reporter,
    )
    if merge_adapter_folder(adapter, folder, options).refused:
        raise FlextuneError(
            f"{adapter}: merged, it is another model than beside the weights;"
            f" `flextune merge {adapter}` says why"
        )
