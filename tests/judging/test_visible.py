"""What programs see of the machine: the tools that they need, and not the home in which those may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.judging import isolation
from flextune.judging.languages import language
from flextune.judging.sandbox import visible
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.visible import hidden, interpreter, interpreter_needs, prefix_of
from flextune.judging.worker import Program, Worker


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a secret and a folder that many tools share."""
    home = tmp_path / "home" / "alice"
    for name in ("share", "lib", "bin"):
        (home / ".local" / name).mkdir(parents=True)
    (home / "secret").write_text("secret")
    (home / ".cargo" / "bin").mkdir(parents=True)
    (home / ".cargo" / "credentials.toml").write_text("token")
    monkeypatch.setattr(visible, "_homes", lambda: frozenset({home}))
    return home


def tool(prefix: Path, *parts: str) -> Path:
    for part in ("bin", *parts):
        (prefix / part).mkdir(parents=True, exist_ok=True)
    path = prefix / "bin" / "tool"
    path.touch()
    return path


def test_a_tool_of_the_system_needs_nothing_more() -> None:
    assert prefix_of(Path("/usr/bin/node")) == ()
    assert interpreter_needs(Path("/usr/bin/python3.11")) == ()


def test_a_tool_right_in_a_home_does_not_open_it(home: Path) -> None:
    program = tool(home, "share")
    assert prefix_of(program) == (program,)
    # Nor one whose folder would be above all homes.
    assert prefix_of(home.parent / "bin" / "tool") == (home.parent / "bin" / "tool",)


def test_of_a_folder_that_many_tools_share_a_program_and_libraries_are_seen(home: Path) -> None:
    program = tool(home / ".local")
    assert prefix_of(program) == (program, home / ".local" / "lib")
    program = tool(home / ".cargo")
    assert prefix_of(program) == (program,)


def test_of_a_toolchain_below_a_home_its_parts_are_seen(home: Path) -> None:
    prefix = home / ".versions" / "node-20"
    program = tool(prefix, "lib", "include", "secrets")
    (prefix / "token").touch()
    assert set(prefix_of(program)) == {prefix / name for name in ("bin", "lib", "include")}


def test_of_go_below_a_home_its_sources_are_seen(home: Path) -> None:
    assert home / "project" / "src" not in prefix_of(tool(home / "project", "src"))
    program = tool(home / "go", "src", "pkg/tool")
    (home / "go" / "VERSION").touch()
    assert {home / "go" / name for name in ("bin", "src", "pkg", "VERSION")} == set(prefix_of(program))


def test_a_toolchain_elsewhere_is_seen_as_a_whole(home: Path, tmp_path: Path) -> None:
    assert prefix_of(tool(tmp_path / "opt" / "jdk")) == (tmp_path / "opt" / "jdk",)


def test_of_the_interpreter_its_program_and_libraries_are_seen(tmp_path: Path) -> None:
    python = tool(tmp_path / "env", "lib", "share", "conda-meta")
    assert interpreter_needs(python) == (python, tmp_path / "env" / "lib")


def test_installed_packages_are_hidden_wherever_they_are(tmp_path: Path) -> None:
    packages = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    assert packages in hidden([tmp_path / "env"])
    assert packages in hidden([tmp_path / "env" / "lib"])
    assert packages not in hidden([])


def test_flextune_is_hidden_where_it_lies_in_what_is_seen() -> None:
    package = Path(visible.__file__).resolve().parents[2]
    assert any(package.is_relative_to(path) for path in hidden([package.parent]))


@pytest.mark.slow
def test_a_program_finds_no_package_beside_the_standard_library(sandboxed: None) -> None:
    folders = [str(path) for path in hidden(interpreter_needs(interpreter()))]
    source = (
        f"import os, sys\nsys.path += {folders!r}\n"
        f"assert [os.listdir(path) for path in {folders!r}] == {[[] for _ in folders]!r}\n"
        "for name in ('flextune', 'numpy', 'torch'):\n"
        "    try: __import__(name)\n    except ImportError: pass\n    else: raise AssertionError(name)\n"
        "for path in sys.path:\n"
        "    try: open(f'{path}/planted.py', 'w')\n    except OSError: pass\n"
        "    else: raise AssertionError(path)\n"
    )
    with Worker(isolation(), Limits()) as worker:
        judgement = worker.judge(language("py"), Program(source))
    assert (judgement.outcome, judgement.message) == ("passed", "")
    assert any((Path(folder) / "numpy").is_dir() or list(Path(folder).iterdir()) for folder in folders)
