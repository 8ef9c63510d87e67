from __future__ import annotations

import math

import pytest

from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter, read_lines, read_records
from flextune.files.whole import write_whole
from flextune.records import Completion


def test_a_half_written_last_line_is_dropped(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a": ')
    assert read_lines(path) == [{"a": 1}, {"a": 2}]


def test_appending_after_a_kill_never_joins_two_rows(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": ')
    with LineWriter(path) as writer:
        writer.write([{"a": 2}])
    assert path.read_bytes() == b'{"a": 1}\n{"a": 2}\n'


@pytest.mark.parametrize("cut", range(27))
def test_every_cut_leaves_the_whole_lines_before_it(tmp_path, cut):
    whole = '{"a": 1}\n{"é": 2}\n{"a": 3}\n'.encode()
    path = tmp_path / "a.jsonl"
    path.write_bytes(whole[:cut])
    assert len(read_lines(path)) == whole[:cut].count(b"\n")


def test_a_bad_whole_line_names_file_and_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\nnonsense\n')
    with pytest.raises(FlextuneError, match=r"a\.jsonl:2: not a JSON line"):
        read_lines(path)


def test_a_line_of_another_record_names_file_and_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"name": "x", "outcome": "passed"}\n')
    with pytest.raises(FlextuneError, match=r"a\.jsonl:1: not a completion line"):
        read_records(path, Completion)


def test_blank_lines_do_not_count(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n  \n{"a": 2}\n')
    assert read_lines(path) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null(tmp_path, number):
    path = tmp_path / "a.jsonl"
    with LineWriter(path) as writer:
        writer.write([{"a": [1.5, {"b": number}]}])
    assert read_lines(path) == [{"a": [1.5, {"b": None}]}]


def test_a_missing_file_has_no_lines(tmp_path):
    assert read_lines(tmp_path / "none.jsonl") == []


def test_a_whole_file_is_written_or_the_old_one_stays(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]
