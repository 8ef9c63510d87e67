"""The section ``optimizer``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from flextune.config.section import Part, Real

Decay = Annotated[Real, Field(ge=0, lt=1)]

_SOPHIA: dict[str, Any] = {
    "estimator": "gnb",
    "every": 10,
    "gamma": 0.05,
    "betas": (0.96, 0.99),
    "eps": 1e-12,
    "bias_correction": True,
    "early_estimates": True,
}
# What a name's options are and what they default to; an option that is not listed it does not have.
_OPTIONS: dict[str, dict[str, Any]] = {
    "adamw": {"betas": (0.9, 0.999), "eps": 1e-8},
    "lion": {"betas": (0.9, 0.99)},
    "sophia": _SOPHIA,
    "sophia-constant": {key: _SOPHIA[key] for key in ("betas", "eps", "bias_correction")} | {"gamma": 0.01},
}
# The authors' gamma goes with the estimate (arXiv:2305.14342).
_GAMMA_OF_HUTCHINSON = 0.01


class OptimizerConfig(Part):
    """What moves the adapter; ``train`` has the learning rate, its schedule, weight decay and clipping.

    Options that are not given have their defaults of that name; those it does not have are null.
    """

    name: Literal["adamw", "lion", "sophia", "sophia-constant"] = Field(
        "adamw",
        description="sophia: momentum over an estimated curvature, clipped (arXiv:2305.14342). "
        "sophia-constant: its control, a curvature of 1e-4 everywhere. lion: sign momentum.",
    )
    estimator: Literal["gnb", "hutchinson"] | None = Field(
        None, description="gnb: Gauss-Newton-Bartlett, Sophia-G. hutchinson: Sophia-H. Default gnb."
    )
    every: int | None = Field(None, gt=0, description="Steps between two estimates. Default 10.")
    gamma: Real | None = Field(
        None,
        gt=0,
        description="Larger clips less; aim at win rates of 0.1 to 0.5. Default 0.05 with gnb, else 0.01.",
    )
    betas: tuple[Decay, Decay] | None = Field(
        None,
        description="Decay of the momentum and of the curvature (adamw: of the square). Default 0.9 and"
        " 0.999 (adamw), 0.9 and 0.99 (lion), 0.96 and 0.99.",
    )
    eps: Real | None = Field(
        None, gt=0, description="Least denominator; adamw adds it. Default 1e-8 (adamw), 1e-12."
    )
    bias_correction: bool | None = Field(None, description="Of both averages of Sophia. Default true.")
    early_estimates: bool | None = Field(
        None, description="More estimates in the first steps, for LoRA's start at B = 0. Default true."
    )

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, raw: Any) -> Any:
        """A name's defaults written out, so that a resolved file says all that was used."""
        if not isinstance(raw, Mapping):
            return raw
        given = {key: value for key, value in raw.items() if value is not None}
        return {**_defaults(given.get("name", "adamw"), given.get("estimator")), **given}

    @field_validator("estimator", "every", "gamma", "betas", "eps", "bias_correction", "early_estimates")
    @classmethod
    def _known_to_the_name(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.data.get("name")
        if name is not None and value is not None and info.field_name not in _OPTIONS[name]:
            raise ValueError(f"{name} has no such option (it has: {', '.join(_OPTIONS[name])})")
        return value

    def given(self) -> dict[str, Any]:
        """The name unless it is adamw, and the options that differ from the defaults of the name."""
        defaults = {"name": "adamw", **_defaults(self.name, self.estimator)}
        return {key: value for key, value in self.model_dump().items() if value != defaults.get(key)}


def _defaults(name: Any, estimator: Any) -> dict[str, Any]:
    found = dict(_OPTIONS.get(name, {})) if isinstance(name, str) else {}
    if name == "sophia" and estimator == "hutchinson":
        found["gamma"] = _GAMMA_OF_HUTCHINSON
    return found


def merged(base: OptimizerConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """An arm's options over the experiment's; one that names another optimizer starts from its defaults."""
    if given.get("name", base.name) != base.name:
        return dict(given)
    kept = base.model_dump()
    if given.get("estimator", base.estimator) != base.estimator and "gamma" not in base.given():
        del kept["gamma"]
    return {**kept, **given}
