"""The section ``adapter``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flextune.config.section import Float, Int, Section

Targets = Literal["attention", "standard", "mlp", "all"]


class AdapterConfig(Section):
    """LoRA (arXiv:2106.09685): what is trained."""

    rank: Int = Field(8, ge=1, description="Rank r of the update B A.")
    alpha: Float = Field(16.0, gt=0, description="The update is multiplied by alpha / rank.")
    dropout: Float = Field(0.05, ge=0, lt=1, description="Dropout on the adapter's input while training.")
    targets: Targets | list[str] = Field(
        "mlp",
        description="A named set or a list of module names. attention: q, v. standard: q, v, up, down. "
        "mlp: gate, up, down. all: q, k, v, o, gate, up, down.",
    )
    layers: str | list[int] | None = Field(
        None, description='Layers that get an adapter: a list, or a range such as "0-15". null: all.'
    )
