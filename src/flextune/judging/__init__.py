"""Runs programs with their tests in a sandbox and says what happened to each.

::

    from flextune.judging import Judge, JudgeSettings, check_problems, compare_files, judge_files

    with Judge() as judge:
        verdicts = judge(problems, texts)
    judged = judge_files("samples.jsonl", "problems.jsonl", output="verdicts.jsonl")

Nothing here needs more than the standard library, but for ``compare_files`` and ``score_file``, which load
numpy and scipy when they are called.
"""

from __future__ import annotations

from flextune.judging.checks.checking import Check, check_problems
from flextune.judging.compare import compare_files
from flextune.judging.explaining import Explanation, explain_sample
from flextune.judging.files import (
    Judged,
    Request,
    judge_files,
    judge_request,
    note_skipped,
    read_problems,
    read_request,
    reference_request,
)
from flextune.judging.judge import Judge, judge, strict_languages
from flextune.judging.languages import language, languages
from flextune.judging.languages.base import Language, Toolchain
from flextune.judging.reward import Reward
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.probe import check_isolation, isolation
from flextune.judging.scoring import LanguageScore, score_file, score_verdicts
from flextune.judging.settings import JudgeSettings, note_missing_toolchains

__all__ = [
    "Check",
    "Explanation",
    "Isolation",
    "Judge",
    "JudgeSettings",
    "Judged",
    "Language",
    "LanguageScore",
    "Limits",
    "Request",
    "Reward",
    "Toolchain",
    "check_isolation",
    "check_problems",
    "compare_files",
    "explain_sample",
    "isolation",
    "judge",
    "judge_files",
    "judge_request",
    "language",
    "languages",
    "note_missing_toolchains",
    "note_skipped",
    "read_problems",
    "read_request",
    "reference_request",
    "score_file",
    "score_verdicts",
    "strict_languages",
]
