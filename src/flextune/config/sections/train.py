"""The sections ``adapter`` and ``train``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from flextune.config.names import LanguageName, SourceName
from flextune.config.section import Part, Real

Targets = Literal["attention", "standard", "mlp", "all"]
Lexicon = Literal["base", "reserved"]


class AdapterConfig(Part):
    """LoRA (arXiv:2106.09685) and what is evaluated: the adapter beside the model, or merged into it."""

    rank: int = Field(8, ge=1)
    alpha: Real = Field(16.0, gt=0)
    dropout: Real = Field(0.05, ge=0, lt=1)
    targets: Targets | list[str] = Field(
        "mlp", description="A named set (attention, standard, mlp, all) or a list of module names."
    )
    layers: str | list[int] | None = Field(
        None, description='Layers that get an adapter: a list, or a range such as "0-15". null: all.'
    )
    export: Literal["adapter", "merged"] = Field(
        "adapter", description="What generation uses: the base model with its adapter, or merged weights."
    )
    scale: Real = Field(
        1.0,
        ge=0,
        le=1,
        description="What generation multiplies the trained update by (0: the base model); no new training.",
    )


class EarlyStoppingConfig(Part):
    """End a training that no longer improves, and keep the best adapter that it had."""

    patience: int = Field(
        3,
        ge=1,
        description="Validations in a row without a new lowest loss (there are about ten, and one before"
        " the first step).",
    )


class KLConfig(Part):
    """weight * KL(adapter || base model), the mean over counted tokens, in the loss."""

    weight: Real = Field(0.1, gt=0)
    tokens: Literal["prompt", "all"] = Field(
        "prompt",
        description="Whose predictions are compared: the training prompts' tokens, or the answers' too.",
    )


class ReplayConfig(Part):
    """Programs in other languages among the training examples: Rosetta's, in its base lexicon."""

    share: Real = Field(0.05, gt=0, lt=1, description="Of all examples; their number stays the same.")
    languages: list[LanguageName] = Field(min_length=1, description="In equal parts.")

    @field_validator("languages")
    @classmethod
    def _each_once(cls, languages: list[str]) -> list[str]:
        for language in languages:
            if languages.count(language) > 1:
                raise ValueError(f"{language!r} is given twice")
        return languages


class TrainConfig(Part):
    """Training data and the recipe."""

    data: SourceName = "mbpp"
    language: LanguageName = Field("py", description="Language of the training programs (Rosetta only).")
    lexicon: Lexicon = Field("base", description="Wording of the training descriptions (Rosetta only).")
    format: Literal["docstring", "paper"] = Field(
        "paper",
        description="docstring: signature and description as HumanEval poses them. "
        "paper: text, the tests as comments, then the code.",
    )
    loss: Literal["completion", "full"] = Field(
        "completion", description="Tokens that count: the answer alone, or the prompt too (the paper's)."
    )
    limit: int | None = Field(None, ge=1, description="Use the first so many examples.")
    validation: int = Field(32, ge=0, description="Examples held out of training for the validation loss.")
    epochs: Real = Field(3.0, gt=0)
    max_steps: int | None = Field(None, ge=1, description="Optimizer steps; overrides epochs.")
    batch_size: int = Field(4, ge=1)
    accumulation: int = Field(1, ge=1, description="Batches per optimizer step.")
    learning_rate: Real = Field(2e-4, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Real = Field(0.0, ge=0, description="Share of the steps (below 1) or number of steps.")
    weight_decay: Real = Field(0.0, ge=0)
    clip: Real = Field(1.0, ge=0, description="Largest gradient norm; 0 switches clipping off.")
    max_length: int = Field(512, ge=8, description="Tokens per example; longer ones are cut.")
    autocast: Literal["bfloat16"] | None = Field(
        None, description="Mixed precision: matrix products of the training in this type."
    )
    log_every: int = Field(10, ge=1)
    early_stopping: EarlyStoppingConfig | None = None
    kl: KLConfig | None = None
    replay: ReplayConfig | None = None

    @model_validator(mode="after")
    def _consistent(self) -> TrainConfig:
        if self.early_stopping is not None and self.validation == 0:
            raise ValueError("early_stopping: needs a validation loss, and validation is 0")
        if self.replay is not None and self.language in self.replay.languages:
            raise ValueError(
                f"replay.languages: {self.language!r} is the language of the training; replay is of others"
            )
        return self
