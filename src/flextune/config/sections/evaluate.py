"""The section ``evaluate``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from flextune.config.names import BenchmarkName, LanguageName
from flextune.config.section import Int, Section
from flextune.config.sections.data import Lexicon
from flextune.registry import BENCHMARKS


class EvaluateConfig(Section):
    """One benchmark in one language."""

    benchmark: BenchmarkName = Field(
        "rosetta", description="The benchmark's name, or a file of your own problems (docs/rows.md)."
    )
    language: LanguageName = Field("py", description="The language: py, java, js, ..., or spelled out.")
    lexicon: Lexicon = Field("base", description="Wording of the descriptions (Rosetta only).")
    limit: Int | None = Field(None, ge=1, description="Evaluate only the first N problems. null: all.")

    @property
    def path(self) -> Path | None:
        """The file of a user's own problems; None for a benchmark."""
        return None if self.benchmark in BENCHMARKS else Path(self.benchmark).expanduser()

    @property
    def name(self) -> str:
        """What scores call it: the benchmark, or the name of the file."""
        return self.benchmark if self.path is None else self.path.name.partition(".")[0]

    @property
    def has_lexicons(self) -> bool:
        """Whether the benchmark comes in more than one wording."""
        return self.path is None and bool(BENCHMARKS.get(self.benchmark).has_lexicons)

    @property
    def own_lexicon(self) -> Lexicon | None:
        """The wording, of a benchmark that has more than one; else None."""
        return self.lexicon if self.has_lexicons else None

    @property
    def place(self) -> dict[str, str]:
        """What is evaluated, in the keys of ``contrasts.where``."""
        place = {"benchmark": self.benchmark, "language": self.language, "lexicon": self.own_lexicon}
        return {key: value for key, value in place.items() if value is not None}

    @property
    def label(self) -> str:
        """What tells it apart from other evaluations."""
        lexicon = f" {self.own_lexicon}" if self.own_lexicon else ""
        return f"{self.name} {self.language}{lexicon}"
