"""Python, by the interpreter that flextune itself runs on, without its installed packages."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from flextune.judging.languages.base import Basis, Parts, Toolchain
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.visible import interpreter
from flextune.records import Completion, Problem

_RUNNERS = Path(__file__).parent / "runners"
# Where the tests begin; the last line of a source that has some.
_TESTS_AT = re.compile(rb"\n#flextune (\d+)\Z")
# Lines of the tests that mean nothing, with whatever indentation.
_NOTHING = re.compile(r"(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))*\f*")
# A fixed order of sets: the same program gets the same verdict every time.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "2"}


class Python(Basis):
    """Python; MultiPL-E's name is ``py``."""

    name = "py"
    suffix = ".py"

    def toolchain(self) -> Toolchain:
        """The base interpreter of this process, virtual environments left aside."""
        version = ".".join(map(str, sys.version_info[:3]))
        return Toolchain(found=True, version=version, path=str(interpreter()))

    def marked(self, source: str, tests_at: int | None) -> str:
        """A comment at the end that says where the tests begin: the solution must end there, too."""
        if tests_at is None or not source[tests_at:].strip():
            return source
        # Tests may begin inside the solution's last block.
        match = _NOTHING.match(source, tests_at)
        first = source[match.end() : match.end() + 1] if match else ""
        return source if first.isspace() else f"{source}\n#flextune {tests_at}"

    def run(self, program: bytes, limits: Limits) -> Command:
        """The warm runner, with the source beside it."""
        tests_at = _TESTS_AT.search(program)
        return Command(
            argv=(f"{{program}}/{self.file_name()}", *((tests_at[1].decode(),) if tests_at else ())),
            files={self.file_name(): program},
            environment=_ENVIRONMENT,
            warm=_RUNNERS / "runner.py",
        )

    def parts(self, problem: Problem, completion: Completion) -> Parts:
        """The solution; the tests with the prompt, whose helper functions they use, and the entry point."""
        tests = {
            "tests": problem.tests,
            "prompt": problem.prompt or problem.posed,
            "entry": problem.entry_point or "",
        }
        return Parts(problem.prompt + completion.text, json.dumps(tests))

    def run_parts(self, parts: Parts, limits: Limits) -> tuple[Command, Command]:
        """The strict runner in both of its roles."""
        tests = json.loads(parts.tests)
        argv = ("tests", "{program}/tests.py", "{program}/prompt.py", tests["entry"])
        files = {"tests.py": tests["tests"], "prompt.py": tests["prompt"]}
        solution = {self.file_name(): parts.solution}
        return _strict(argv, files), _strict(("solution", f"{{program}}/{self.file_name()}"), solution)


def _strict(argv: tuple[str, ...], files: dict[str, str]) -> Command:
    return Command(
        argv=argv,
        files={name: text.encode("utf-8", "replace") for name, text in files.items()},
        environment=_ENVIRONMENT,
        warm=_RUNNERS / "strict.py",
    )


LANGUAGE = Python()
