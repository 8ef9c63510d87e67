"""Problems and completions in, verdicts out: each program runs in a fresh process in a sandbox."""

from __future__ import annotations

from flextune.judging.judge import Judge, judge, strict_languages
from flextune.judging.languages import language, languages
from flextune.judging.languages.base import Language, Toolchain
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.probe import check_isolation, isolation

__all__ = [
    "Isolation",
    "Judge",
    "Language",
    "Limits",
    "Toolchain",
    "check_isolation",
    "isolation",
    "judge",
    "language",
    "languages",
    "strict_languages",
]
