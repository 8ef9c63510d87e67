"""The section ``train.evaluate``: pass@1 while a training runs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import Field, model_validator

from flextune.config.section import Int, Section
from flextune.config.sections.evaluate import EvaluateConfig

#: What pass@1 is called in logs: this, and what is measured.
PASS_AT_1 = "pass_at_1"

#: Benchmark, language and lexicon (None where there is one alone) of a set of problems.
Place = tuple[str, str, str | None]


def pass_at_1_names(places: Sequence[Place]) -> list[str]:
    """What pass@1 of each set of problems is called in logs and trackers.

    ``pass_at_1_java``; where two sets share a language, with the benchmark too, and then with the lexicon.

    Args:
        places: All that are measured together, no two of them equal.
    """
    names: list[str] = []
    for shown in (slice(1, 2), slice(2), slice(3)):
        named = ["_".join([PASS_AT_1, *(part for part in [*place][shown] if part)]) for place in places]
        names = [re.sub(r"[^\w.-]+", "_", name) for name in named]
        if len(set(names)) == len(names):
            break
    return names


class TrainEvaluateConfig(Section):
    """pass@1 while training: a few problems, answered greedily and judged every few steps."""

    steps: Int = Field(
        50, ge=1, description="Optimizer steps between two evaluations; one is before the first step, too."
    )
    benchmarks: list[EvaluateConfig] = Field(min_length=1, description="Benchmarks, each in one language.")
    limit: Int = Field(20, ge=1, description="Problems of each, where it has no limit of its own.")
    max_new_tokens: Int = Field(512, ge=1, description="Tokens per answer at most.")

    @model_validator(mode="after")
    def _each_once(self) -> TrainEvaluateConfig:
        labels = [part.label for part in self.benchmarks]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"benchmarks: {label!r} is given twice")
        return self

    @property
    def parts(self) -> list[EvaluateConfig]:
        """What is evaluated, each with a limit."""
        return [part.model_copy(update={"limit": part.limit or self.limit}) for part in self.benchmarks]

    @property
    def metrics(self) -> list[str]:
        """What is logged; the last one is the mean, where there are several."""
        names = pass_at_1_names([(part.name, part.language, part.own_lexicon) for part in self.benchmarks])
        return [*names, PASS_AT_1] if len(names) > 1 else names
