from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flextune.data.training_rows import examples
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.files.tables import read_table, tables_in
from flextune.records import Example, Message

USER, ANSWER = {"role": "user", "content": "Add."}, {"role": "assistant", "content": "a + b"}


def made(*rows: dict[str, Any], columns: Any = None) -> list[Example]:
    return list(examples((Row(f"f:{i}", row) for i, row in enumerate(rows, start=1)), columns))


@pytest.mark.parametrize(
    ("row", "columns", "example"),
    [
        ({"prompt": "p", "completion": "c", "id": 3}, None, Example("f:1", "p", "c")),
        ({"text": "t"}, None, Example("f:1", "", "t")),
        ({"text": "t", "prompt": "p", "completion": "c"}, None, Example("f:1", "p", "c")),
        ({"q": "p", "a": "c"}, {"prompt": "q", "completion": "a"}, Example("f:1", "p", "c")),
        ({"body": "t", "prompt": "x"}, {"text": "body"}, Example("f:1", "", "t")),
    ],
)
def test_each_form_is_told_by_its_columns(row: dict[str, Any], columns: Any, example: Example) -> None:
    assert made(row, columns=columns) == [example]


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({"messages": [USER, ANSWER]}, None),
        ({"prompt": [USER], "completion": [ANSWER]}, None),
        ({"chat": [USER, ANSWER]}, {"messages": "chat"}),
    ],
)
def test_messages_wait_for_the_models_template(row: dict[str, Any], columns: Any) -> None:
    turns = (Message("user", "Add."), Message("assistant", "a + b"))
    assert made(row, columns=columns) == [Example("f:1", "", "", turns)]


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([{"q": "p", "a": "c"}], None, "f:1: no prompt and completion, text, or messages (found: q, a); say"),
        ([{"quest": "p", "a": "c"}], {"prompt": "question", "completion": "a"},
         "f:1: no column 'question' (found: quest, a)"),
        ([{"text": "t"}], {"prompt": "text"}, "columns prompt: give prompt and completion, or text, or"),
        ([{"prompt": "p", "completion": "c"}, {"prompt": "p", "completion": " \n"}], None,
         'f:2: field "completion" is empty: nothing to learn; remove the row'),
        ([{"text": ""}], None, 'f:1: field "text" is empty'),
        ([{"body": ""}], {"text": "body"}, 'f:1: field "body" is empty'),
        ([{"prompt": "p", "completion": "c"}, {"prompt": "p"}], None,
         "f:2: no column 'completion' (found: prompt)"),
        ([{"prompt": "p", "completion": 3}], None,
         'f:1: field "completion" must be text or a list of messages (found: a number)'),
        ([{"messages": "hello"}], None, 'f:1: field "messages" must be a list of messages (found: text)'),
        ([{"messages": [{"role": "user"}]}], None, 'f:1: messages[0] must have "role" and "content", both'),
        ([{"prompt": "p", "completion": [ANSWER]}], None, "f:1: prompt and completion must both be text"),
        ([{"messages": [ANSWER, USER]}], None, "f:1: the last message is the user's; what is learned is"),
        ([{"messages": [USER, {**ANSWER, "content": " "}]}], None,
         'f:1: field "messages" ends in an empty message: nothing to learn'),
    ],
)  # fmt: skip
def test_bad_rows_are_named_by_file_line_and_column(
    rows: list[dict[str, Any]], columns: Any, message: str
) -> None:
    with pytest.raises(FlextuneError) as caught:
        made(*rows, columns=columns)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@given(st.text(), st.text().filter(str.strip))
def test_no_character_is_lost(prompt: str, completion: str) -> None:
    assert made({"prompt": prompt, "completion": completion}) == [Example("f:1", prompt, completion)]


ROWS = [{"prompt": f"p{i}", "completion": "naïve\u2028c"} for i in range(3)]


def write(path: Path) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
    if path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow")
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path, row_group_size=2)
    elif ".json" in (path.suffix, Path(path.stem).suffix):
        packed = json.dumps(ROWS).encode()
        path.write_bytes(gzip.compress(packed) if path.suffix == ".gz" else packed)
    else:
        path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "a.json.gz", "a.parquet"])
def test_rows_are_the_same_whatever_the_file(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow.parquet")
    write(tmp_path / name)
    rows = list(read_table(tmp_path / name))
    assert [dict(row.fields) for row in rows] == ROWS
    assert all(row.where.startswith(name) for row in rows)
    (tmp_path / "README.md").write_text("no rows")
    assert tables_in(tmp_path) == [tmp_path / name]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", b"no parquet", r"a\.parquet: not a parquet file, or damaged"),
        ("a.json", b'[{"x": 1}, {"x":', r"a\.json"),
        ("a.json", b"[3]", r"a\.json\[0\]: a row is a JSON object \(found: a number\)"),
        ("a.jsonl", b"{\n", r"a\.jsonl:1: not valid JSON"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    pytest.importorskip("pyarrow.parquet")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FlextuneError, match=message) as caught:
        list(read_table(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_a_path_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"nowhere\.jsonl: no such file or folder"):
        tables_in(tmp_path / "nowhere.jsonl")
    with pytest.raises(FlextuneError, match="no file of rows in it"):
        tables_in(tmp_path)
