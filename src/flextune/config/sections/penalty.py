"""The section ``penalty``: its ``kind`` decides which options there are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

from flextune.config.section import Float, Section, Seed
from flextune.config.validation import validate
from flextune.registry import PENALTIES

#: Named readings of the penalty, as what differs from the defaults.
PENALTY_PRESETS: dict[str, dict[str, Any]] = {"default": {}, "paper-literal": {"norm": "backward"}}


class PenaltySection(Section):
    """A penalty on the adapter's matrices, and how it is applied.

    A subclass with a ``kind`` of its own is a penalty of another package: register it in
    ``flextune.registry.PENALTIES`` by its kind.
    """

    kind: str
    strength: Float = Field(
        0.02,
        ge=0,
        description="lambda: weight of the penalty in the total loss. Under apply: proximal it is on the"
        " scale of a weight decay instead, where 0.02 does next to nothing.",
    )
    apply: Literal["loss", "gradient", "proximal"] = Field(
        "gradient",
        description="gradient: exact, without a graph, once per step, clipped together with the task's. "
        "loss: the same by autograd. proximal: decoupled, after the optimizer's step, never clipped.",
    )

    def build(self) -> Any:
        """What a training penalizes with: an object with the methods of ``flextune.spectral.Penalty``."""
        raise NotImplementedError

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        return self.model_dump(mode="json", exclude_defaults=True)


class PenaltyConfig(PenaltySection):
    """The frequency-domain penalty on every LoRA matrix (arXiv:2604.06253) and its controls."""

    kind: Literal["fourier", "reversed", "permuted", "l2", "update"] = Field(
        "fourier",
        description="fourier: the paper's. reversed, permuted, l2: its controls, of equal trace. "
        "update: on the two-dimensional spectrum of scale * B A.",
    )
    preset: Literal["default", "paper-literal"] | None = Field(
        None,
        exclude=True,
        description="A named set of the options below; an option that is given as well wins.",
    )
    cutoff: Float = Field(
        0.5, gt=0, description="T: where the ramp of phi ends, as a share of what cutoff_of says."
    )
    low: Float = Field(1.0, ge=0, le=1, description="phi at frequency 0.")
    high: Float = Field(0.1, ge=0, le=1, description="phi from the cutoff upwards.")
    norm: Literal["ortho", "backward"] = Field(
        "ortho",
        description="Transform norm. backward is the paper taken literally and scales with the matrix size.",
    )
    cutoff_of: Literal["bins", "length"] = Field(
        "bins", description="N in phi: the number of rfft's bins, or the vector's length."
    )
    flatten: Literal["row", "column", "rank"] = Field(
        "row",
        description="How a matrix becomes vectors: row by row or column by column into one, or each rank into"
        " its own.",
    )
    target: Literal["both", "A", "B"] = Field("both", description="The factors that are penalized.")
    reduction: Literal["sum", "mean"] = Field("sum", description="How the matrices' penalties are combined.")
    onesided: bool = Field(
        True,
        description="true: rfft's bins. false: all frequencies, which counts all but DC and Nyquist twice.",
    )
    of: Literal["weights", "change"] = Field(
        "weights",
        description="The matrices, or their change since training began, which leaves A's random start free.",
    )
    seed: Seed = Field(0, description="Seed of the order, for kind: permuted.")

    @model_validator(mode="before")
    @classmethod
    def _without_preset(cls, raw: Any) -> Any:
        return expand_preset(raw) if isinstance(raw, Mapping) else raw

    @field_validator("flatten", "target", "onesided")
    @classmethod
    def _known_to_the_kind(cls, value: Any, info: ValidationInfo) -> Any:
        default = cls.model_fields[info.field_name or ""].default
        if info.data.get("kind") == "update" and value != default:
            raise ValueError(f"has no meaning for kind update, which knows {json.dumps(default)} alone")
        return value

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults; a seed counts where something is drawn."""
        return self.model_dump(
            mode="json", exclude_defaults=True, exclude=None if self.kind == "permuted" else {"seed"}
        )


#: The options that say which penalty it is; the others say how it is used.
PENALTY_FORM = tuple(key for key in PenaltyConfig.model_fields if key not in ("preset", "strength", "apply"))


def expand_preset(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A preset's options written out, so that equal penalties are equal; an unknown name is left in."""
    name = raw.get("preset")
    if not isinstance(name, str) or name not in PENALTY_PRESETS:
        return dict(raw)
    defaults = {key: PenaltyConfig.model_fields[key].default for key in PENALTY_FORM}
    return {**defaults, **PENALTY_PRESETS[name], **raw, "preset": None}


def read_penalty(raw: Any) -> Any:
    """A raw ``penalty`` section as the one of its kind; what is no mapping is left as it is.

    Raises:
        SettingError: Naming the key below ``penalty``.
    """
    if not isinstance(raw, Mapping):
        return raw
    kind = raw.get("kind", "fourier")
    section = PENALTIES.get(kind) if isinstance(kind, str) and kind in PENALTIES else PenaltyConfig
    return validate(section, raw, prefix="penalty")


def merge_penalties(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """An override over the experiment's section.

    A preset stands for all its options: those of the experiment's penalty would undo it. A kind of another
    section starts from that one's defaults.
    """
    given = expand_preset(override)
    kinds = [raw.get("kind", "fourier") for raw in (base, {**base, **given})]
    if kinds[0] != kinds[1] and any(isinstance(kind, str) and kind in PENALTIES for kind in kinds):
        return given
    return {**base, **given}


Penalty = Annotated[SerializeAsAny[PenaltySection], BeforeValidator(read_penalty)]
