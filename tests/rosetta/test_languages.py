"""Every snippet of every language against the operation's own meaning; Rosetta's own code, run directly."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flextune.rosetta import languages
from flextune.rosetta.composition import Composition, Step
from flextune.rosetta.inputs import draw
from flextune.rosetta.languages import LANGUAGES
from flextune.rosetta.languages.base import IDIOMATIC, PLAIN, read_snippets
from flextune.rosetta.languages.java import literal
from flextune.rosetta.operations import KINDS, OPERATIONS, Kind, Undefined

CASES = 20
PAIRS = 300

# The compiler runs once and briefly: less optimisation is a third of the time.
FAST = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]

# What random inputs seldom hold: empty values, negatives, ties, texts that other steps leave behind.
EDGES: dict[Kind, list[Any]] = {
    "int": [0, 1, -1, -7, 100, 4096],
    "ints": [[], [0], [-3, -3], [-5, 0, -4, 0, 7], [2, 2, 1, 1], [1, 2, 3], [128, 128, 1000, 1000]],
    "text": ["", " ", "  a b", "ba  c ", "A-b-*z9", "aAaa11", "xyz XYZ"],
    "words": [[], ["", "a", ""], ["b", "a", "b", "a"], ["Eel", "eel", "ox"], ["aa", "bb", "c"]],
    "counts": [{}, {"1": 4, "0": 4}, {"b": -2, "a": -2}, {"a": 200, "b": 200, "c": 0}],
}

Program = tuple[str, Composition, int]


def first_step(name: str) -> Step:
    operation = OPERATIONS[name]
    return Step(operation, operation.constants[0] if operation.constants else None)


def singles() -> list[Composition]:
    return [
        Composition((Step(operation, k),))
        for operation in OPERATIONS.values()
        for k in dict.fromkeys((*operation.constants[:1], *operation.constants[-1:])) or (None,)
    ]


def pairs() -> list[Composition]:
    """Each operation after itself where it can follow itself, and some random pairs."""
    names = [(a, b) for a, b in product(OPERATIONS, OPERATIONS) if OPERATIONS[a].gives == OPERATIONS[b].takes]
    rng = np.random.default_rng(0)
    chosen = [names[i] for i in rng.choice(len(names), PAIRS, replace=False)]
    chosen += [(a, b) for a, b in names if a == b]
    return [Composition((first_step(a), first_step(b))) for a, b in chosen]


def cases(composition: Composition, count: int) -> list[tuple[Any, Any]]:
    """Inputs with a result, edges first."""
    rng = np.random.default_rng(1)
    found: list[tuple[Any, Any]] = []
    for value in EDGES[composition.takes] + [draw(composition.takes, rng) for _ in range(10 * CASES)]:
        try:
            found.append((value, composition(value)))
        except Undefined:
            continue
    assert found
    return found[:count]


@pytest.fixture(scope="module")
def programs() -> list[tuple[Composition, int, list[tuple[Any, Any]]]]:
    chosen = [(composition, cases(composition, CASES)) for composition in singles()]
    chosen += [(composition, cases(composition, 3)) for composition in pairs()]
    return [(composition, style, tests) for composition, tests in chosen for style in (PLAIN, IDIOMATIC)]


def render(language: str, composition: Composition, style: int, tests: list[tuple[Any, Any]]) -> str:
    made = LANGUAGES[language]
    takes, gives = composition.takes, composition.gives
    return (
        made.prompt("Solve it.", takes, gives)
        + made.body(composition.steps, style)
        + "\n"
        + made.tests(takes, gives, tests)
    )


def java_program(programs: list[tuple[Composition, int, list[tuple[Any, Any]]]]) -> str:
    """All programs in one file; prints the name of each that fails, and how many ran."""
    classes, calls = [], []
    for number, (composition, style, tests) in enumerate(programs):
        source = render("java", composition, style, tests)
        imports, _, rest = source.partition("class Problem {")
        classes.append(f"class P{number} {{{rest}")
        value = literal(composition.takes, tests[-1][0])
        kept = (
            f"var input = {value}; P{number}.solve(input); assert input{_same(composition.takes)}({value});"
        )
        calls.append(
            f"static void run{number}() {{ try {{ P{number}.main(null); {kept} }} "
            f'catch (Throwable e) {{ System.out.println("{composition.name} in style {style}: " + e); }} }}'
        )
    # A method holds at most 64 KB of code, so the calls are made by name.
    main = f"""public static void main(String[] arguments) throws Exception {{
        for (int i = 0; i < {len(programs)}; i++) All.class.getDeclaredMethod("run" + i).invoke(null);
        System.out.println("{len(programs)}");
    }}"""
    return imports + "class All {\n" + "\n".join([main, *calls]) + "\n}\n" + "\n".join(classes)


def _same(kind: Kind) -> str:
    return " == " if kind == "int" else ".equals"


def javascript_program(programs: list[tuple[Composition, int, list[tuple[Any, Any]]]]) -> str:
    """The same in JavaScript; inputs are frozen and compared strictly, which node's ``deepEqual`` is not."""
    freeze = "const freeze = x => typeof x === 'object' ? Object.freeze(x) : x;"
    parts = ["'use strict';", freeze]
    for composition, style, tests in programs:
        source = render("js", composition, style, tests).replace("'node:assert'", "'node:assert/strict'")
        # JSON has no negative zero.
        source = source.replace(
            "candidate = solve;", "candidate = x => JSON.parse(JSON.stringify(solve(freeze(x))));"
        )
        failed = f"console.log('{composition.name} in style {style}: ' + e.message.split('\\n')[0]);"
        parts.append(f"try {{ (() => {{\n{source}\n}})(); }} catch (e) {{ {failed} }}")
    return "\n".join([*parts, f"console.log('{len(programs)}');"])


