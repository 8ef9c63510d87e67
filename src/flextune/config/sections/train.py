"""The section ``train``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from flextune.config.names import LanguageName
from flextune.config.section import Float, Int, Section
from flextune.config.sections.data import TRAIN_KEYS, Data, DataPart, Format, Lexicon, parts_of
from flextune.config.sections.start import Start
from flextune.config.sections.watching import PASS_AT_1, TrainEvaluateConfig
from flextune.errors import did_you_mean

#: Numbers that every training may log, by which its best adapter can be kept.
_LOGGED = ("eval_loss", "loss", "penalty", "kl", "grad_norm")


class EarlyStoppingConfig(Section):
    """End a training that no longer improves, and keep the best adapter that it had."""

    patience: Int = Field(
        3,
        ge=1,
        description="Values in a row that are no new best: of the validation loss (about ten, and one before"
        " the first step), or of what keep_best names.",
    )


class KLConfig(Section):
    """weight * KL(adapter || base model), the mean over counted tokens, in the loss."""

    weight: Float = Field(0.1, gt=0, description="Weight of the divergence in the loss.")
    tokens: Literal["prompt", "all"] = Field(
        "prompt",
        description="Whose predictions are compared: the training prompts' tokens, or the answers' too.",
    )
    vocabulary: Literal["all", "non-target"] = Field(
        "all",
        description="non-target: the text's own next token is left out of both distributions, so that only "
        "what is said about the others is held.",
    )


class ReplayConfig(Section):
    """Programs in other languages among the training examples: Rosetta's, in its base lexicon."""

    share: Float = Field(
        0.05, gt=0, lt=1, description="Share of the examples that is replaced; their number stays the same."
    )
    languages: list[LanguageName] = Field(
        min_length=1, description="Languages of these programs, in equal parts."
    )

    @field_validator("languages")
    @classmethod
    def _each_once(cls, languages: list[str]) -> list[str]:
        for language in languages:
            if languages.count(language) > 1:
                raise ValueError(f"{language!r} is given twice")
        return languages


