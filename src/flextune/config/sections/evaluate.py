"""The sections ``decode``, ``evaluate`` and ``judge``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flextune.config.names import BenchmarkName, LanguageName
from flextune.config.section import Part, Real
from flextune.config.sections.train import Lexicon
from flextune.registry import BENCHMARKS


class DecodeConfig(Part):
    """How completions are decoded."""

    strategy: Literal["greedy", "sample", "beam"] = "greedy"
    temperature: Real = Field(0.2, gt=0)
    top_p: Real = Field(0.95, gt=0, le=1)
    samples: int = Field(1, ge=1, description="Completions per problem (sample only).")
    beams: int = Field(4, ge=2)
    max_new_tokens: int = Field(512, ge=1)
    batch_size: int = Field(32, ge=1)

    @model_validator(mode="after")
    def _only_sampling_repeats(self) -> DecodeConfig:
        if self.strategy != "sample" and self.samples != 1:
            raise ValueError(
                f"samples: {self.samples} needs strategy: sample ({self.strategy} gives one answer)"
            )
        return self

    @property
    def label(self) -> str:
        """Short name for tables; what it leaves out is not used by the strategy."""
        if self.strategy == "sample":
            return f"sample t={self.temperature:g} p={self.top_p:g} n={self.samples}"
        return f"beam {self.beams}" if self.strategy == "beam" else "greedy"


class EvaluateConfig(Part):
    """One benchmark in one language."""

    benchmark: BenchmarkName = "rosetta"
    language: LanguageName = "py"
    lexicon: Lexicon = Field("base", description="Wording of the descriptions (Rosetta only).")
    limit: int | None = Field(None, ge=1, description="Judge only the first so many problems.")

    @property
    def has_lexicons(self) -> bool:
        """Whether the benchmark comes in more than one wording."""
        return bool(BENCHMARKS.get(self.benchmark).has_lexicons)

    @property
    def label(self) -> str:
        """What tells it apart from other evaluations."""
        lexicon = f" {self.lexicon}" if self.has_lexicons else ""
        return f"{self.benchmark} {self.language}{lexicon}"


class JudgeConfig(Part):
    """Limits for every judged program."""

    cpu_seconds: Real = Field(10.0, gt=0)
    wall_seconds: Real = Field(60.0, gt=0)
    memory_mb: int = Field(1024, ge=16)
