"""No program finds in its memory, descriptors or files what belongs to its tests or to an earlier program."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from tests.hostile.scanners import OWN, SCANNERS, WORD
from tests.support.judged import needs_toolchain, pair

from flextune.judging import Judge, Limits, isolation
from flextune.judging.languages import python
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.sandbox import Sandbox
from flextune.records import Completion, Problem

LIMITS = Limits(cpu_seconds=8)
SECRET = f"{WORD}-4".ljust(32, "0").encode()
_RUNNER = Path(python.__file__).parent / "runners" / "runner.py"
#: Says where it finds the word, and where it finds one of its own.
_SOURCE = (
    SCANNERS["py"]
    + f"""
own = '-'.join(['{OWN}', '1'])
print(_scan('{WORD}'), _scan('{OWN}'), flush=True)
"""
)


@pytest.fixture(params=["root", "user"])
def sandbox(request: pytest.FixtureRequest, sandboxed: None) -> Iterator[Sandbox]:
    kind: Literal["root", "user"] = request.param
    best = isolation()
    if best.kind == "user" and kind == "root":
        pytest.skip("not root")
    with Sandbox(Isolation(kind, best.bubblewrap)) as sandbox:
        yield sandbox


def warm(source: str, *arguments: str, **files: str) -> Command:
    contents = {"main.py": source.encode(), **{name: text.encode() for name, text in files.items()}}
    # The first argument is where the tests begin: at once.
    return Command(("{program}/main.py", "0", *arguments), contents, warm=_RUNNER)


def found(output: bytes) -> tuple[list[str], list[str]]:
    """The places of the word, and those of the program's own."""
    word, own = output.decode().replace("] [", "]\n[").splitlines()
    return ast.literal_eval(word), ast.literal_eval(own)


def test_nothing_of_an_earlier_program_is_found(sandbox: Sandbox) -> None:
    earlier = warm(f"import sys\ntext = '{WORD}-1' + sys.stdin.read()\n", f"{WORD}-2", other=f"# {WORD}-3\n")
    for _ in range(3):
        result = sandbox.run(earlier, LIMITS, SECRET, stdin=f"{WORD}-5".encode(), companion=earlier)
        assert (result.status, result.reply[-32:]) == (0, SECRET)
        assert sandbox.run(earlier, LIMITS, SECRET, stdin=f"{WORD}-5".encode()).status == 0
    result = sandbox.run(warm(_SOURCE), LIMITS, bytes(32))
    word, own = found(result.output)
    assert word == []
    assert "memory" in own


def test_a_companion_finds_nothing_of_the_program_beside_it(sandbox: Sandbox) -> None:
    # Gives the companion its secret, and waits until that comes back.
    waits = "import os\nos.write(6, bytes(32))\nsaid = b''\nwhile len(said) < 34: said += os.read(5, 64)\n"
    holder = warm(f"{waits}# {WORD}-1\n", f"{WORD}-2", other=f"# {WORD}-3\n")
    result = sandbox.run(holder, LIMITS, SECRET, companion=warm(_SOURCE), stdin=f"{WORD}-5".encode())
    word, own = found(result.output)
    assert word == []
    assert "memory" in own


def test_a_helper_that_reads_what_it_hands_on_gives_it_away(tmp_path: Path) -> None:
    """The control: the same search below a process that has read the files."""
    (tmp_path / "tests.py").write_text(f"# {WORD}-1\n")
    source = SCANNERS["py"] + (
        f"import os\nheld = open({str(tmp_path / 'tests.py')!r}).read()\n"
        f"if os.fork() == 0:\n    print(_scan('{WORD}'), flush=True)\n    os._exit(0)\nos.wait()\n"
    )
    said = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout
    assert "memory" in ast.literal_eval(said)


def harvest(language: str, number: int) -> tuple[Problem, Completion]:
    """A solution that looks for what its tests hold; they say that it must find nothing."""
    if language == "py":
        prompt = f"def f(word):\n    # problem {number}\n"
        text = f"    return _scan(word)\n{SCANNERS['py']}\nOWN = '-'.join(['{OWN}', '{number}'])\n"
        tests = (
            f"def check(candidate):\n    # {WORD}-{number}\n"
            f"    assert candidate('{WORD}') == [], '{WORD}-{number}'\n"
            f"    assert 'memory' in candidate('{OWN}')\n\ncheck(f)\n"
        )
    else:
        prompt = f"// problem {number}\nfunction f(word) {{\n"
        text = (
            f"    return _scan(word);\n}}\n{SCANNERS['js']}\nconst own = ['{OWN}', '{number}'].join('-');\n"
        )
        text += "globalThis.kept = Buffer.from(own);\n"
        tests = (
            f"const assert = require('node:assert');\n// {WORD}-{number}\n"
            f"assert.deepEqual(f('{WORD}'), [], '{WORD}-{number}');\n"
            f"assert(f('{OWN}').includes('memory'));\n"
        )
    problem = Problem(f"harvest {number}", "test", language, prompt, tests, entry_point="f")
    return problem, Completion(problem.name, 0, text)


@pytest.mark.parametrize("language", sorted(SCANNERS))
def test_a_strict_solution_finds_neither_its_tests_nor_earlier_ones(language: str, sandboxed: None) -> None:
    needs_toolchain(language)
    with Judge(limits=LIMITS, workers=1, strict=True) as judge:
        verdicts = list(judge.verdicts([harvest(language, number) for number in range(3)]))
    assert [(verdict.outcome, verdict.message) for verdict in verdicts] == [("passed", "")] * 3


@pytest.mark.parametrize("language", sorted(SCANNERS))
def test_the_same_solution_finds_its_tests_where_it_shares_their_process(
    language: str, sandboxed: None
) -> None:
    needs_toolchain(language)
    with Judge(limits=LIMITS, workers=1) as judge:
        [verdict] = judge.verdicts([harvest(language, 1)])
    assert verdict.outcome == "wrong_answer"


@pytest.mark.parametrize("language", sorted(SCANNERS))
def test_a_solution_beside_its_tests_finds_nothing_of_earlier_programs(
    language: str, sandboxed: None
) -> None:
    needs_toolchain(language)
    comment = {"py": "#", "js": "//"}[language]
    earlier = f"{comment} {WORD}-1\nkept = '{WORD}-2'\n"
    own, check = (
        f"kept = ['{OWN}', '1'].join('-');",
        "if (_scan(WORD).length || !_scan(OWN).includes('memory')) throw Error();",
    )
    if language == "py":
        own, check = f"kept = '-'.join(['{OWN}', '1'])", "assert _scan(WORD) == [] and 'memory' in _scan(OWN)"
    words = {"py": f"WORD, OWN = '{WORD}', '{OWN}'", "js": f"const WORD = '{WORD}', OWN = '{OWN}';"}
    scanner = "\n".join([SCANNERS[language], words[language], own, check])
    with Judge(limits=LIMITS, workers=1) as judge:
        pairs = [pair(language, earlier, "earlier"), pair(language, scanner, "scanner")]
        assert [verdict.outcome for verdict in judge.verdicts(pairs)] == ["passed", "passed"]
