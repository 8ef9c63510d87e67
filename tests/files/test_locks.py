"""Locks on files that one process at a time may write, and names that every file system takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.files.locks import locked
from flextune.files.names import file_name

TEXTS = ("a\0b", "a\ud800b", "a\ud801b", "x" * 300, "é" * 300, "", ".", "..", "a/b", "a\nb")


def test_a_lock_is_held_once_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    with locked(path, "taken"):
        with pytest.raises(FlextuneError, match="taken"), locked(path, "taken"):
            pass
        assert path.exists()
    assert not path.exists()
    with locked(path, "taken"):
        pass


def test_any_text_gives_a_file_of_its_own(tmp_path: Path) -> None:
    for text in TEXTS:
        (tmp_path / file_name(text)).write_text("")
    assert len(os.listdir(tmp_path)) == len(TEXTS)


@pytest.mark.parametrize("text", ["HumanEval_0", "a b", "-x", "ä", "a.b"])
def test_a_text_that_can_be_a_name_is_it(text: str) -> None:
    assert file_name(text) == text
