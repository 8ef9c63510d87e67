"""The section ``decode``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from flextune.config.section import Float, Int, Section

#: Keys that belong to one way of decoding; the others belong to all.
_OWN = {
    "sample": {"temperature", "top_p", "top_k", "min_p", "n"},
    "beam": {"num_beams", "length_penalty", "early_stopping"},
    "greedy": set[str](),
}


class DecodeConfig(Section):
    """How completions are decoded."""

    strategy: Literal["greedy", "sample", "beam"] = Field(
        "greedy", description="Greedy decoding, sampling, or beam search."
    )
    temperature: Float = Field(0.2, gt=0, description="Logits are divided by it (sample only).")
    top_p: Float = Field(
        0.95, gt=0, le=1, description="Sample among the likeliest tokens of this total probability."
    )
    top_k: Int = Field(0, ge=0, description="Sample among the N likeliest tokens; 0: all (sample only).")
    min_p: Float = Field(
        0.0, ge=0, lt=1, description="Leave out tokens below this share of the likeliest one (sample only)."
    )
    n: Int = Field(1, ge=1, description="Completions per problem (sample only).")
    num_beams: Int = Field(4, ge=2, description="Beams per problem (beam only).")
    length_penalty: Float = Field(
        1.0, description="A beam's log-probability is divided by its length to this power (beam only)."
    )
    early_stopping: bool | Literal["never"] = Field(
        False,
        description="End a beam search when num_beams texts have ended (true), when no better one is likely "
        "(false), or when none is possible (never) (beam only).",
    )
    repetition_penalty: Float = Field(
        1.0, gt=0, description="The logits of tokens that the text already holds are divided by it; 1: off."
    )
    max_new_tokens: Int = Field(512, ge=1, description="Largest number of tokens per completion.")
    batch_size: Int | None = Field(
        None,
        ge=1,
        description="Largest number of completions decoded together. null: as many as memory allows.",
    )

    @model_validator(mode="after")
    def _only_sampling_repeats(self) -> DecodeConfig:
        if self.strategy != "sample" and self.n != 1:
            raise ValueError(f"n: {self.n} needs strategy: sample ({self.strategy} gives one answer)")
        return self

    def used(self) -> dict[str, Any]:
        """The keys that can change a completion: none of another strategy, none that is only about speed."""
        others = {key for strategy, keys in _OWN.items() if strategy != self.strategy for key in keys}
        return self.model_dump(mode="json", exclude=others | {"batch_size"})

    def unused(self) -> list[str]:
        """Keys of another strategy that are set to more than their defaults, each with what it needs."""
        return [
            f"{key}: {getattr(self, key)} needs strategy: {strategy} ({self.strategy} has no use for it)"
            for strategy, keys in _OWN.items()
            if strategy != self.strategy
            for key in sorted(keys)
            if getattr(self, key) != type(self).model_fields[key].default
        ]

    @property
    def label(self) -> str:
        """Short name for tables; what it leaves out is not used by the strategy, or changes nothing."""
        parts = {
            "sample": [f"sample t={self.temperature:g} p={self.top_p:g}"],
            "beam": [f"beam {self.num_beams}"],
            "greedy": ["greedy"],
        }[self.strategy]
        if self.strategy == "sample":
            parts += [f"k={self.top_k}"] if self.top_k else []
            parts += [f"min_p={self.min_p:g}"] if self.min_p else []
            parts += [f"n={self.n}"]
        if self.strategy == "beam":
            parts += [f"length={self.length_penalty:g}"] if self.length_penalty != 1 else []
            parts += [f"early={str(self.early_stopping).lower()}"] if self.early_stopping else []
        parts += [f"rep={self.repetition_penalty:g}"] if self.repetition_penalty != 1 else []
        return " ".join(parts)
