"""TypeScript: a warm compiler that stays, and Node for every program.

As for MultiPL-E, whose evaluator runs ``tsc --target esnext`` with its other settings as they are: a source
with any error, an error of types included, does not compile. One that only lacks the types of Node does,
unless it declares what it uses of Node, as the tests of MultiPL-E do.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Toolchain, find_program
from flextune.judging.languages.javascript import LANGUAGE as JAVASCRIPT
from flextune.judging.languages.marks import BRACES, Seam, marked
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import MIB, Limits

_SERVER = Path(__file__).parent / "runners" / "typescript.js"
_INSTALL = "apt-get install node-typescript (or npm install --global typescript)"


class TypeScript(Basis):
    """TypeScript; MultiPL-E's name is ``ts``."""

    name = "ts"
    suffix = ".ts"
    comment = "//"
    closing = BRACES

    def toolchain(self) -> Toolchain:
        """Node and the TypeScript package whose ``tsc`` is on PATH, or how to install them."""
        node = JAVASCRIPT.toolchain()
        if not node.found:
            return node
        compiler = find_program("tsc")
        if compiler is None:
            return Toolchain(found=False, missing="tsc", install=_INSTALL)
        version = _version(compiler)
        if not version:
            # The native compiler that succeeds it has no such library.
            return Toolchain(found=False, missing="typescript.js, the compiler's library", install=_INSTALL)
        return Toolchain(found=True, version=f"{version} (node {node.version})", path=node.path)

    def mark(self, cut: Seam) -> str:
        """As in JavaScript, for a checker of types."""
        call = f";(globalThis as any)['{cut.tag}']({{}});"
        return marked(cut, call.format("true"), call.format(""))

    def compiler(self, limits: Limits) -> Command:
        """A server that stays and compiles one source after another."""
        node = Path(self.toolchain().path)
        heap = max(128, limits.memory_bytes // MIB * 3 // 4)
        return Command(
            argv=(
                str(node),
                f"--max-old-space-size={heap}",
                "--v8-pool-size=1",
                "{program}/typescript.js",
                "{typescript}",
            ),
            files={"typescript.js": _SERVER.read_bytes()},
            mounts={"typescript": _library(find_program("tsc") or Path())},
            readable=JAVASCRIPT.run(b"", limits).readable,
            environment={"UV_THREADPOOL_SIZE": "1"},
        )

    def run(self, program: bytes, limits: Limits) -> Command:
        """Runs what was compiled, which is JavaScript."""
        return JAVASCRIPT.run(program, limits)

    def classify(self, result: Result, secret: bytes) -> Finding:
        """Classified by the rules of JavaScript."""
        return JAVASCRIPT.classify(result, secret)


def _library(compiler: Path) -> Path:
    return compiler.parent.parent / "lib"


@cache
def _version(compiler: Path) -> str:
    """The version of the package that ``tsc`` belongs to, empty where it has no library."""
    try:
        package = json.loads((compiler.parent.parent / "package.json").read_text())
    except (OSError, ValueError):
        return ""
    return str(package.get("version", "")) if (_library(compiler) / "typescript.js").is_file() else ""


LANGUAGE = TypeScript()
