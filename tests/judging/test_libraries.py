"""Programs whose library is not here: not scored, unless the program only says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.judged import judged_warm, needs_toolchain, verdicts_on
from tests.support.judging import LIMITS

from flextune.errors import FlextuneError
from flextune.judging import Reward
from flextune.judging.judgement import Judgement
from flextune.judging.libraries import LIBRARIES, needed, with_libraries
from flextune.judging.packages import packages_in
from flextune.records import Completion, Problem, Verdict

USED = "import cvxpy as cp\ncp.Variable()"
# Source and outcome where cvxpy, a known library, is not here, nor is anything called no_such_module.
PROGRAMS = {
    "used": (USED, "library_missing"),
    "used in a function": ("def f():\n    import cvxpy\n    return cvxpy\nf()", "library_missing"),
    "a part is used": ("from cvxpy import Variable\nVariable()", "library_missing"),
    "an annotation": ("import cvxpy as cp\ndef f(x: cp.Variable): pass", "library_missing"),
    "used by name": ("import cvxpy\neval('cvxpy')", "library_missing"),
    "everything of it": ("from cvxpy import *\nVariable()", "library_missing"),
    "used in a test case": (
        "import unittest\nclass T(unittest.TestCase):\n    def test_it(self): import cvxpy\nunittest.main()",
        "library_missing",
    ),
    "never used": ("import os, cvxpy as cp\nfrom cvxpy import (\n    Variable,\n)\nassert os", "passed"),
    "everything, and nothing is": ("from cvxpy import *\nassert [i for i in range(2)]", "passed"),
    "another thing of that name": ("import cvxpy as x\ndef f(x): return x\nassert f(1)", "passed"),
    "after a mark": ("\ufeffimport cvxpy\n", "passed"),
    "an annotation that nobody reads": (
        "from __future__ import annotations\nimport cvxpy\ndef f(x: Variable): pass",
        "passed",
    ),
    "a fallback": ("try:\n    import cvxpy\nexcept ImportError:\n    x = 0\nassert x == 0", "passed"),
    "a fallback around a call": (
        "def f():\n    import cvxpy\ntry:\n    f()\nexcept ImportError:\n    x = 0\nassert x == 0",
        "passed",
    ),
    "a wrong fallback": ("try:\n    import cvxpy\nexcept ImportError:\n    assert False", "wrong_answer"),
    "an invented module": ("import no_such_module\nno_such_module.f()", "exception"),
    "an invented part": ("import os.no_such_part\nos.f()", "exception"),
    "another error after it": ("import cvxpy\nraise ValueError(\"No module named 'cvxpy'\")", "exception"),
    "no program": ("import cvxpy\ndef f(:", "compile_error"),
}


def judged(*sources: str, **settings: object) -> list[Verdict]:
    problems = [(Problem(f"p{n}", "test", "py", "", ""), text) for n, text in enumerate(sources)]
    return verdicts_on(problems, limits=LIMITS, workers=1, **settings)


def test_only_the_use_of_a_known_library_is_unknown(sandboxed: None) -> None:
    found = judged(*(source for source, _ in PROGRAMS.values()))
    outcomes = dict(zip(PROGRAMS, (verdict.outcome for verdict in found), strict=True))
    assert outcomes == {name: outcome for name, (_, outcome) in PROGRAMS.items()}
    assert found[0].message.startswith("cvxpy is not here; install it with: pip install --target DIR cvxpy")


@pytest.mark.parametrize("strict", [False, True])
def test_what_the_problem_imports_is_needed_whatever_it_is_called(sandboxed: None, strict: bool) -> None:
    problem = Problem(
        "p", "test", "py", "def f():\n", "import house_library\nassert f() == house_library.one"
    )
    pairs = [(problem, Completion("p", 0, "    return 1"))]
    [verdict] = judged_warm(pairs, limits=LIMITS, workers=1, strict=strict)
    assert verdict.outcome == "library_missing"


def test_a_library_in_the_solution_is_missing_in_strict_mode_too(sandboxed: None) -> None:
    problem = Problem("p", "test", "py", "", "assert f() == 1")
    texts = [
        f"{USED}\ndef f(): return 1",
        "def f():\n    import cvxpy\n    return 1",
        "import cvxpy\nf = int",
    ]
    found = verdicts_on([(problem, text) for text in texts], limits=LIMITS, workers=1, strict=True)
    assert [v.outcome for v in found] == ["library_missing", "library_missing", "wrong_answer"]


def test_a_policy_is_not_spared_for_what_it_imports(sandboxed: None) -> None:
    with Reward([Problem("p", "test", "py", "", "assert f() == 1")], workers=1) as reward:
        assert reward(completions=[f"{USED}\ndef f(): return 2"], name=["p"]) == [0.0]


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "lib" / "site-packages"
    (folder / "cvxpy").mkdir(parents=True)
    (folder / "cvxpy" / "__init__.py").write_text("def Variable(): return 1\n")
    (folder / "enum.py").write_text("raise SystemError\n")
    (folder / "cvxpy-1.0.dist-info").mkdir()
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)
    return folder


@pytest.mark.parametrize("strict", [False, True])
def test_programs_find_the_packages_that_they_are_given(
    sandboxed: None, packages: Path, strict: bool
) -> None:
    closed = "import cvxpy, os\nassert 'PACKAGES' not in str(os.environ)\nopen(cvxpy.__path__[0] + '/x', 'w')"
    again = judged(USED, closed, "import enum\nenum.Enum", strict=strict, site_packages=str(packages))
    assert [verdict.outcome for verdict in again] == ["passed", "exception", "passed"]
    assert "Read-only file system" in again[1].message


def test_what_a_cache_says_holds_for_the_packages_of_its_time(
    sandboxed: None, packages: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    source = "try:\n    import cvxpy\nexcept ImportError:\n    assert False"
    without, again = judged(source, USED, cache=cache)
    assert (without.outcome, again.outcome) == ("wrong_answer", "library_missing")
    found = judged(source, USED, cache=cache, site_packages=packages)
    assert [verdict.outcome for verdict in found] == ["passed", "passed"]


def test_an_environment_stands_for_its_packages(packages: Path, tmp_path: Path) -> None:
    own = f"python{os.sys.version_info.major}.{os.sys.version_info.minor}"  # type: ignore[attr-defined]
    (tmp_path / "venv" / "lib" / own).mkdir(parents=True)
    packages.rename(tmp_path / "venv" / "lib" / own / "site-packages")
    assert packages_in(tmp_path / "venv").folder == tmp_path / "venv" / "lib" / own / "site-packages"


def test_other_packages_have_another_digest(packages: Path) -> None:
    first = packages_in(packages)
    (packages / "cvxpy-1.0.dist-info").rename(packages / "cvxpy-1.1.dist-info")
    assert packages_in(packages).digest != first.digest


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "no such folder"),
        ("empty", "no Python packages in it"),
        ("old", "made for Python 3.6"),
        ("venv", "made for Python 3.2"),
    ],
)
def test_a_folder_that_programs_cannot_use_is_refused(tmp_path: Path, path: str, message: str) -> None:
    for made in ("empty", "old/numpy", "venv/lib/python3.2/site-packages"):
        (tmp_path / made).mkdir(parents=True)
    (tmp_path / "old/numpy/__init__.py").touch()
    (tmp_path / "old/numpy/core.cpython-36m-x86_64-linux-gnu.so").touch()
    with pytest.raises(FlextuneError, match=message) as refused:
        packages_in(tmp_path / path)
    assert "\n" not in str(refused.value)


def test_a_home_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    (tmp_path / "me").mkdir()
    for folder in (tmp_path, tmp_path / "me"):
        (folder / "script.py").touch()
        with pytest.raises(FlextuneError, match="could read all of this folder"):
            packages_in(folder)


# What compilers and interpreters say of a library that is not here, and one that the program invented.
SAID = {
    "js": "Error: Cannot find module '{}'\nRequire stack:\n- /flextune/program/main.js",
    "ts": "main.ts(1,20): error TS2792: Cannot find module '{}'. Did you mean",
    "rb": "main.rb:1:in `require': cannot load such file -- {} (LoadError)\n\tfrom main.rb:1:in `<main>'",
    "pl": "Can't locate X.pm in @INC (you may need to install the {} module) (@INC contains: /etc/perl",
    "lua": "lua: main.lua:1: module '{0}' not found:\n\tno field package.preload['{0}']\n\tno file './x.lua'",
    "php": "PHP Fatal error:  Uncaught Error: Call to undefined function {}() in main.php:2",
    "r": "Error in library({0}) : there is no package called \u2018{0}\u2019\nExecution halted",
    "cpp": "main.cpp:1:10: fatal error: {}: No such file or directory\n    1 | #include <",
    "java": "Problem.java:1: error: package {} does not exist\nimport x;",
    "scala": "main.scala:1: error: not found: object {}\nimport x",
    "go": "main_test.go:3:1: could not import {} (open : no such file or directory)",
    "rs": "error[E0432]: unresolved import `{}`\n --> main.rs:1:5",
    "cs": "main.cs(1,7): error CS0246: The type or namespace name `{}' could not be found.",
    "d": "main.d(1): Error: unable to read module `x`\nmain.d(1):        Expected '{}/x.d' or",
    "rkt": "main.rkt:2:9: collection not found\n  for module path: {}\n  collection: x",
}
NAMES = {
    "js": "lodash/fp", "ts": "lodash", "rb": "active_support/all", "pl": "List::MoreUtils", "lua": "pl.text",
    "php": "mb_strlen", "r": "stringr", "cpp": "boost/any.hpp", "java": "com.google.common.collect",
    "scala": "cats", "go": "github.com/stretchr/testify/assert", "rs": "rand", "cs": "Newtonsoft", "d": "mir",
    "rkt": "threading",
}  # fmt: skip


@pytest.mark.parametrize("language", SAID)
def test_every_language_tells_a_known_library_from_an_invented_one(language: str) -> None:
    def outcome(name: str, needs: tuple[str, ...] = ()) -> str:
        message = SAID[language].format(name)
        return with_libraries(Judgement("exception", "run", message), language, needs).outcome

    assert outcome(NAMES[language]) == "library_missing"
    assert outcome("invented") == "exception"
    assert outcome("invented", ("invented",)) == "library_missing"
    passed = Judgement("passed", "run", SAID[language].format(NAMES[language]))
    assert with_libraries(passed, language, ()) == passed


IMPORTS = {
    "py": "import house\nfrom  house.part import x",
    "js": "const h = require('house');",
    "ts": "import { h } from 'house';",
    "rb": "require 'house'",
    "pl": "use house;",
    "lua": "local h = require('house')",
    "r": "library(house)",
    "cpp": "#include <house>",
    "java": "import house.Part;",
    "scala": "import house._",
    "go": 'import (\n\t"house"\n)',
    "rs": "use house::Part;",
    "cs": "using house;",
    "d": "import house;",
    "rkt": "(require house)",
}


def test_every_language_says_what_a_problem_imports() -> None:
    assert set(IMPORTS) == set(LIBRARIES) - {"php"}
    assert {name: needed(name, "", text) for name, text in IMPORTS.items()} == dict.fromkeys(
        IMPORTS, ("house",)
    )


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("js", "require('ramda').map(x => x, [])"),
        ("rb", "require 'nmatrix'"),
        ("pl", "use Array::Utils;"),
        ("lua", "require 'bint'"),
        ("cpp", "#include <Eigen/Dense>\nint main() {}"),
        ("java", "import io.vavr.Tuple;\nclass P { public static void main(String[] a) {} }"),
        ("go", 'package main\n\nimport "gonum.org/v1/gonum/mat"\n\nfunc main() { mat.Max(nil) }'),
    ],
)
def test_a_library_that_is_really_not_here(sandboxed: None, language: str, source: str) -> None:
    needs_toolchain(language)
    pairs = [(Problem("p", "test", language, "", ""), Completion("p", 0, source))]
    [verdict] = judged_warm(pairs, limits=LIMITS.for_compiling(), workers=1)
    assert verdict.outcome == "library_missing", verdict