class TrainConfig(Section):
    """Training data, and how it is learned from."""

    data: Data = Field(
        "mbpp",
        description="Where the training examples come from: a source's name, a path, a mapping, or a list of"
        " these (a mixture).",
    )
    deduplicate: Literal["none", "exact", "near"] = Field(
        "none",
        description="Copies that are left out: none, equal ones, or near ones too. The first copy stays.",
    )
    start: Start | None = Field(
        None,
        description="An adapter that this training begins with: its folder, or the keys below. null: none.",
    )
    language: LanguageName = Field(
        "py", description="Language of the training programs, where a source has several."
    )
    lexicon: Lexicon = Field("base", description="Wording of the training descriptions (Rosetta only).")
    format: Format = Field(
        "paper",
        description="docstring: signature and description as HumanEval poses them. "
        "paper: text, the tests as comments, then the code. Of no concern to rows of your own.",
    )
    loss: Literal["completion", "full"] = Field(
        "completion", description="Tokens that count: the answer alone, or the prompt too (the paper's)."
    )
    limit: Int | None = Field(None, ge=1, description="Use only the first N examples. null: all.")
    validation_size: Int = Field(
        32, ge=0, description="Examples held out of training for the validation loss."
    )
    epochs: Float = Field(3.0, gt=0, description="Passes over the examples.")
    max_steps: Int | None = Field(None, ge=1, description="Optimizer steps; overrides epochs.")
    batch_size: Int = Field(4, ge=1, description="Examples per batch, however many processes share it.")
    gradient_accumulation_steps: Int = Field(1, ge=1, description="Batches per optimizer step.")
    batches: Literal["auto", "padded", "padding_free", "packed"] = Field(
        "auto",
        description="padded: texts of similar length, to the longest. padding_free: the same in one row,"
        " kept apart. packed: batch_size x max_length tokens per batch, so fewer steps. "
        "auto: padding_free on CUDA where the model allows it, else padded.",
    )
    learning_rate: Float = Field(2e-4, gt=0, description="Highest learning rate, after the warm-up.")
    lr_scheduler_type: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="How the learning rate falls after the warm-up."
    )
    warmup_steps: Float = Field(0.0, ge=0, description="Share of the steps (below 1) or number of steps.")
    weight_decay: Float = Field(0.0, ge=0, description="Decoupled weight decay of the optimizer.")
    max_grad_norm: Float = Field(1.0, ge=0, description="Largest gradient norm; 0 switches clipping off.")
    max_length: Int = Field(512, ge=8, description="Tokens per example; longer ones are cut.")
    mixed_precision: Literal["bfloat16", "float16"] | None = Field(
        None, description="Matrix products of the training in this type; float16 with a scaled loss, on CUDA."
    )
    gradient_checkpointing: bool = Field(
        False,
        description="Compute activations again in the backward pass: less memory, about a third slower.",
    )
    torch_compile: bool = Field(
        False, description="Compile the model's forward pass; the first steps take minutes."
    )
    use_liger_kernel: bool = Field(
        False, description="Use Liger's kernels for norms and activations (CUDA; extra liger)."
    )
    distributed: Literal["ddp", "fsdp"] | None = Field(
        None,
        description="How the processes of torchrun or accelerate launch share the model. ddp: each has all of"
        " it. fsdp: each has a part (FSDP2). null: what accelerate launch was told, else ddp.",
    )
    logging_steps: Int = Field(10, ge=1, description="Optimizer steps between two log lines.")
    save_steps: Int | None = Field(
        None,
        ge=1,
        description="Optimizer steps between two checkpoints. null: after a minute, then so that they take at"
        " most a hundredth of the time.",
    )
    report_to: list[Literal["tensorboard", "mlflow", "wandb", "trackio"]] = Field(
        default_factory=list,
        description="Trackers that get what training.jsonl gets; each must be installed.",
    )
    early_stopping: EarlyStoppingConfig | None = Field(
        None, description="Stop when the validation loss, or keep_best, no longer improves. null: never."
    )
    keep_best: str | None = Field(
        None,
        description="Logged number by which the best adapter is kept: eval_loss, loss, penalty, kl, grad_norm"
        " or pass_at_1_LANGUAGE of evaluate. null: the last adapter; with early_stopping eval_loss.",
    )
    evaluate: TrainEvaluateConfig | None = Field(
        None, description="pass@1 of a few problems while training. null: none."
    )
    kl: KLConfig | None = Field(None, description="Divergence from the base model in the loss. null: none.")
    replay: ReplayConfig | None = Field(
        None, description="Programs in other languages among the examples. null: none."
    )

    @model_validator(mode="after")
    def _consistent(self) -> TrainConfig:
        known = [*_LOGGED, *(self.evaluate.metrics if self.evaluate is not None else ())]
        if self.keep_best is not None and self.keep_best not in known:
            if self.evaluate is None and self.keep_best.startswith(PASS_AT_1):
                raise ValueError(
                    f"keep_best: {self.keep_best!r} needs evaluate: what is judged while it trains"
                )
            raise ValueError(
                f"keep_best: {self.keep_best!r} is not logged{did_you_mean(self.keep_best, known)} (known:"
                f" {', '.join(known)})"
            )
        if self.evaluate is not None and self.distributed == "fsdp":
            raise ValueError("evaluate: FSDP spreads the weights, and one process alone generates; use ddp")
        if self.kept_by == "eval_loss" and self.validation_size == 0:
            key = "early_stopping" if self.keep_best is None else "keep_best"
            raise ValueError(f"{key}: needs a validation loss, and validation_size is 0")
        if self.replay is not None and self.language in self.replay.languages:
            raise ValueError(
                f"replay.languages: {self.language!r} is the language of the training; replay is of others"
            )
        self._check_shares()
        return self

    def _check_shares(self) -> None:
        shares = [part.share for part in self.parts]
        given = [share for share in shares if share is not None]
        if given and len(shares) == 1:
            raise ValueError("data: a share is of a mixture, and there is one part; use limit")
        total = sum(given)
        if given and (total > 1 + 1e-9 or (len(given) == len(shares)) != (abs(total - 1) <= 1e-9)):
            raise ValueError(
                f"data: the shares add up to {total:g}; they must be 1, or less where a part without a share"
                " gives the rest"
            )

    @property
    def kept_by(self) -> str | None:
        """The logged number by which the best adapter is kept; None: the last one is."""
        return self.keep_best or (None if self.early_stopping is None else "eval_loss")

    @property
    def judged(self) -> bool:
        """Whether programs that are judged while it trains decide which adapter is kept."""
        return self.kept_by is not None and self.kept_by.startswith(PASS_AT_1)

    @property
    def parts(self) -> tuple[DataPart, ...]:
        """What ``data`` consists of."""
        return parts_of(self.data)

    @property
    def part(self) -> DataPart:
        """The first part of ``data``: the only one where a source makes its examples."""
        return self.parts[0]

    def of_part(self, part: DataPart) -> TrainConfig:
        """The section as the source of one part is given it: with the part's own keys, and no mixture."""
        own = {key: getattr(part, key) for key in TRAIN_KEYS if getattr(part, key) is not None}
        # Of a mixture, a part's examples are counted after copies have left.
        limits = [limit for limit in (part.limit, *([self.limit] * (len(self.parts) == 1))) if limit]
        return self.model_copy(update={**own, "data": part, "limit": min(limits, default=None)})
