from __future__ import annotations

import pytest

from flextune.data.answers.grammar import GRAMMARS
from flextune.data.multipl_e import LANGUAGES as TRANSLATED
from flextune.errors import FlextuneError
from flextune.judging import languages as judged
from flextune.languages import (
    LANGUAGES,
    LanguageNames,
    canonical,
    language_name,
    language_of_row,
    short_name,
    supported,
)


@pytest.mark.parametrize(
    ("spelling", "short"),
    [
        ("py", "py"), ("python", "py"), ("Python", "py"), ("PY", "py"), (" python3 ", "py"),
        ("C++", "cpp"), ("c#", "cs"), ("CSharp", "cs"), ("golang", "go"), ("javascript", "js"),
        ("Rust", "rs"), ("bash", "sh"), ("R", "r"),
    ],
)  # fmt: skip
def test_every_usual_spelling_is_understood(spelling: str, short: str) -> None:
    assert short_name(spelling) == short


def test_no_spelling_is_that_of_two_languages() -> None:
    spellings = [
        name for entry in LANGUAGES.entries().values() for name in (*entry.spellings, *entry.in_rows)
    ]
    assert len(spellings) == len(set(spellings))
    assert all(name == name.lower() for name in spellings)


def test_the_table_has_every_language_that_is_published_judged_or_read() -> None:
    assert {*TRANSLATED, *judged(), *GRAMMARS} <= set(LANGUAGES.names())


def test_an_unknown_language_gets_the_nearest_and_the_list() -> None:
    with pytest.raises(FlextuneError) as caught:
        short_name("Pyton")
    assert str(caught.value).startswith("unknown language 'Pyton', did you mean 'python'? (known: cpp, cs")
    assert canonical("Pyton") == "Pyton"


def test_full_names_are_those_of_the_report() -> None:
    assert [language_name(name) for name in ("cpp", "js", "sh", "klingon")] == [
        "C++",
        "JavaScript",
        "Bash",
        "klingon",
    ]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("go_test.go", "go"),
        ("humaneval_to_dlang.py", "d"),
        ("humaneval_to_r.py", "r"),
        ("rust", "rs"),
        ("klingon", "klingon"),
    ],
)
def test_a_row_may_name_its_language_by_a_file_suffix(text: str, short: str) -> None:
    assert language_of_row(text) == short


def test_a_file_suffix_is_no_language_that_a_user_types() -> None:
    with pytest.raises(FlextuneError, match=r"unknown language 'go_test\.go'"):
        short_name("go_test.go")


def test_a_language_that_is_known_and_not_there_is_not_called_unknown() -> None:
    assert supported("Python", ("py", "java"), where="here") == "py"
    with pytest.raises(FlextuneError, match=r"^here has no C\+\+; look there \(its languages: py, java\)$"):
        supported("c++", ("py", "java"), where="here", elsewhere="look there")
    with pytest.raises(FlextuneError, match=r"^here: unknown language 'jav', did you mean 'java'\? \(known"):
        supported("jav", ("py", "java"), where="here")


def test_a_language_of_another_package_has_names_too() -> None:
    with LANGUAGES.temporarily("kt", LanguageNames("kt", "Kotlin", ("kts",))):
        assert short_name("kotlin") == short_name("KTS") == "kt"
        assert language_name("kt") == "Kotlin"
    assert canonical("kotlin") == "kotlin"
