"""JavaScript, by Node, as a CommonJS main module."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Toolchain, find_program, prefix_of, version_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import MIB, Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.js"
# Stack frames that say nothing about the program, Node's own and the runner's.
_FRAME_OF_NODE = re.compile(rb"    at .*(\(node:|\bnode:internal/|/runner\.js:)")


class JavaScript(Basis):
    """``js``."""

    name = "js"
    suffix = ".js"
    comment = "//"

    def toolchain(self) -> Toolchain:
        """Node on PATH, or how to install it."""
        node = find_program("node")
        if node is None:
            return Toolchain(found=False, missing="node", install="apt-get install nodejs")
        return Toolchain(found=True, version=version_of(node, "--version"), path=str(node))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        node = Path(self.toolchain().path)
        heap = max(16, limits.memory_bytes // MIB * 3 // 4)
        return Command(
            argv=(
                str(node),
                f"--max-old-space-size={heap}",
                "--no-warnings",
                "--v8-pool-size=1",
                "{program}/runner.js",
                f"{{program}}/{self.file_name()}",
            ),
            files={"runner.js": _RUNNER.read_bytes(), self.file_name(): program},
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
