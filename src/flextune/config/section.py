"""What every section of an experiment file is."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """Frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _number(value: Any) -> Any:
    """YAML 1.1 reads ``2e-4`` as text (it wants ``2.0e-4``); here it is a number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    if isinstance(value, bool):
        raise ValueError("Input should be a valid number, not true or false")
    return value


def _whole(value: Any) -> Any:
    """YAML's ``true`` would be 1."""
    if isinstance(value, bool):
        raise ValueError("Input should be a valid integer, not true or false")
    return value


Float = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Int = Annotated[int, BeforeValidator(_whole)]
#: What torch, numpy and transformers all take.
Seed = Annotated[Int, Field(ge=0, lt=2**32)]
