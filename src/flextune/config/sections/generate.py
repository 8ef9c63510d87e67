"""The section ``generate``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flextune.config.section import Float, Section


class GenerateConfig(Section):
    """Which form of the model answers the benchmarks; nothing in it changes a training."""

    export: Literal["adapter", "merged"] = Field(
        "adapter", description="The base model with its adapter beside the weights, or merged into them."
    )
    scale: Float = Field(
        1.0, ge=0, le=1, description="What the trained update is multiplied by (0: the base model)."
    )
    adapter: str | None = Field(
        None,
        description="Folder of a PEFT adapter that was trained elsewhere; needs train: null. null: none.",
    )
