"""JavaScript, by Node, as a CommonJS main module."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Parts, Tool, prefix_of
from flextune.judging.languages.marks import BRACES, Seam, marked
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import MIB, Limits
from flextune.records import Completion, Problem

_RUNNERS = Path(__file__).parent / "runners"
_SHARED = ("strict_channel.js", "strict_peer.js", "strict_values.js")
_TESTS = ("strict_checks.js", "strict_names.js", "strict_standins.js")
# What a prompt begins to define: the last of them is what it asks for.
_DEFINITION = re.compile(
    r"\b(?:function\s*\*?|class|(?:const|let|var)(?=\s+[\w$]+\s*=\s*(?:async\b\s*)?(?:\(|function\b|[\w$]+\s*=>)))"
    r"\s+([\w$]+)"
)
# Only a source that has one of these can be a module rather than a script.
_OF_MODULES = re.compile(rb"\b(?:import|export|await)\b")
# Stack frames that say nothing about the program, Node's own and the runner's.
_FRAME_OF_NODE = re.compile(rb"    at .*(\(node:|\bnode:internal/|/(runner|steps|strict_\w+)\.js:)")


class JavaScript(Basis):
    """JavaScript; MultiPL-E's name is ``js``."""

    name = "js"
    suffix = ".js"
    comment = "//"
    tools = (Tool("node", "apt-get install nodejs"),)
    closing = BRACES

    def mark(self, cut: Seam) -> str:
        """A call before the tests and one after them, of a function that is named by the tag.

        The first says whether this is the main module, should the tests ask it.
        """
        asked = "require.main === module" if "require.main" in cut.tests else "true"
        call = f";globalThis['{cut.tag}']({{}});"
        return marked(cut, call.format(asked), call.format(""))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it, also under the name of a module where it may be one."""
        path = f"{{program}}/{self.file_name()}"
        files = {self.file_name(): program}
        if _OF_MODULES.search(program):
            files["main.mjs"] = program
        return self._node(limits, ("runner.js", "steps.js"), files, path)

    def parts(self, problem: Problem, completion: Completion) -> Parts:
        """The solution; the tests with the prompt, whose helper functions they use, and the entry point."""
        prompt = problem.prompt or problem.posed
        entry = problem.entry_point or next(reversed(_DEFINITION.findall(prompt)), "")
        tests = json.dumps({"tests": problem.tests, "prompt": prompt, "entry": entry})
        return Parts(problem.prompt + completion.text, tests)

    def run_parts(self, parts: Parts, limits: Limits) -> tuple[Command, Command]:
        """One Node for the tests and one for the solution."""
        tests = json.loads(parts.tests)
        files = {f"{name}.js": tests[name].encode("utf-8", "replace") for name in ("tests", "prompt")}
        paths = ("{program}/tests.js", "{program}/prompt.js", tests["entry"])
        name, solution = self.file_name(), parts.solution.encode("utf-8", "replace")
        return (
            self._node(limits, ("strict_tests.js", *_SHARED, *_TESTS), files, *paths),
            self._node(limits, ("strict_solution.js", *_SHARED), {name: solution}, f"{{program}}/{name}"),
        )

    def _node(
        self, limits: Limits, scripts: tuple[str, ...], files: dict[str, bytes], *arguments: str
    ) -> Command:
        """Node with the first of our ``scripts``, and ``files`` beside it."""
        node = Path(self.toolchain().path)
        heap = max(16, limits.memory_bytes // MIB * 3 // 4)
        return Command(
            argv=(
                str(node),
                f"--max-old-space-size={heap}",
                "--no-warnings",
                "--v8-pool-size=1",
                # Whether a source is a module can be asked only with it.
                "--experimental-vm-modules",
                f"{{program}}/{scripts[0]}",
                *arguments,
            ),
            files={**files, **{name: (_RUNNERS / name).read_bytes() for name in scripts}},
            readable=prefix_of(node),
            environment={"UV_THREADPOOL_SIZE": "1", "NODE_NO_WARNINGS": "1"},
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """V8 aborts when its heap is full, before the runner can say so."""
        errors = b"\n".join(line for line in result.errors.split(b"\n") if not _FRAME_OF_NODE.match(line))
        finding = super().classify(replace(result, errors=errors), secret)
        if finding.outcome == "exception" and b"JavaScript heap out of memory" in result.errors:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


LANGUAGE = JavaScript()
