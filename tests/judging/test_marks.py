"""Marks around the tests of a program."""

from __future__ import annotations

import re

from flextune.judging.languages import languages
from flextune.judging.languages.marks import BRACES, ENDS, marked, seam, tag_of, with_exits


def test_what_closes_the_solution_stays_before_the_mark() -> None:
    assert seam("f(){\n}\ntest", 5, BRACES).closing == "}"
    assert seam("f(){\n  }\n});\ntest", 5, BRACES).closing == "  }\n});"
    assert seam("def f\nend\ntest", 6, ENDS).closing == "end"
    assert seam("def f\nendless = 1", 6, ENDS).closing == ""


def test_a_tag_depends_on_the_whole_source_and_on_where_the_tests_begin() -> None:
    tags = [seam(source, place).tag for source, place in (("ab", 1), ("ab", 2), ("ac", 1))]
    assert len(set(tags)) == 3
    text = marked(seam("ab\nc", 3), "begin(TAG);", f"end('{tags[0]}')")
    assert tag_of(text.encode()) == tags[0]


def test_lines_of_the_tests_keep_their_numbers_and_an_end_of_their_own() -> None:
    last = re.compile(r"^exit\b.*\Z", re.MULTILINE)
    assert marked(seam("s\nt\nexit 0", 2), "B;", "E;", last) == "s\nB;t\nE;exit 0"
    assert marked(seam("s\nt", 2), "B;", "E;", last) == "s\nB;t\nE;\n"


def test_the_exits_of_tests_say_so_after_their_status_is_known() -> None:
    exit_ = re.compile(r"^(?P<exit>exit)(?:\(|(?P<status>[^\n(]*)$)", re.MULTILINE)
    for tests, expected in {
        "exit(main(')'))": "exit(left(main(')')))",
        "exit 0\nrest": "exit(left(0))\nrest",
        "exit": "exit(left())",
        "exit(open": "exit(open",
        "no exit(0)": "no exit(0)",
    }.items():
        assert with_exits(tests, exit_, "{exit}(left({status}))") == expected


def test_without_tests_behind_it_every_program_stays_as_it_is() -> None:
    for language in languages().values():
        assert language.marked("any text", None) == "any text"
