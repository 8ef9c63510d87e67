"""``train.start``: an earlier training whose adapter this one begins with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from flextune.config.section import Section

#: The keys that say which adapter it is.
STARTS = ("adapter", "arm")


class StartConfig(Section):
    """Sequential fine-tuning: what a training begins with."""

    adapter: str | None = Field(None, description="Folder of a PEFT LoRA adapter of the same base model.")
    arm: str | None = Field(
        None, description="An arm further up in this file, or in `run`: its adapter of the same seed."
    )
    run: str | None = Field(None, description="Folder of the run that has the arm. null: this run.")
    use: Literal["continued", "merged"] = Field(
        "continued",
        description="continued: its matrices are trained on. merged: its update goes into the base model's"
        " weights, and a fresh adapter is trained on these.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> StartConfig:
        if (self.adapter is None) == (self.arm is None):
            raise ValueError("give adapter (a folder) or arm (a name)")
        if self.run is not None and self.arm is None:
            raise ValueError("run needs arm, the name of one of its arms")
        return self


def _adapter(value: Any) -> Any:
    """A text is the adapter's folder."""
    return {"adapter": value} if isinstance(value, str) else value


Start = Annotated[StartConfig, BeforeValidator(_adapter)]
