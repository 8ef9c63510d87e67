"""Optimizers as a study calls and colours them; Sophia with each estimator is one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flextune.registry import OPTIMIZERS
from flextune.report.palette import ARM_COLOURS, GREY

REFERENCE = "adamw"


@dataclass(frozen=True, slots=True)
class Family:
    """Arms with one optimizer.

    Attributes:
        label: In tables and legends.
        colour: In every figure.
        claimed: Whether the paper claims something about it.
        role: What a contrast takes it for.
    """

    label: str
    colour: str
    claimed: bool = False
    role: str = ""


FAMILIES = {
    REFERENCE: Family("AdamW", GREY),
    "lion": Family("Lion", ARM_COLOURS[1], role="sign"),
    "sophia-constant": Family("Sophia-constant", ARM_COLOURS[4], claimed=True, role="constant curvature"),
    "sophia-g": Family("Sophia-G", ARM_COLOURS[0], claimed=True, role="estimated curvature"),
    "sophia-h": Family("Sophia-H", ARM_COLOURS[3], claimed=True, role="estimated curvature"),
}
_COLOUR_OF_OTHERS = ARM_COLOURS[5]


def family(name: str) -> Family:
    """One of ``FAMILIES``, or one that is called as its optimizer's section says."""
    if name in FAMILIES:
        return FAMILIES[name]
    return Family(OPTIMIZERS.get(name).label if name in OPTIMIZERS else name, _COLOUR_OF_OTHERS)


def family_name(optimizer: Mapping[str, Any]) -> str:
    """The key in ``FAMILIES`` of an ``optimizer`` section."""
    name = str(optimizer.get("name", REFERENCE))
    if name != "sophia":
        return name
    return "sophia-h" if optimizer.get("estimator") == "hutchinson" else "sophia-g"
