"""C++17, by g++, with the standard library's headers compiled once."""

from __future__ import annotations

import re

from flextune.judging.languages.base import Artifact, Finding
from flextune.judging.languages.marks import Seam
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


# Names that no macro may take from the tests: keywords, which no program may define, and what tests end by.
_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "if else for while do switch case default break continue return goto try catch throw new delete this "
        "int long short char bool float double void auto const static true false nullptr and or not xor "
        "template typename class struct union enum using namespace operator sizeof decltype main candidate "
        "static_cast dynamic_cast const_cast reinterpret_cast signed unsigned wchar_t char16_t char32_t "
        "typeid explicit export extern friend inline mutable noexcept private protected public register asm "
        "alignas alignof constexpr static_assert thread_local typedef virtual volatile and_eq bitand bitor "
        "compl not_eq or_eq xor_eq override final abort exit terminate",
    )
)
# Names that are the compiler's and the library's own, those of which `assert` is made among them.
_RESERVED = re.compile(r"_[_A-Z]\w*")
_DEFINED = re.compile(r"(?:#|%:|\?\?=)(?:\s|/\*.*?\*/)*define(?:\s|/\*.*?\*/)+(\w+)", re.DOTALL)
_PUSHED = re.compile(r"push_macro|pop_macro|NDEBUG")
_ASSERT_HEADER = re.compile(r"#\s*include\s*<(?:assert\.h|cassert|bits/stdc\+\+\.h)>")
_SWALLOWED = "#ifndef FLEXTUNE_{tag}\n#error the tests are part of what the solution leaves open\n#endif\n"
# What the linker asks for: the assembler came to the end of the source.
_ENDED = (
    "static void __attribute__((used, noinline)) flextune_{tag}() "
    '{{ __asm__(".globl flextune_end_{tag}\\nflextune_end_{tag}:{entry}); }}\n'
)
_END = re.compile(rb"flextune_end_[0-9a-f]{32}")
# Whether `main` is the program's entry, whatever it was declared to be called by the linker.
_ENTRY = '\\n.ifnc main,%c0\\n.error \\"main has another name\\"\\n.endif" :: "i"(main)'
# Macros of the assembler, by which calls of the tests could mean something else.
_ASSEMBLES = re.compile(r"\b_*asm_*\b|##")
_ASSEMBLER_MACRO = re.compile(r"\.\s*(?:macro|irpc?|rept|include)\b", re.IGNORECASE)


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

    def mark(self, cut: Seam) -> str:
        """Directives before the tests, which undo what macros would do to them, and others after them.

        The first of them defines a macro for which the last ask. A text, a comment or a condition that begins
        in the solution swallows the definition.
        """
        if not cut.has_tests:
            return cut.source
        spliced = cut.solution.replace("\\\n", "")
        macros = set(_DEFINED.findall(spliced))
        directives = [
            f"#define FLEXTUNE_{cut.tag}",
            *(f"#undef {name}" for name in sorted(filter(_is_taken, macros))),
        ]
        asserts = _ASSERT_HEADER.search(cut.solution) and not re.search(r"define\s+assert", cut.tests)
        if asserts and ("assert" in macros or _PUSHED.search(spliced)):
            # As the header defines it.
            directives += ["#undef NDEBUG", "#include <assert.h>"]
        line = cut.solution.count("\n") + 1
        directives.append(f'#line {line} "{self.file_name()}"')
        if _ASSEMBLES.search(spliced) and _ASSEMBLER_MACRO.search(re.sub(r'"\s*"', "", spliced)):
            directives.append("#error macros of the assembler could change the tests")
        entry = _ENTRY if re.search(r"\bmain\s*\(", cut.tests) else '"'
        ended = _SWALLOWED.format(tag=cut.tag) + _ENDED.format(tag=cut.tag, entry=entry)
        # An empty line first, since the solution may end in a backslash.
        before = "\n".join(["", *directives, ""])
        return f"{cut.solution}{before}{cut.tests}\n{ended}"

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """Those of MultiPL-E's evaluator, and what is faster without changing the program's meaning."""
        quick = ("-include", f"{{runtime}}/{_HEADER}") if includes_everything(source) else ()
        options = ("-fmax-errors=5", "-fdiagnostics-color=never", *fastest_linker(), WRAP)
        ended = tuple(f"-Wl,--defsym=flextune_reached={name.decode()}" for name in _END.findall(source)[-1:])
        # The shim's object comes first, and so does what it runs before the program.
        return (_STANDARD, *quick, SHIM, self.file_name(), *options, *ended)

    def classify(self, result: Result, secret: bytes) -> Finding:
        """An exception that nobody catches is told by what the C++ runtime says of it."""
        finding = super().classify(result, secret)
        if finding.outcome == "exception" and b"instance of 'std::bad_alloc'" in result.errors:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


def _is_taken(name: str) -> bool:
    """Whether no macro of a program may have that name."""
    return name in _KEYWORDS or _RESERVED.fullmatch(name) is not None


def includes_everything(source: bytes) -> bool:
    """Whether the whole standard library may be included before ``source`` without changing it."""
    return _INCLUDES_EVERYTHING.match(source) is not None


LANGUAGE = Cpp()
