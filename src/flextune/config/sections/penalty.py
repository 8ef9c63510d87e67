"""The section ``penalty``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from flextune.config.section import Part, Real

#: Named readings of the penalty, as what differs from the defaults.
PENALTY_PRESETS: dict[str, dict[str, Any]] = {"default": {}, "paper-literal": {"norm": "backward"}}


class PenaltyConfig(Part):
    """The frequency-domain penalty on every LoRA matrix (arXiv:2604.06253) and its controls."""

    kind: Literal["fourier", "reversed", "permuted", "l2", "update"] = Field(
        "fourier",
        description="fourier: the paper's. reversed, permuted, l2: its controls of equal weight. "
        "update: on the two-dimensional spectrum of scale * B A.",
    )
    preset: Literal["default", "paper-literal"] | None = Field(
        None,
        exclude=True,
        description="A named set of the options below; one that is given beside it counts.",
    )
    strength: Real = Field(
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
    cutoff: Real = Field(
        0.5, gt=0, description="T: where the ramp of phi ends, as a share of what cutoff_of names."
    )
    low: Real = Field(1.0, ge=0, le=1, description="phi at frequency 0.")
    high: Real = Field(0.1, ge=0, le=1, description="phi from the cutoff upwards.")
    norm: Literal["ortho", "backward"] = Field(
        "ortho",
        description="Transform norm. backward is the paper taken literally and scales with the matrix size.",
    )
    cutoff_of: Literal["bins", "length"] = Field(
        "bins", description="N in phi: the number of rfft's bins, or the vector's length."
    )
    flatten: Literal["row", "column", "rank"] = Field(
        "row", description="A matrix as one vector, row by row or column by column; or each rank as its own."
    )
    target: Literal["both", "A", "B"] = "both"
    reduction: Literal["sum", "mean"] = Field("sum", description="Over matrices.")
    onesided: bool = Field(
        True,
        description="true: rfft's bins. false: all frequencies, which counts all but DC and Nyquist twice.",
    )
    seed: int = Field(0, ge=0, description="Of the order of kind: permuted.")

    @model_validator(mode="before")
    @classmethod
    def _without_preset(cls, raw: Any) -> Any:
        return expand_preset(raw) if isinstance(raw, Mapping) else raw

    @field_validator("flatten", "target", "onesided")
    @classmethod
    def _known_to_the_kind(cls, value: str | bool, info: ValidationInfo) -> str:
        default = cls.model_fields[info.field_name or ""].default
        if info.data.get("kind") == "update" and value != default:
            raise ValueError(f"has no meaning for kind update, which knows {json.dumps(default)} alone")
        return value


#: The options that say which penalty it is; the others say how it is used.
PENALTY_FORM = tuple(key for key in PenaltyConfig.model_fields if key not in ("preset", "strength", "apply"))


def expand_preset(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A preset's options written out, so that equal penalties are equal; an unknown name is left in."""
    name = raw.get("preset")
    if not isinstance(name, str) or name not in PENALTY_PRESETS:
        return dict(raw)
    defaults = {key: PenaltyConfig.model_fields[key].default for key in PENALTY_FORM}
    return {**defaults, **PENALTY_PRESETS[name], **raw, "preset": None}
