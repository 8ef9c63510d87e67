"""The section ``evaluate``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flextune.config.section import Int, Section
from flextune.config.sections.train import Lexicon


class EvaluateConfig(Section):
    """One benchmark in one language."""

    benchmark: Literal[
        "rosetta", "humaneval", "humaneval-plus", "multipl-e", "multipl-e-mbpp", "mbpp", "apps"
    ] = Field("rosetta", description="The benchmark's name.")
    language: str = Field("py", description="Short name of the language: py, java, js, ...")
    lexicon: Lexicon = Field("base", description="Wording of the descriptions (Rosetta only).")
    limit: Int | None = Field(None, ge=1, description="Evaluate only the first N problems. null: all.")

    @property
    def label(self) -> str:
        """What tells it apart from other evaluations."""
        lexicon = f" {self.lexicon}" if self.benchmark == "rosetta" else ""
        return f"{self.benchmark} {self.language}{lexicon}"
