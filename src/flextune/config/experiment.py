"""The whole experiment; an arm of it is an experiment again."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from flextune.config.arms import NOT_OF_AN_ARM, ArmConfig
from flextune.config.names import NAME_PATTERN
from flextune.config.optimizers.adamw import AdamW
from flextune.config.overrides import merged
from flextune.config.recipe import NO_PENALTY, Recipe
from flextune.config.section import Section, Seed
from flextune.config.sections.adapter import AdapterConfig
from flextune.config.sections.contrasts import Contrasts, ContrastsConfig
from flextune.config.sections.decode import DecodeConfig
from flextune.config.sections.evaluate import EvaluateConfig
from flextune.config.sections.generate import GenerateConfig
from flextune.config.sections.judge import JudgeConfig
from flextune.config.sections.match import MatchConfig, matched_setting
from flextune.config.sections.optimizer import Optimizer
from flextune.config.sections.penalty import Penalty
from flextune.config.sections.sweep import SweepConfig
from flextune.config.sections.train import TrainConfig
from flextune.config.sections.tune import TuneConfig, tuned_settings
from flextune.config.validation import places, unknown_key, validate

#: The embedded base model; any other value is a folder, a hub id or a GGUF file.
EMBEDDED_MODEL = "rosetta"

DType = Literal["float32", "bfloat16", "float16"]


class Experiment(Section):
    """Everything that determines a run."""

    name: str = Field(pattern=NAME_PATTERN, description="Names the run's folder under runs/.")
    model: str = Field(
        EMBEDDED_MODEL,
        description="The base model: a hub id (NAME, or NAME@REVISION for a branch, tag or commit), a "
        "folder, a GGUF file, or rosetta (the embedded model).",
    )
    dtype: DType = Field("float32", description="Type of the base model's weights.")
    quantization: Literal["nf4", "fp4", "int8"] | None = Field(
        None,
        description="Keep the base model's linear layers in four or eight bits (bitsandbytes). null: off.",
    )
    device: str = Field("auto", description="Where models run: auto, cpu, cuda, cuda:1, ...")
    adapter: AdapterConfig | None = Field(
        AdapterConfig(), description="The LoRA adapter that is trained. null: all weights of the model."
    )
    train: TrainConfig | None = Field(
        TrainConfig(), description="Data and recipe. null: nothing is trained; the base model is evaluated."
    )
    optimizer: Optimizer = Field(AdamW(), description="Optimizer of the training.")
    penalty: Penalty | None = Field(None, description="Penalty on the adapter's matrices. null: none.")
    generate: GenerateConfig = Field(
        GenerateConfig(), description="How the model answers: its form, its prompts, and what decodes."
    )
    decode: list[DecodeConfig] = Field(
        default_factory=lambda: [DecodeConfig()],
        min_length=1,
        description="Ways of decoding; each is evaluated.",
    )
    evaluate: list[EvaluateConfig] = Field(
        default_factory=list, description="Benchmarks, each in one language."
    )
    judge: JudgeConfig = Field(JudgeConfig(), description="Limits for judged programs.")
    seeds: list[Seed] = Field(
        default_factory=lambda: [0], min_length=1, description="Every arm is trained once with each seed."
    )
    tune: TuneConfig | None = Field(None, description="Tune settings of every arm first. null: off.")
    match: MatchConfig | None = Field(
        None,
        description="First give each arm that has a `match` an update of the norm of one arm. null: off.",
    )
    sweep: SweepConfig | None = Field(
        None, description="Keys to vary, for `flextune sweep`; an experiment with it has no arms. null: none."
    )
    arms: list[ArmConfig] = Field(
        default_factory=list, description="Variations: each sets keys of the experiment for itself."
    )
    contrasts: Contrasts = Field(
        ContrastsConfig(),
        description="Comparisons named before the run: pairs of arms [[fourier, lora], ...], a reference "
        "arm, or the keys below. Empty: every arm with the baseline.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        given = {
            "arms": [arm.name for arm in self.arms],
            "seeds": [*map(str, self.seeds)],
            # Scores are kept by these; two of one label would fill the same row.
            "decode": [decode.label for decode in self.decode],
            "evaluate": [part.label for part in self.evaluate],
        }
        for what, values in given.items():
            twice = [value for value in values if values.count(value) > 1]
            if twice:
                raise ValueError(f"{what}: {twice[0]!r} is given twice")
        if self.generate.adapter is not None and self.train is not None and not self.arms:
            raise ValueError("generate.adapter: an adapter from elsewhere needs train: null")
        if self.generate.rounding != "nearest" and self.generate.dtype is None and not self.arms:
            raise ValueError(
                f"generate.rounding: {self.generate.rounding} needs generate.dtype (bfloat16 or float16): "
                "without it no weight is rounded"
            )
        if self.quantization == "int8" and self.generate.export == "merged":
            raise ValueError(
                "quantization: int8 weights cannot be merged into; use nf4, or generate.export: adapter"
            )
        changed = self.generate.dtype is not None or self.generate.fault != "none"
        if self.quantization is not None and self.generate.export == "adapter" and changed:
            raise ValueError(
                "quantization: generate.dtype and generate.fault change plain weights; use"
                " generate.export: merged"
            )
        if self.train is not None and not self.arms:
            self._check_trained()
        self._check_contrasts()
        self._check_starts()
        for arm, resolved in zip(self.given_arms(), self.resolved_arms(), strict=True):
            tuned_settings(self.tune, arm, resolved)
            matched_setting(self.match, arm, resolved)
            matched = self.match is not None and arm.name == self.match.arm
            if (matched or arm.match is not None) and resolved.adapter is None:
                raise ValueError(f"match: arm {arm.name!r} has no adapter whose update could be matched")
            if self.match is not None and self.match.arm == arm.name and resolved.train is None:
                raise ValueError(f"match.arm: arm {arm.name!r} trains nothing")
        if self.match is not None and self.match.arm not in given["arms"]:
            raise ValueError(f"match.arm: there is no arm {self.match.arm!r}")
        self._check_sweep()
        for what, search in (("tune", self.tune), ("match", self.match), ("sweep", self.sweep)):
            if search is not None and search.seed in self.seeds:
                raise ValueError(
                    f"{what}.seed: {search.seed} is one of the seeds that the result is made with"
                )
        return self

    def _check_trained(self) -> None:
        """A start out of the base weights needs them as they are; whole weights have no adapter."""
        if self.adapter is not None:
            if self.adapter.splits_base and self.quantization is not None:
                raise ValueError(
                    f"adapter.init_lora_weights: {self.adapter.init_lora_weights} starts out of the base"
                    f" weights, which are in {self.quantization}; leave quantization out, or start otherwise"
                )
            return
        if self.penalty is not None and self.penalty.strength > 0:
            raise ValueError(NO_PENALTY)
        if self.quantization is not None:
            raise ValueError(
                f"quantization: weights in {self.quantization} cannot be trained; give an adapter, or leave"
                " quantization out"
            )
        for key, plain in (("scale", 1), ("fault", "none"), ("engine", "local")):
            if (value := getattr(self.generate, key)) != plain:
                raise ValueError(f"generate.{key}: {value} is for an adapter, and adapter: null has none")
        start = self.train.start if self.train is not None else None
        if start is not None and start.use == "continued":
            raise ValueError("train.start: adapter: null has no matrices to train on; use: merged")

    def _check_sweep(self) -> None:
        """A sweep varies the experiment itself."""
        if self.sweep is None:
            return
        given = {"arms": self.arms, "tune": self.tune, "match": self.match, "contrasts": self.contrasts.named}
        for key, value in given.items():
            if value:
                raise ValueError(f"sweep: an experiment with a sweep has no {key}; remove one of the two")
        if len(self.decode) > 1:
            raise ValueError(
                f"sweep: the experiment has {len(self.decode)} ways of decoding; give one, and vary the key"
                " decode in sweep.keys"
            )

    def _check_starts(self) -> None:
        """An arm starts from one that is above it, and that trains; and is not searched itself."""
        above: list[str] = []
        if not self.arms:
            return
        for arm, resolved in zip(self.given_arms(), self.resolved_arms(), strict=True):
            start = resolved.train.start if resolved.train is not None else None
            if start is not None and start.arm is not None and start.run is None:
                where = f"arms.{arm.name}.train.start.arm"
                if start.arm not in above:
                    known = ", ".join(above) or "none"
                    raise ValueError(
                        f"{where}: no arm {start.arm!r} that trains above this one (there: {known})"
                    )
                if arm.match is not None or tuned_settings(self.tune, arm, resolved):
                    raise ValueError(
                        f"{where}: an arm that is tuned or matched starts from a folder, not an arm"
                    )
            if resolved.train is not None:
                above.append(arm.name)

    def _check_contrasts(self) -> None:
        """Contrasts are between arms of the experiment, and in evaluations that it makes."""
        self.contrasts.check([arm.name for arm in self.given_arms()])
        parts = [part for arm in self.resolved_arms() for part in arm.evaluate]
        for number, place in enumerate(self.contrasts.where):
            lexicons = [(p, p.own_lexicon) for p in parts]
            if not any(place.fits(part.name, part.language, lexicon) for part, lexicon in lexicons):
                given = place.model_dump(exclude_none=True)
                wanted = ", ".join(f"{key}: {value}" for key, value in given.items())
                raise ValueError(f"contrasts.where.{number}: the experiment does not evaluate {{{wanted}}}")

    def given_arms(self) -> list[ArmConfig]:
        """The arms as they are written; an experiment without arms is one arm of its own name."""
        return self.arms or [ArmConfig(name=self.name)]

    def resolved_arms(self) -> list[Experiment]:
        """Each arm as an experiment of the arm's name, without arms and tuning.

        Raises:
            SettingError: At the arm's own key.
        """
        if not self.arms:
            return [self.model_copy(update={"tune": None, "match": None}) if self.tune else self]
        base = self.model_dump(mode="json", exclude_unset=True, exclude=set(NOT_OF_AN_ARM))
        return [self._resolved(arm, base) for arm in self.arms]

    def _resolved(self, arm: ArmConfig, base: dict[str, Any]) -> Experiment:
        prefix = f"arms.{arm.name}"
        known = [key for key in Experiment.model_fields if key not in NOT_OF_AN_ARM]
        for key in arm.settings:
            if key not in known:
                raise unknown_key(f"{prefix}.{key}", [*known, "tune", "match"], places(Experiment))
        raw = {**merged(base, arm.settings), "name": arm.name, "seeds": self.seeds}
        return validate(Experiment, raw, prefix=prefix)

    def recipe(self, seed: int) -> Recipe:
        """What one training of this arm is, but for the model and the examples.

        Raises:
            ValueError: The arm trains nothing.
        """
        if self.train is None:
            raise ValueError(f"arm {self.name!r} trains nothing")
        return Recipe(
            adapter=self.adapter,
            train=self.train,
            optimizer=self.optimizer,
            penalty=self.penalty,
            seed=seed,
        )
