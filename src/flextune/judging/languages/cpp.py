"""C++17, by g++, with the standard library's headers compiled once."""

from __future__ import annotations

import re

from flextune.judging.languages.base import Artifact, Finding
from flextune.judging.languages.native import SHIM, WRAP, Native, fastest_linker, shell
from flextune.judging.sandbox.command import Result

_STANDARD = "-std=c++17"
# ``-include`` of this name takes the compiled header beside it.
_HEADER = "everything.h"
_HEADER_SOURCE = b"#include <bits/stdc++.h>\n"
# Comments, blank lines and includes of standard headers (none of which can tell in which order they came),
# up to the header that includes them all. Anything else before it, such as a macro, could change its meaning.
_INCLUDES_EVERYTHING = re.compile(
    rb"(?:\s|//[^\n\\]*\n|/\*.*?\*/|#[ \t]*include[ \t]*<[a-z_]+(?:\.h)?>[ \t]*(?=\n|//))*"
    rb"#[ \t]*include[ \t]*<bits/stdc\+\+\.h>",
    re.DOTALL,
)


class Cpp(Native):
    """C++; MultiPL-E's name is ``cpp``."""

    name = "cpp"
    suffix = ".cpp"
    compiler_name = "g++"
    install = "apt-get install g++"
    sample = b"#include <vector>\nint main() { return std::vector<int>(1).at(0); }\n"

    def artifacts(self) -> tuple[Artifact, ...]:
        """The shim, and the header that includes the whole standard library, as text and compiled."""
        copy = shell("cat {program}/it >&4", files={"it": _HEADER_SOURCE}, readable=self.readable())
        compile_header = shell(
            f'"$1" {_STANDARD} -x c++-header {{program}}/{_HEADER} -o "$TMPDIR/it" && cat "$TMPDIR/it" >&4',
            str(self.program()),
            files={_HEADER: _HEADER_SOURCE},
            readable=self.readable(),
        )
        return (
            *super().artifacts(),
            Artifact(_HEADER, copy),
            Artifact(f"{_HEADER}.gch", compile_header),
        )

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """Those of MultiPL-E's evaluator, and what is faster without changing the program's meaning."""
        quick = ("-include", f"{{runtime}}/{_HEADER}") if includes_everything(source) else ()
        options = ("-fmax-errors=5", "-fdiagnostics-color=never", *fastest_linker(), WRAP)
        # The shim's object comes first, and so does what it runs before the program.
        return (_STANDARD, *quick, SHIM, self.file_name(), *options)

    def classify(self, result: Result, secret: bytes) -> Finding:
        """An exception that nobody catches is told by what the C++ runtime says of it."""
        finding = super().classify(result, secret)
        if finding.outcome == "exception" and b"instance of 'std::bad_alloc'" in result.errors:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


def includes_everything(source: bytes) -> bool:
    """Whether the whole standard library may be included before ``source`` without changing it."""
    return _INCLUDES_EVERYTHING.match(source) is not None


LANGUAGE = Cpp()
