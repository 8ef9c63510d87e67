"""MultiPL-E (arXiv:2208.08227): HumanEval and MBPP in 18 more languages, and rows of its format."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

from flextune.data.lookup import HubSource, load_rows
from flextune.errors import FlextuneError
from flextune.files.rows import Row, json_kind, parse_unique
from flextune.records import Case, Problem, as_row

Origin = Literal["humaneval", "mbpp"]

#: Languages with a published file.
# fmt: off
LANGUAGES = (
    "cpp", "cs", "d", "go", "java", "jl", "js", "lua", "php",
    "pl", "r", "rb", "rkt", "rs", "scala", "sh", "swift", "ts",
)
# fmt: on

#: Languages that a row may name; Python's own problems come in this format from Rosetta.
ROW_LANGUAGES = ("py", *LANGUAGES)

# Some files carry a compiler's file suffix, or their translator's name, where the others carry the language.
_ALIASES = {"go_test.go": "go", "humaneval_to_dlang.py": "d", "humaneval_to_r.py": "r"}


def problems(language: str, data_dir: Path | None = None, origin: Origin = "humaneval") -> list[Problem]:
    """All problems of one language in file order.

    Args:
        language: A short name.
        data_dir: Folder to look in first.
        origin: The Python benchmark that was translated.

    Raises:
        FlextuneError: For an unknown language, a file missing everywhere, or naming the bad row.
    """
    benchmark = "multipl-e" if origin == "humaneval" else "multipl-e-mbpp"
    known_language(language, LANGUAGES, where=benchmark)
    file = f"{origin}-{language}.jsonl"
    hub = HubSource("nuprl/MultiPL-E", f"{origin}-{language}", "test")
    rows = load_rows((f"multipl-e/{file}", file), data_dir=data_dir, hub=hub)

    def parse(row: Row) -> Problem:
        parsed = problem(row, benchmark)
        if parsed.language != language:
            raise FlextuneError(f"{row.where}: language is {parsed.language!r} in a file of {language!r}")
        return parsed

    return parse_unique(rows, parse, lambda item: item.name)


def problem(row: Row, benchmark: str = "multipl-e") -> Problem:
    """A row of MultiPL-E's format.

    Fields of ours that may be there: ``benchmark`` (it goes before the argument), ``lexicon``,
    ``reference``, ``entry_point``, and ``cases``, a list of ``{input, output}`` that a whole program is run
    on; then ``tests`` may be missing. So may ``stop_tokens``.

    Raises:
        FlextuneError: For a missing field, one of a wrong type, or an unknown language.
    """
    language = language_of(row.text("language"))
    known_language(language, ROW_LANGUAGES, where=row.where)
    cases = _cases(row)
    return Problem(
        name=row.text("name"),
        benchmark=row.optional_text("benchmark") or benchmark,
        language=language,
        prompt=row.text("prompt"),
        tests=(row.optional_text("tests") or "") if cases else row.text("tests"),
        stop=row.texts("stop_tokens") if "stop_tokens" in row.fields else (),
        lexicon=row.optional_text("lexicon"),
        reference=row.optional_text("reference"),
        original=row.optional_text("original"),
        entry_point=row.optional_text("entry_point"),
        cases=cases,
    )


def problem_row(problem: Problem) -> dict[str, Any]:
    """A problem in the one format in which flextune writes problems; ``problem`` reads every field back."""
    return {
        "name": problem.name,
        "benchmark": problem.benchmark,
        "language": problem.language,
        "prompt": problem.prompt,
        "tests": problem.tests,
        "stop_tokens": list(problem.stop),
        "lexicon": problem.lexicon,
        "reference": problem.reference,
        "original": problem.original,
        "entry_point": problem.entry_point,
        "cases": [as_row(case) for case in problem.cases],
    }


def _cases(row: Row) -> tuple[Case, ...]:
    given: Any = row.fields.get("cases") or []
    if not isinstance(given, list):
        raise FlextuneError(f'{row.where}: field "cases" must be a list (found: {json_kind(given)})')
    cases = []
    for position, case in enumerate(given):
        if not isinstance(case, dict) or not all(
            isinstance(case.get(key), str) for key in ("input", "output")
        ):
            raise FlextuneError(f'{row.where}: cases[{position}] must have the texts "input" and "output"')
        cases.append(Case(case["input"], case["output"]))
    return tuple(cases)


def language_of(given: str) -> str:
    """The short name that a row's ``language`` stands for; itself where it is no alias."""
    return _ALIASES.get(given, given)


def known_language(language: str, known: tuple[str, ...], *, where: str) -> None:
    """Refuse a language that is not known.

    Raises:
        FlextuneError: With the nearest known name and the list.
    """
    if language in known:
        return
    close = difflib.get_close_matches(language.lower(), [*known, *_FULL_NAMES], n=1, cutoff=0.5)
    hint = f", did you mean {_FULL_NAMES.get(close[0], close[0])!r}?" if close else ""
    raise FlextuneError(f"{where}: unknown language {language!r}{hint} (known: {', '.join(known)})")


_FULL_NAMES = {
    "python": "py",
    "c++": "cpp",
    "c#": "cs",
    "csharp": "cs",
    "golang": "go",
    "julia": "jl",
    "javascript": "js",
    "perl": "pl",
    "ruby": "rb",
    "racket": "rkt",
    "rust": "rs",
    "bash": "sh",
    "typescript": "ts",
}
