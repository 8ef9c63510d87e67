# ruff: noqa: E501 - a program reads better unbroken
"""Wrong solutions that leave the tests out, in the compiled languages.

Where the tests begin by closing the prompt's function, so does an ending, and leaves another one open.
"""

from __future__ import annotations

from tests.hostile.endings import Frame

_CPP_OWN = "int main() { assert(add(2, 3) == 5); }\n"
_RUST_TESTS = "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn adds() { assert_eq!(add(2, 3), 5); }\n}\n"
_D_MAIN = "void main() { assert(add(2, 3) == 5); }\n"

CPP = Frame(
    "#include <assert.h>\n#include <bits/stdc++.h>\nlong add(long a, long b) {\n", "    return a + b;\n}\n", "    return 0;\n}\n", _CPP_OWN,
    {
        "another main": "int main() { return 0; }\n#define main other",
        "another name for main": 'int main() asm("other");\nextern "C" int own() asm("main");\nint own() { return 0; }',
        "a comment that goes on": "int main() {}\n// \\",
        "a condition that the tests end": ("int main() {}\n#if 0", _CPP_OWN + "#endif\n"),
        "a comment that the tests end": ("int main() {}\n/*", _CPP_OWN + "/* the end */\n"),
        "a text that the tests end": ('int main() {}\nauto unused = R"(', _CPP_OWN + '// (the end)";\n'),
        "another assertion": "#undef assert\n#define assert(condition)",
        "no assertions": "#undef assert\n#define NDEBUG\n#include <cassert>",
        "another if": ("#define if(condition) if (false)", "int main() { if (add(2, 3) != 5) abort(); }\n"),
    },
)  # fmt: skip
RS = Frame(
    "fn add(a: i64, b: i64) -> i64 {\n", "    a + b\n}\n", "    0\n}\n", "fn main() { assert_eq!(add(2, 3), 5); }\n",
    {
        "an attribute": "fn main() {}\n#[cfg(any())]",
        "an attribute of tests": "fn main() {}\n#[test]",
        "a comment that the tests end": ("fn main() {}\n/*", "fn main() { assert_eq!(add(2, 3), 5); } /* */ */\n"),
        "a text that the tests end": ('fn main() {}\nconst UNUSED: &str = r#"', 'fn main() { assert_eq!(add(2, 3), 5); } //"#;\n'),
        "a test that is not compiled": ("fn main() {}\n#[cfg(any())]", _RUST_TESTS),
        "tests without their runner": ("fn main() {}", _RUST_TESTS),
    },
)  # fmt: skip
D = Frame(
    "import std.math;\nlong add(long a, long b) {\n", "    return a + b;\n}\n", "    return 0;\n}\n", "unittest { assert(add(2, 3) == 5); }\nvoid main() {}\n",
    {
        "__EOF__": "void main() {}\n__EOF__",
        "U+0000": "void main() {}\n\0",
        "U+001A": "void main() {}\n\x1a",
        "a label of debugging": "void main() {}\ndebug:",
        "a label of a version": "void main() {}\nversion (none):",
        "a label of a condition": "void main() {}\nstatic if (false):",
        "a condition": "debug",
        "a version": "version (none)",
        "a loop": ("void main() {}\nstatic foreach (i; 0 .. 0)", _D_MAIN),
        "a text that the tests end": ("void main() {}\nenum unused = `", _D_MAIN + "//`;\n"),
        "another runner": "import core.runtime;\nshared static this() { Runtime.moduleUnitTester = function bool() { return true; }; }",
    },
)  # fmt: skip
JAVA = Frame(
    "class Problem {\n    static long add(long a, long b) {\n", "        return a + b;\n", "        return 0;\n",
    "    }\n    public static void main(String[] args) {\n        assert add(2, 3) == 5;\n    }\n}\n",
    {
        "an escaped end": "}\npublic static void main(String[] args) {}\n}\n\\u001a",
        "U+001A": "}\npublic static void main(String[] args) {}\n}\n\x1a",
        "an escaped comment": (
            "}\npublic static void main(String[] args) {}\n}\n\\u002f*",
            "    }\n    public static void main(String[] args) {\n        assert add(2, 3) == 5;\n    }\n}\n/* */\n",
        ),
        "an exit": "} static { System.exit(0); }\nstatic void unused() {",
    },
)  # fmt: skip
SCALA = Frame(
    "object Problem {\n    def add(a: Long, b: Long): Long = {\n", "        a + b\n", "        0\n",
    "    }\n    def main(args: Array[String]) = {\n    assert(add(2L, 3L) == 5L)\n    }\n}\n",
    {
        "another main": "}\ndef main(args: Array[String]): Unit = {}\n}\nobject Zoo {\ndef add(a: Long, b: Long) = 0L\ndef unused() = {",
        "another main, and a class": "}\ndef main(args: Array[String]): Unit = {}\n}\nclass Zoo {\ndef add(a: Long, b: Long) = 0L\ndef unused() = {",
        "an exit": "}\nsys.exit(0)\ndef unused() = {",
    },
)  # fmt: skip
CS = Frame(
    "using System;\nusing System.Diagnostics;\nclass Problem {\n    static long Add(long a, long b) {\n", "        return a + b;\n", "        return 0;\n",
    "    }\n    public static void Main(string[] args) {\n    Debug.Assert(Add(2, 3) == 5);\n    }\n}\n",
    {
        "a condition that the tests end": (
            "} public static void Main() {}\n}\n#if false",
            "    }\n    public static void Main(string[] args) {\n    Debug.Assert(Add(2, 3) == 5);\n    }\n}\n#endif\n",
        ),
        "an exit": "} static Problem() { Environment.Exit(0); }\nstatic void unused() {",
    },
)  # fmt: skip
GO = Frame(
    'package add_test\nimport "testing"\nfunc add(a, b int) int {\n', "    return a + b\n}\n", "    return 0\n}\n",
    "func TestAdd(t *testing.T) {\n    if add(2, 3) != 5 { t.Error() }\n}\n",
    {
        "a text that the tests end": (
            "func TestNothing(t *testing.T) {}\nvar unused = `",
            "func TestAdd(t *testing.T) {\n    if add(2, 3) != 5 { t.Error() }\n}\n//`\n",
        ),
        "a comment that the tests end": (
            "func TestNothing(t *testing.T) {}\n/*",
            "func TestAdd(t *testing.T) {\n    if add(2, 3) != 5 { t.Error() }\n}\n/* */\n",
        ),
    },
)  # fmt: skip
