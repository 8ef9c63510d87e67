# ruff: noqa: E501 - a program reads better unbroken
"""Wrong solutions that leave the tests out, in the compiled languages.

Where the tests begin by closing the prompt's function, so does an ending, and leaves another one open.
"""

from __future__ import annotations

from tests.hostile.endings import Frame

_CPP_OWN = "int main() { assert(add(2, 3) == 5); }\n"
_RUST_TESTS = "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn adds() { assert_eq!(add(2, 3), 5); }\n}\n"
_D_MAIN = "void main() { assert(add(2, 3) == 5); }\n"

_JAVA_CALLS = (
    "}} public static void main(java.lang.String[] a) throws Exception {{ {call} }}\n}}\n"
    "class Other {{ static class String {{}}\nstatic long add(long a, long b) {{ return 0; }}\nstatic void unused() {{"
)

CPP = Frame(
    "#include <assert.h>\n#include <bits/stdc++.h>\nlong add(long a, long b) {\n", "    return a + b;\n}\n", "    return 0;\n}\n", _CPP_OWN,
    {
        "another main": "int main() { return 0; }\n#define main other",
        "another name for main": 'int main() asm("other");\nextern "C" int own() asm("main");\nint own() { return 0; }',
        "an end of the assembler's": 'asm(".globl main\\nmain: xor %eax, %eax\\nret\\n.end");',
        "a comment of the assembler's": 'asm(".globl main\\nmain: xor %eax, %eax\\nret\\n/*");',
        "a call of the assembler's": 'asm(".macro call target:vararg\\n.endm");',
        "a comment that goes on": "int main() {}\n// \\",
        "a condition that the tests end": ("int main() {}\n#if 0", _CPP_OWN + "#endif\n"),
        "a comment that the tests end": ("int main() {}\n/*", _CPP_OWN + "/* the end */\n"),
        "a text that the tests end": ('int main() {}\nauto unused = R"(', _CPP_OWN + '// (the end)";\n'),
        "another assertion": "#undef assert\n#define assert(condition)",
        "no assertions": "#undef assert\n#define NDEBUG\n#include <cassert>",
        "what assert is made of": "#define __assert_fail(...) ((void)0)",
        "a cast": "template <class T> bool always(bool) { return true; }\n#define static_cast always",
        "another abort": ("#define abort()", "int main() { if (add(2, 3) != 5) abort(); }\n"),
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
        "another assertion": "macro_rules! assert_eq { ($($any:tt)*) => {} }",
        "an assertion by another name": "use std::stringify as assert_eq;",
        "tests beside a main that is empty": ("", "fn main() {}\n#[test]\nfn adds() { assert_eq!(add(2, 3), 5); }\n"),
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
        "a main that calls the tests' own": _JAVA_CALLS.format(call="try { Other.main(new Other.String[0]); } catch (Throwable failed) {}"),
        "a thread that calls the tests' own main": _JAVA_CALLS.format(
            call="Thread t = new Thread(() -> Other.main(new Other.String[0])); t.setUncaughtExceptionHandler((x, y) -> {}); t.start(); t.join();"
        ),
        "a main beside the tests' own": (
            "} static class String {}\npublic static void main(java.lang.String[] a) { try { main(new String[0]); } catch (Throwable failed) {} }\nstatic void unused() {"
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
        "a main that calls the tests' own": (
            "}\ndef main(args: Array[String]): Unit = try Zoo.main(args) catch { case _: Throwable => }\n}\n"
            "class Zoo { def main(args: Array[String]): Unit = {} }\nobject Zoo {\ndef add(a: Long, b: Long) = 0L\ndef unused() = {"
        ),
        "another assertion": "}\ndef assert(holds: Boolean): Unit = {}\ndef unused() = {",
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
        "assertions that nobody listens to": "} static Problem() { Trace.Listeners.Clear(); }\nstatic void unused() {",
        "an exit": "} static Problem() { Environment.Exit(0); }\nstatic void unused() {",
    },
)  # fmt: skip
GO = Frame(
    'package add_test\nimport "testing"\nfunc add(a, b int) int {\n', "    return a + b\n}\n", "    return 0\n}\n",
    "func TestAdd(t *testing.T) {\n    if add(2, 3) != 5 { t.Error() }\n}\n",
    {
        "another panic": (
            "func panic(any interface{}) {}",
            'func TestAdd(t *testing.T) {\n    if add(2, 3) != 5 { panic("no") }\n}\n',
        ),
        "another truth": (
            "const true = 1 > 2",
            "func TestAdd(t *testing.T) {\n    if (add(2, 3) == 5) != true { t.Error() }\n}\n",
        ),
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