def output(command: list[str], file: Path, source: str) -> list[str]:
    file.write_text(source, encoding="utf-8")
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout.splitlines()


def run_java(programs: Any, folder: Path) -> list[str]:
    if shutil.which("javac") is None:
        pytest.skip("no JDK")
    return output(["java", "-ea", *FAST], folder / "All.java", java_program(programs))


def run_javascript(programs: Any, folder: Path) -> list[str]:
    if shutil.which("node") is None:
        pytest.skip("no Node.js")
    return output(["node"], folder / "all.js", javascript_program(programs))


def python_failures(programs: Any) -> list[str]:
    failures = []
    for composition, style, tests in programs:
        space: dict[str, Any] = {}
        exec(render("py", composition, style, tests[:1]), space)
        for value, expected in tests:
            given = copy.deepcopy(value)
            found = space["solve"](given)
            if found != expected or type(found) is not type(expected) or given != value:
                failures.append(f"{composition.name} in style {style}: {value} -> {found}")
    return failures


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_has_at_least_two_different_snippets(language: str) -> None:
    snippets = LANGUAGES[language].snippets
    assert set(snippets) == set(OPERATIONS)
    assert [name for name, styles in snippets.items() if len(set(styles)) < 2] == []


@pytest.mark.slow
def test_python_snippets_equal_the_meanings(programs: Any) -> None:
    assert python_failures(programs) == []


@pytest.mark.toolchain
def test_java_snippets_equal_the_meanings(programs: Any, tmp_path: Path) -> None:
    assert run_java(programs, tmp_path) == [str(len(programs))]


@pytest.mark.toolchain
def test_javascript_snippets_equal_the_meanings(programs: Any, tmp_path: Path) -> None:
    assert run_javascript(programs, tmp_path) == [str(len(programs))]


@pytest.mark.toolchain
@pytest.mark.parametrize("run", [run_java, run_javascript])
def test_a_wrong_expectation_of_any_kind_is_noticed(run: Any, tmp_path: Path) -> None:
    wrong: dict[Kind, Any] = {"int": 99, "ints": [99], "text": "99", "words": ["99"], "counts": {"99": 99}}
    programs = [
        (composition, PLAIN, [(EDGES[composition.takes][-1], wrong[composition.gives])])
        for composition in (Composition((first_step(name),)) for name in ("add", "scale", "upper", "split"))
    ]
    programs.append((Composition((first_step("word_counts"),)), IDIOMATIC, [(["a"], wrong["counts"])]))
    assert {composition.gives for composition, _, _ in programs} == set(KINDS)
    assert len(run(programs, tmp_path)) == len(programs) + 1


