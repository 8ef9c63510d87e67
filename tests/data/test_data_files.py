from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from flextune.data.origins import HubSource, find, hub_rows, load_rows, reading, recorded_origins
from flextune.errors import FlextuneError
from flextune.files.rows import Row, read_rows

HUB = HubSource("owner/name", "full", "train")


def message(path: Path) -> str:
    with pytest.raises(FlextuneError) as caught:
        list(read_rows(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_come_in_file_order_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"x": "one"}\n\n{"x": "two"}', encoding="utf-8")
    rows = list(read_rows(path))
    assert [(row.where, row.text("x")) for row in rows] == [("a.jsonl:1", "one"), ("a.jsonl:3", "two")]


def test_unicode_line_separators_inside_a_text_end_no_row(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    text = "one\u2028two\x85three\x0b"
    path.write_text(json.dumps({"x": text}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert [row.text("x") for row in read_rows(path)] == [text]


def test_gzip_and_plain_give_the_same_rows(tmp_path: Path) -> None:
    content = b'{"x": "one"}\n{"x": "two"}\n'
    (tmp_path / "a.jsonl").write_bytes(content)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(content))
    plain, packed = (list(read_rows(tmp_path / name)) for name in ("a.jsonl", "b.jsonl.gz"))
    assert [row.fields for row in plain] == [row.fields for row in packed]


def test_truncated_gzip_names_file_and_line(tmp_path: Path) -> None:
    content = b"".join(json.dumps({"x": f"{n * 7919:x}"}).encode() + b"\n" for n in range(5000))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(content)[:-2000])
    assert "a.jsonl.gz:" in message(path)
    assert "cut off or damaged" in message(path)


def test_a_file_that_is_no_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b'{"x": 1}\n')
    assert "a.jsonl.gz:1: the gzip file is cut off or damaged" in message(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"x": 1}\n{"x": }\n', "a.jsonl:2: not valid JSON"),
        (b'{"x": 1}\n{"x": "brok', "a.jsonl:2: not valid JSON"),
        (b'{"x": 1}\n{"x": "brok', "the file breaks off here"),
        (b'{"x": 1}\n{"x": "\xff"}\n', "a.jsonl:2: not UTF-8 text (byte 8 of the line)"),
        (b"[1, 2]\n", "a.jsonl:1: a row is a JSON object (found: a list)"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    assert expected in message(path)


@pytest.mark.parametrize(
    ("fields", "ask", "expected"),
    [
        ({"text": "a", "code": "b"}, lambda row: row.texts("test_list"), "(found: text, code)"),
        ({}, lambda row: row.text("code"), 'missing field "code" (found: nothing)'),
        ({"code": 3}, lambda row: row.text("code"), 'field "code" must be text (found: a number)'),
        ({"code": None}, lambda row: row.text("code"), 'field "code" must be text (found: null)'),
        ({"id": True}, lambda row: row.integer("id"), "must be a whole number (found: true or false)"),
        ({"l": "x"}, lambda row: row.texts("l"), 'field "l" must be a list of text (found: text)'),
        ({"l": ["x", 1]}, lambda row: row.texts("l"), 'field "l[1]" must be text (found: a number)'),
    ],
)
def test_a_bad_field_is_named_with_its_place(fields: dict[str, Any], ask: Any, expected: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        ask(Row("mbpp.jsonl:41", fields))
    assert str(caught.value).startswith("mbpp.jsonl:41: ")
    assert expected in str(caught.value)


def test_data_dir_goes_before_the_variable(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_text("{}\n")
    environ = {"FLEXTUNE_DATA": str(tmp_path / "second")}
    assert find("a.jsonl", data_dir=tmp_path / "first", environ=environ) == tmp_path / "first" / "a.jsonl"
    assert find("a.jsonl", data_dir=None, environ=environ) == tmp_path / "second" / "a.jsonl"
    assert find("b.jsonl", data_dir=None, environ=environ) is None


def test_a_data_dir_without_the_file_is_an_error_even_where_the_variable_has_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.jsonl").write_text("{}\n")
    environ = {"FLEXTUNE_DATA": str(tmp_path)}
    for read in (find, lambda *names, **where: load_rows(names, hub=HUB, **where)):
        with pytest.raises(FlextuneError) as caught:
            read("a.jsonl", "a.jsonl.gz", data_dir=tmp_path / "empty", environ=environ)
        assert str(caught.value) == (
            f"--data-dir {tmp_path / 'empty'}: no a.jsonl or a.jsonl.gz in this folder; give the one that "
            "holds it, or leave --data-dir out to use $FLEXTUNE_DATA or the hub"
        )


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jsonl").write_text("{}\n")
    file = tmp_path / "data" / "a.jsonl"
    assert find("a.jsonl", data_dir=Path("~/data"), environ={}) == file
    assert find("a.jsonl", data_dir=None, environ={"FLEXTUNE_DATA": "~/data"}) == file


def test_a_data_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"--data-dir .*nowhere: no such folder"):
        find("a.jsonl", data_dir=tmp_path / "nowhere", environ={})
    with pytest.raises(FlextuneError, match=r"\$FLEXTUNE_DATA .*nowhere: no such folder"):
        find("a.jsonl", data_dir=None, environ={"FLEXTUNE_DATA": str(tmp_path / "nowhere")})


def fake_datasets(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    module = types.ModuleType("datasets")
    module.load_dataset = load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    monkeypatch.setattr("flextune.data.origins.reach_hub", contextlib.nullcontext)


def test_the_hub_is_asked_where_no_folder_has_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def load(repo: str, config: str, *, split: str) -> list[dict[str, str]]:
        asked.append((repo, config, split))
        return [{"x": "one"}, {"x": "two"}]

    fake_datasets(monkeypatch, load)
    rows = list(load_rows(("a.jsonl",), data_dir=None, hub=HUB, environ={}))
    assert asked == [("owner/name", "full", "train")]
    assert [(row.where, row.text("x")) for row in rows] == [("owner/name:1", "one"), ("owner/name:2", "two")]


def test_a_file_that_is_nowhere_says_which_places_were_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def load(*args: str, **kwargs: str) -> None:
        raise ConnectionError("no route to the hub\nand a second line")

    fake_datasets(monkeypatch, load)
    with pytest.raises(FlextuneError) as caught:
        load_rows(("a.jsonl",), data_dir=None, hub=HUB, environ={"FLEXTUNE_DATA": str(tmp_path)})
    text = str(caught.value)
    for place in ("a.jsonl", str(tmp_path), "owner/name", "no route to the hub", "--data-dir"):
        assert place in text
    assert "\n" not in text


def test_without_the_hub_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(FlextuneError, match=r"pip install 'flextune\[hub\]'.*--data-dir"):
        hub_rows("owner/name", "full", "train")


def test_the_data_package_loads_neither_torch_nor_pydantic() -> None:
    code = (
        "import sys, flextune.data.mbpp, flextune.data.humaneval, flextune.data.multipl_e\n"
        "names = ('torch', 'pydantic', 'flextune.config', 'datasets')\n"
        "print([name for name in names if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_in_place_of_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    assert "cannot be read" in message(tmp_path / "a.jsonl")
    assert find("a.jsonl", data_dir=None, environ={"FLEXTUNE_DATA": str(tmp_path)}) is None


def test_what_was_read_is_recorded_without_a_path(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "a.jsonl"
    file.write_bytes(b"{}\n")
    digest = hashlib.sha256(b"{}\n").hexdigest()
    load_rows(("deep/a.jsonl",), data_dir=tmp_path, hub=HUB)
    with recorded_origins() as origins:
        load_rows(("deep/a.jsonl",), data_dir=tmp_path, hub=HUB)
        with reading("mine"):
            load_rows(("deep/a.jsonl",), data_dir=tmp_path, hub=HUB)
            load_rows(("deep/a.jsonl",), data_dir=tmp_path, hub=HUB)
    load_rows(("deep/a.jsonl",), data_dir=tmp_path, hub=HUB)
    assert origins == {"a.jsonl": f"a.jsonl sha256:{digest}", "mine": f"a.jsonl sha256:{digest}"}


def test_a_file_that_changed_is_recorded_with_its_new_digest(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    seen = []
    for content in (b"{}\n", b'{"x": 1}\n'):
        file.write_bytes(content)
        with recorded_origins() as origins:
            load_rows(("a.jsonl",), data_dir=tmp_path, hub=HUB)
        seen.append(origins["a.jsonl"].partition(":")[2])
    assert seen == [hashlib.sha256(content).hexdigest() for content in (b"{}\n", b'{"x": 1}\n')]


@pytest.mark.parametrize(
    ("checksums", "revision"),
    [
        ({f"hf://datasets/owner/name@{'ab' * 20}/full/train-0.parquet": {}}, "ab" * 20),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_the_hubs_commit_is_recorded(
    monkeypatch: pytest.MonkeyPatch, checksums: dict[str, Any] | None, revision: str
) -> None:
    class Table(list[dict[str, str]]):
        info = types.SimpleNamespace(download_checksums=checksums)

    fake_datasets(monkeypatch, lambda *args, split: Table([{"x": "one"}]))
    with recorded_origins() as origins, reading("mine"):
        for split in ("train", "validation"):
            load_rows(("a.jsonl",), data_dir=None, hub=HubSource("owner/name", "full", split), environ={})
    assert origins == {
        "mine": f"owner/name@{revision} (full, train); owner/name@{revision} (full, validation)"
    }
