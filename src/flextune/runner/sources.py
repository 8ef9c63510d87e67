"""What planning reads: models' and adapters' identities, problems, examples, prompts."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from flextune.config import EvaluateConfig, TrainConfig
from flextune.generation.prompts.posing import pose
from flextune.models.adapter_folder import adapter_identity, usable_adapter
from flextune.records import Problem
from flextune.runner.models import ModelStore, written_examples
from flextune.runner.plan import Examples, Sources
from flextune.runner.starts import finished_adapter, refuse_merged_base
from flextune.sources.loading import load_examples, load_problems

#: Keys of a training that no source of examples has a use for.
OF_THE_OPTIMIZER = {
    "batch_size",
    "epochs",
    "evaluate",
    "gradient_accumulation_steps",
    "keep_best",
    "learning_rate",
    "logging_steps",
    "lr_scheduler_type",
    "max_grad_norm",
    "max_steps",
    "warmup_steps",
    "weight_decay",
}


def plan_sources(models: ModelStore, data_dir: Path | None) -> Sources:
    """What planning reads: models' and adapters' identities, and data."""
    return Sources(
        model=models.identity,
        adapter=_ready_adapter,
        finished=finished_adapter,
        written=written_examples,
        problems=lambda part: load_problems(part, data_dir),
        examples=lambda train: load_examples(train, data_dir),
        pose=lambda generate, part, problems: pose(generate, part, problems, data_dir),
    )


def _ready_adapter(folder: Path) -> str:
    """Identity of an adapter from elsewhere."""
    adapter = usable_adapter(folder)
    refuse_merged_base(adapter.path)
    return adapter_identity(adapter.path)


def remembered(sources: Sources) -> Sources:
    """The same sources, which read everything once: searches plan again and again, in several threads."""
    problems: dict[str, list[Problem]] = {}
    examples: dict[str, Examples] = {}
    reading = threading.Lock()

    def posed(part: EvaluateConfig) -> list[Problem]:
        source = part.model_dump_json()
        with reading:
            if source not in problems:
                problems[source] = sources.problems(part)
        return problems[source]

    def learned(train: TrainConfig) -> Examples:
        source = train.model_dump_json(exclude=OF_THE_OPTIMIZER)
        with reading:
            if source not in examples:
                examples[source] = sources.examples(train)
        return examples[source]

    return replace(sources, problems=posed, examples=learned)
