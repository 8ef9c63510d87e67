from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from flextune.errors import FlextuneError
from flextune.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package ``shelf`` with a registry in ``shelf_registry``."""
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text("")
    (tmp_path / "shelf_registry.py").write_text(
        "from flextune.registry import Registry\nBOOKS = Registry('book', 'shelf', 'shelf.books')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("shelf", "shelf_registry")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path / "shelf"


def add(package: Path, name: str, code: str) -> None:
    (package / f"{name}.py").write_text(f"from shelf_registry import BOOKS\n{code}\n")


def books() -> Registry[str]:
    return importlib.import_module("shelf_registry").BOOKS


def installed(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def test_one_new_file_is_one_new_entry(package: Path) -> None:
    add(package, "one", "BOOKS.register('emma', 'Austen')")
    add(package, "two", "@BOOKS.register('ulysses')\ndef joyce(): return 'Joyce'")
    assert books().names() == ("emma", "ulysses")
    assert books().get("emma") == "Austen"
    joyce: Any = books().get("ulysses")
    assert joyce() == "Joyce"


def test_nothing_is_imported_before_the_first_question(package: Path) -> None:
    add(package, "one", "BOOKS.register('emma', 'Austen')")
    registered = books()
    assert "shelf.one" not in sys.modules
    assert "emma" in registered
    assert "shelf.one" in sys.modules


def test_an_installed_entry_point_registers_itself(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package.parent / "shelf_plugin.py").write_text(
        "from shelf_registry import BOOKS\nBOOKS.register('middlemarch', 'Eliot')\n"
    )
    monkeypatch.delitem(sys.modules, "shelf_plugin", raising=False)
    installed(monkeypatch, EntryPoint("middlemarch", "shelf_plugin", "shelf.books"))
    assert books().get("middlemarch") == "Eliot"


@pytest.mark.parametrize(
    "code", ["raise RuntimeError('broken\\nagain')", "raise ValueError", "import no_such_module"]
)
def test_an_entry_point_that_fails_is_named_in_one_line(
    package: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    (package.parent / "shelf_broken.py").write_text(code)
    installed(monkeypatch, EntryPoint("lost", "shelf_broken", "shelf.books"))
    for _ in range(2):
        with pytest.raises(
            FlextuneError, match=r"^book 'lost' \(shelf_broken\) cannot be loaded \(.*\); upd"
        ):
            books().names()


def test_an_unknown_name_gets_the_nearest_and_the_list() -> None:
    authors: Registry[int] = Registry("author")
    authors.register("austen", 1)
    authors.register("joyce", 2)
    with pytest.raises(FlextuneError) as caught:
        authors.get("Austin")
    assert str(caught.value) == ("unknown author 'Austin', did you mean 'austen'? (known: austen, joyce)")


def test_a_taken_name_is_an_error_and_keeps_its_entry() -> None:
    authors: Registry[int] = Registry("author")
    authors.register("austen", 1)
    with pytest.raises(FlextuneError, match="author 'austen' is registered already; choose another name"):
        authors.register("austen", 2)
    with pytest.raises(FlextuneError, match="registered already"), authors.temporarily("austen", 2):
        pass
    assert authors.get("austen") == 1


def test_an_entry_that_a_module_and_a_plugin_both_want_is_refused_at_every_question(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(package, "one", "BOOKS.register('emma', 'Austen')")
    (package.parent / "shelf_thief.py").write_text(
        "from shelf_registry import BOOKS\nBOOKS.register('emma', 'somebody')\n"
    )
    installed(monkeypatch, EntryPoint("emma", "shelf_thief", "shelf.books"))
    for _ in range(2):
        with pytest.raises(FlextuneError, match="'emma' is registered already"):
            books().names()


def test_a_temporary_entry_is_gone_afterwards_whatever_happens() -> None:
    authors: Registry[int] = Registry("author")
    with contextlib.suppress(KeyError), authors.temporarily("austen", 1) as entry:
        assert (entry, authors.get("austen")) == (1, 1)
        raise KeyError
    assert "austen" not in authors


def test_a_module_may_ask_for_what_is_there_while_it_is_collected(package: Path) -> None:
    add(package, "one", "BOOKS.register('emma', 'Austen')")
    add(package, "two", "BOOKS.register('sequel', BOOKS.get('emma') + ' again')")
    assert books().get("sequel") == "Austen again"


def test_a_module_may_hold_its_entry_in_an_attribute(package: Path) -> None:
    (package / "one.py").write_text("class BOOK:\n    name = 'emma'\n")
    (package / "two.py").write_text("from shelf.one import BOOK as OTHER\n")
    shelf: Registry[type] = Registry("book", "shelf", attribute="BOOK")
    assert shelf.names() == ("emma",)
    assert shelf.get("emma") is importlib.import_module("shelf.one").BOOK


def test_after_an_error_what_was_found_is_not_taken(package: Path) -> None:
    (package / "one.py").write_text("class BOOK:\n    name = 'emma'\n")
    (package / "two.py").write_text("raise RuntimeError('broken')\n")
    shelf: Registry[type] = Registry("book", "shelf", attribute="BOOK")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            shelf.names()
