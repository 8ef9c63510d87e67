"""MultiPL-E (arXiv:2208.08227): HumanEval in 18 more languages, and rows of its format from anywhere."""

from __future__ import annotations

import difflib
from pathlib import Path

from flextune.data.files import HubSource, Row, load_rows, parse_unique
from flextune.records import FlextuneError, Problem

#: Languages with a published file.
# fmt: off
LANGUAGES = (
    "cpp", "cs", "d", "go", "java", "jl", "js", "lua", "php",
    "pl", "r", "rb", "rkt", "rs", "scala", "sh", "swift", "ts",
)
# fmt: on

#: Languages that a row may name; Python's own problems come in this format from Rosetta.
ROW_LANGUAGES = ("py", *LANGUAGES)

# The Go files carry their compiler's file suffix where the others carry the language.
_ALIASES = {"go_test.go": "go"}


def problems(language: str, data_dir: Path | None = None) -> list[Problem]:
    """All problems of one language in file order.

    Raises:
        FlextuneError: For an unknown language, a file missing everywhere, or naming the bad row.
    """
    known_language(language, LANGUAGES, where="multipl-e")
    file = f"humaneval-{language}.jsonl"
    hub = HubSource("nuprl/MultiPL-E", f"humaneval-{language}", "test")
    rows = load_rows((f"multipl-e/{file}", file), data_dir=data_dir, hub=hub)

    def parse(row: Row) -> Problem:
        parsed = problem(row)
        if parsed.language != language:
            raise FlextuneError(f"{row.where}: language is {parsed.language!r} in a file of {language!r}")
        return parsed

    return parse_unique(rows, parse, lambda item: item.name)


def problem(row: Row, benchmark: str = "multipl-e") -> Problem:
    """A row of MultiPL-E's format; ``lexicon`` and ``reference`` are fields of ours that may be there.

    Raises:
        FlextuneError: For a missing field, one of a wrong type, or an unknown language.
    """
    given = row.text("language")
    language = _ALIASES.get(given, given)
    known_language(language, ROW_LANGUAGES, where=row.where)
    return Problem(
        name=row.text("name"),
        benchmark=benchmark,
        language=language,
        prompt=row.text("prompt"),
        tests=row.text("tests"),
        stop=row.texts("stop_tokens"),
        lexicon=row.optional_text("lexicon"),
        reference=row.optional_text("reference"),
        original=row.optional_text("original"),
    )


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