@pytest.mark.toolchain
def test_a_map_of_more_than_ten_pairs_is_a_java_literal(tmp_path: Path) -> None:
    counts = dict.fromkeys("abcdefghijkl", 1)
    program = (Composition((first_step("key_count"),)), PLAIN, [(counts, 12)])
    assert 'Map.ofEntries(Map.entry("a", 1l)' in java_program([program])
    assert run_java([program], tmp_path) == ["1"]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_stop_is_behind_the_body(language: str, programs: Any) -> None:
    made = LANGUAGES[language]
    for composition, style, tests in programs:
        body = made.body(composition.steps, style)
        written = body + "\n" + made.tests(composition.takes, composition.gives, tests)
        found = [written.find(stop) for stop in made.stop if stop in written]
        assert all(place >= len(body) for place in found), composition.name


PROGRAM = Composition((first_step("keep_even"), first_step("total")))


def test_python_programs_have_the_shape_of_humaneval() -> None:
    assert render("py", PROGRAM, PLAIN, [([1, 2], 2)]) == (
        "def solve(numbers: list[int]) -> int:\n"
        '    """Solve it.\n    """\n'
        "    evens = []\n"
        "    for x in numbers:\n"
        "        if x % 2 == 0:\n"
        "            evens.append(x)\n"
        "    total = 0\n"
        "    for x in evens:\n"
        "        total += x\n"
        "    return total\n\n"
        "def check(candidate):\n"
        "    assert candidate([1, 2]) == 2\n\n"
        "check(solve)\n"
    )


def test_java_programs_have_the_shape_of_multipl_e() -> None:
    assert render("java", PROGRAM, IDIOMATIC, [([1, -2], -2)]) == (
        "import java.util.*;\nimport java.util.stream.*;\n\n"
        "class Problem {\n"
        "    // Solve it.\n"
        "    public static long solve(ArrayList<Long> numbers) {\n"
        "        ArrayList<Long> evens = numbers.stream().filter(x -> x % 2 == 0)"
        ".collect(Collectors.toCollection(ArrayList::new));\n"
        "        return evens.stream().mapToLong(x -> x).sum();\n"
        "    }\n"
        "    public static void main(String[] args) {\n"
        "    assert(solve((new ArrayList<Long>(Arrays.asList((long)1l, (long)-2l)))) == (-2l));\n"
        "    }\n\n}\n"
    )


def test_javascript_programs_have_the_shape_of_multipl_e() -> None:
    assert render("js", PROGRAM, IDIOMATIC, [([1, 2], 2)]) == (
        "// Solve it.\n"
        "function solve(numbers) {\n"
        "    const evens = numbers.filter(x => x % 2 === 0);\n"
        "    return evens.reduce((a, b) => a + b, 0);\n"
        "}\n"
        "const assert = require('node:assert');\n\n\n"
        "function test() {\n"
        "  let candidate = solve;\n"
        "  assert.deepEqual(candidate([1, 2]),2);\n"
        "}\n\n"
        "test();"
    )


def test_a_reserved_word_names_no_variable() -> None:
    step = first_step("keep_longer")
    steps = (replace(step, operation=replace(step.operation, result="long")),)
    assert "long2.add(w)" in LANGUAGES["java"].body(steps, PLAIN)
    assert "long.append(w)" in LANGUAGES["py"].body(steps, PLAIN)


def test_an_entry_gives_the_plain_snippet_first() -> None:
    table = "\na: idiom\n    plain\n        deep\nb:\n    one\n    or\n    two\n    three\n"
    assert read_snippets(table) == {"a": ("plain\n    deep", "idiom"), "b": ("one", "two\nthree")}


def test_a_language_is_added_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "toy.py").write_text(
        "from flextune.rosetta.languages.javascript import JavaScript\n"
        "class Toy(JavaScript):\n    name = 'toy'\n"
        "LANGUAGE = Toy()\n"
    )
    monkeypatch.setattr(languages, "__path__", [*languages.__path__, str(tmp_path)])
    try:
        assert set(languages.discover()) == {*LANGUAGES, "toy"}
    finally:
        sys.modules.pop("flextune.rosetta.languages.toy", None)
    assert set(languages.discover()) >= set(LANGUAGES)
