"""The table of programming languages: short names as in MultiPL-E, full names, and how people spell them.

Another distribution or a notebook adds a language with ``LANGUAGES.register``; entry points of the group
``flextune.languages`` are imported when the table is first asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flextune.errors import FlextuneError, did_you_mean
from flextune.registry import Registry


@dataclass(frozen=True, slots=True)
class LanguageNames:
    """What one language is called.

    Attributes:
        short: MultiPL-E's short name, for example ``js``.
        full: The name in tables and figures, for example ``JavaScript``.
        aliases: Other spellings that a user may type, in lower case.
        in_rows: What some of MultiPL-E's files write in its place: a file suffix or a translator's name.
    """

    short: str
    full: str
    aliases: tuple[str, ...] = ()
    in_rows: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """Everything a user may type, in lower case."""
        return tuple(dict.fromkeys((self.short, self.full.lower(), *self.aliases)))


LANGUAGES: Registry[LanguageNames] = Registry("language", group="flextune.languages")

for _language in (
    LanguageNames("cpp", "C++", ("cplusplus",)),
    LanguageNames("cs", "C#", ("csharp",)),
    LanguageNames("d", "D", ("dlang",), in_rows=("humaneval_to_dlang.py",)),
    LanguageNames("go", "Go", ("golang",), in_rows=("go_test.go",)),
    LanguageNames("java", "Java"),
    LanguageNames("jl", "Julia"),
    LanguageNames("js", "JavaScript", ("node", "nodejs")),
    LanguageNames("lua", "Lua"),
    LanguageNames("php", "PHP"),
    LanguageNames("pl", "Perl"),
    LanguageNames("py", "Python", ("python3",)),
    LanguageNames("r", "R", in_rows=("humaneval_to_r.py",)),
    LanguageNames("rb", "Ruby"),
    LanguageNames("rkt", "Racket"),
    LanguageNames("rs", "Rust"),
    LanguageNames("scala", "Scala"),
    LanguageNames("sh", "Bash", ("shell",)),
    LanguageNames("swift", "Swift"),
    LanguageNames("ts", "TypeScript"),
):
    LANGUAGES.register(_language.short, _language)


def language_name(short: str) -> str:
    """``js`` is ``JavaScript``; an unknown short name stays as it is."""
    names = LANGUAGES.entries().get(short)
    return names.full if names else short


def canonical(spelling: str) -> str:
    """``Python``, ``golang`` and ``C++`` are ``py``, ``go`` and ``cpp``; what is not known stays as it is."""
    typed = spelling.strip().lower()
    return next((n.short for n in LANGUAGES.entries().values() if typed in n.spellings), spelling)


def separated(given: Iterable[str] | str) -> list[str]:
    """The spellings in a text, or in several, each of which may hold some with commas between them."""
    texts = [given] if isinstance(given, str) else given
    return [spelling for text in texts for spelling in text.split(",") if spelling.strip()]


def short_name(spelling: str) -> str:
    """The short name of a language, however it is spelled.

    Raises:
        FlextuneError: No language is called so; the message has the nearest one and the list.
    """
    short = canonical(spelling)
    if short not in LANGUAGES:
        raise FlextuneError(unknown_language(spelling, LANGUAGES.names()))
    return short


def supported(spelling: str, known: Iterable[str], *, where: str, elsewhere: str = "") -> str:
    """The short name of a language, if it is one of those that ``where`` has.

    Args:
        spelling: What was typed.
        known: Short names of the languages that there are.
        where: Who has them, for example ``humaneval``.
        elsewhere: What to do about a language that exists and is not there, for the message.

    Raises:
        FlextuneError: It is not, or no language is called so.
    """
    known, short = tuple(known), canonical(spelling)
    if short in known:
        return short
    if short in LANGUAGES:
        advice = f"; {elsewhere}" if elsewhere else ""
        languages = ", ".join(known)
        raise FlextuneError(f"{where} has no {language_name(short)}{advice} (its languages: {languages})")
    raise FlextuneError(f"{where}: {unknown_language(spelling, known)}")


def language_of_row(text: str) -> str:
    """The short name for the ``language`` of a row in MultiPL-E's format; unknown text stays as it is."""
    return next((n.short for n in LANGUAGES.entries().values() if text in n.in_rows), canonical(text))


def unknown_language(spelling: str, known: Iterable[str]) -> str:
    """``unknown language 'jav', did you mean 'java'? (known: ...)``.

    Args:
        spelling: What was typed.
        known: Short names of the languages that would have been possible.
    """
    known = tuple(known)
    hint = did_you_mean(spelling, [name for short in known for name in (short, *spellings(short))])
    return f"unknown language {spelling!r}{hint} (known: {', '.join(known)})"


def spellings(short: str) -> tuple[str, ...]:
    """How a language may be spelled, in lower case; an unknown short name only as it is."""
    names = LANGUAGES.entries().get(short)
    return names.spellings if names else (short,)
