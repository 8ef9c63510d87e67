"""The section ``decode``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flextune.config.section import Float, Int, Section


class DecodeConfig(Section):
    """How completions are decoded."""

    strategy: Literal["greedy", "sample", "beam"] = Field(
        "greedy", description="Greedy decoding, sampling, or beam search."
    )
    temperature: Float = Field(0.2, gt=0, description="Logits are divided by it (sample only).")
    top_p: Float = Field(
        0.95, gt=0, le=1, description="Sample among the likeliest tokens of this total probability."
    )
    n: Int = Field(1, ge=1, description="Completions per problem (sample only).")
    num_beams: Int = Field(4, ge=2, description="Beams per problem (beam only).")
    max_new_tokens: Int = Field(512, ge=1, description="Tokens per completion at most.")
    batch_size: Int = Field(32, ge=1, description="Completions decoded together.")

    @model_validator(mode="after")
    def _only_sampling_repeats(self) -> DecodeConfig:
        if self.strategy != "sample" and self.n != 1:
            raise ValueError(f"n: {self.n} needs strategy: sample ({self.strategy} gives one answer)")
        return self

    @property
    def label(self) -> str:
        """Short name for tables; what it leaves out is not used by the strategy."""
        if self.strategy == "sample":
            return f"sample t={self.temperature:g} p={self.top_p:g} n={self.n}"
        return f"beam {self.num_beams}" if self.strategy == "beam" else "greedy"
