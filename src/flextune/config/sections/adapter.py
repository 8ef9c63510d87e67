"""The section ``adapter``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from flextune.config.peft_options import REFUSED, checked_start, lora_options
from flextune.config.section import Float, Int, Section
from flextune.config.validation import OTHER_NAMES, SettingError, unknown_key

Targets = Literal["attention", "standard", "mlp", "all", "all-linear"]


class AdapterConfig(Section):
    """LoRA (arXiv:2106.09685): what is trained. Further keys are options of PEFT's LoraConfig, by name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    rank: Int = Field(8, ge=1, description="Rank r of the update B A.")
    alpha: Float = Field(16.0, gt=0, description="The update is multiplied by alpha / rank.")
    dropout: Float = Field(0.05, ge=0, lt=1, description="Dropout on the adapter's input while training.")
    targets: Targets | list[str] = Field(
        "mlp",
        description="A named set or a list of module names. attention: q, v. standard: q, v, up, down. "
        "mlp: gate, up, down. all: q, k, v, o, gate, up, down. all-linear: every linear module but the head.",
    )
    layers: str | list[int] | None = Field(
        None, description='Layers that get an adapter: a list, or a range such as "0-15". null: all.'
    )
    use_rslora: bool = Field(
        False, description="Multiply the update by alpha / sqrt(rank) instead (arXiv:2312.03732)."
    )
    use_dora: bool = Field(
        False, description="DoRA: a magnitude for each output beside B A (arXiv:2402.09353)."
    )
    init_lora_weights: bool | str = Field(
        True,
        description="Start of A and B. true: B is 0. pissa, pissa_niter_4, olora: out of the base weights"
        " (arXiv:2404.02948), saved as a plain adapter of twice the rank. gaussian, orthogonal, mica.",
    )

    @field_validator("init_lora_weights")
    @classmethod
    def _known_start(cls, value: bool | str) -> bool | str:
        return checked_start(value)

    @model_validator(mode="after")
    def _options_of_peft(self) -> AdapterConfig:
        known = lora_options()
        for key in self.options:
            if key in REFUSED:
                raise SettingError(f"adapter.{key}", f"{{key}}: not taken: {REFUSED[key]}")
            if key in OTHER_NAMES or (known is not None and key not in known):
                offered = sorted({*type(self).model_fields, *(known or ())} - {*REFUSED, *OTHER_NAMES})
                raise unknown_key(f"adapter.{key}", offered)
        return self

    @property
    def options(self) -> dict[str, Any]:
        """Options of PEFT that have no key of their own here."""
        return dict(self.model_extra or {})

    @property
    def splits_base(self) -> bool:
        """Whether A and B start out of the base weights, which hold the rest then."""
        return isinstance(self.init_lora_weights, str) and self.init_lora_weights.startswith(
            ("pissa", "olora")
        )
