# ruff: noqa: E501 - a program reads better unbroken
"""What is special to the compiled languages: how each maps failures, and what runs before the tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.judged import Once, needs_toolchain, pair
from tests.support.judging import LIMITS

from flextune.judging import judge
from flextune.judging import language as language_of
from flextune.judging.languages.cpp import includes_everything
from flextune.records import Verdict

_CPP_HEAD = "#include <assert.h>\n#include <bits/stdc++.h>\n#include <unistd.h>\n#include <setjmp.h>\nusing namespace std;\n"
_CS_HEAD = "using System; using System.Diagnostics; using System.Collections.Generic;\n"
_GO_TEST = "func TestX(t *testing.T) { if false { t.Error() } }\n"


def _cs(main: str, members: str = "") -> str:
    return f"{_CS_HEAD}class Problem {{ {members} public static void Main(string[] args) {{ {main} }} }}\n"


CASES: dict[str, dict[str, tuple[str, str]]] = {
    "cpp": {
        "a static constructor finds the secret gone": (
            _CPP_HEAD + "struct S { S() { char c; if (read(3, &c, 1) != -1) _exit(9); } } s; int main() {}",
            "passed",
        ),
        "a static constructor ends the program": (
            _CPP_HEAD + "struct S { S() { _exit(0); } } s; int main() { assert(false); }",
            "ended_early",
        ),
        "a constructor function ends the program": (
            "__attribute__((constructor(101))) static void first() { __builtin_exit(0); }\nint main() { return 1; }",
            "ended_early",
        ),
        "a function at exit ends it otherwise": (
            _CPP_HEAD + "int main() { atexit([] { _exit(4); }); }",
            "exception",
        ),
        "a child comes back from main": (
            _CPP_HEAD + "int main() { if (!fork()) return 0; _exit(0); }",
            "ended_early",
        ),
        "a handler ends a failed assertion with 0": (
            _CPP_HEAD + "int main() { signal(SIGABRT, [](int) { _exit(0); }); assert(false); }",
            "ended_early",
        ),
        "a handler jumps over a failed assertion": (
            _CPP_HEAD + "sigjmp_buf b; int main() { signal(SIGABRT, [](int) { siglongjmp(b, 1); });"
            " if (!sigsetjmp(b, 1)) assert(false); return 0; }",
            "ended_early",
        ),
        "assertions are switched off before the headers": (
            "#define NDEBUG\n" + _CPP_HEAD + "int main() { assert(false); }",
            "passed",
        ),
        "no header is included": ("int main() { return 0; }", "passed"),
        "a name comes from a header that is not included": (
            "#include <vector>\nint main() { std::map<int, int> m; }",
            "compile_error",
        ),
        "only the last eight bits of a status count": (_CPP_HEAD + "int main() { return 256; }", "passed"),
        "an exception is thrown": (_CPP_HEAD + "int main() { throw 1; }", "exception"),
        "main is missing": (_CPP_HEAD + "int mane() { return 0; }", "compile_error"),
        "a division by zero": (_CPP_HEAD + "int main(int n, char **) { return 7 / (n - 1); }", "exception"),
    },
    "rs": {
        "a panic": ('fn main() { panic!("no"); }', "exception"),
        "an assertion with a message": ('fn main() { assert!(1 == 2, "sum"); }', "exception"),
        "an assertion": ("fn main() { assert!(1 == 2); }", "wrong_answer"),
        "an assertion of difference": ("fn main() { assert_ne!(1, 1); }", "wrong_answer"),
        "an assertion of equality with a message": ('fn main() { assert_eq!(1, 2, "sum"); }', "wrong_answer"),
        "an overflow": ("fn main() { let n = std::env::args().count() as u8; let _ = n - 2; }", "exception"),
        "warnings": ("fn unused() {} fn main() { let x = 1; }", "passed"),
        "an error is returned from main": (
            'fn main() -> Result<(), String> { Err("no".into()) }',
            "exception",
        ),
        "a thread panics": ("fn main() { let _ = std::thread::spawn(|| panic!()).join(); }", "passed"),
    },
    "go": {
        "a main function": ('package main\nimport "fmt"\nfunc main() { fmt.Println(1) }\n', "passed"),
        "a panic in main": ("package main\nfunc main() { panic(1) }\n", "exception"),
        "package main with tests": (
            f'package main\nimport "testing"\n{_GO_TEST}func main() {{ panic(1) }}\n',
            "passed",
        ),
        "an initializer ends the program": (
            'package x_test\nimport ("os"; "testing")\nfunc init() { os.Exit(0) }\n' + _GO_TEST,
            "ended_early",
        ),
        "a variable's initializer finds the secret gone": (
            'package x_test\nimport ("syscall"; "testing")\n'
            "var n, err = syscall.Read(3, make([]byte, 1))\n"
            "func TestX(t *testing.T) { if n > 0 { t.Error(err) } }\n",
            "passed",
        ),
        "an argument chooses no test": (
            'package x_test\nimport ("os"; "testing")\nfunc init() { os.Args = append(os.Args, `-test.run=^$`) }\n'
            "func TestX(t *testing.T) { t.Error() }\n",
            "wrong_answer",
        ),
        "a flag chooses no test": (
            'package x_test\nimport ("flag"; "testing")\n'
            "func init() { testing.Init(); flag.Set(`test.run`, `^$`) }\nfunc TestX(t *testing.T) { t.Error() }\n",
            "wrong_answer",
        ),
        "a test in a comment": (
            "package x_test\n/*\nfunc TestX(t *testing.T) {}\n*/\nfunc f() {}\n",
            "compile_error",
        ),
        "a helper whose name looks like a test's": (
            f'package x_test\nimport "testing"\nfunc Testify(n int) int {{ return n }}\n{_GO_TEST}',
            "passed",
        ),
        "an unused import": (f'package x_test\nimport ("os"; "testing")\n{_GO_TEST}', "compile_error"),
        "a package that nobody has": (
            'package x_test\nimport ("example.com/x"; "testing")\nvar _ = x.Y\n' + _GO_TEST,
            "compile_error",
        ),
        "several packages of the library": (
            'package x_test\nimport ("crypto/md5"; "encoding/json"; "regexp"; "testing"; "unicode")\n'
            "func TestX(t *testing.T) { b, _ := json.Marshal(md5.Sum(nil)); _ = unicode.IsDigit('1');"
            " if !regexp.MustCompile(`^\\[212,`).Match(b) { t.Error(string(b)) } }\n",
            "passed",
        ),
        "names of the runner": (
            'package x_test\nimport "testing"\nvar program, runner, main, secret int\n' + _GO_TEST,
            "passed",
        ),
        "a test panics": (
            'package x_test\nimport "testing"\nfunc TestX(t *testing.T) { var m map[int]int; m[1] = 1 }\n',
            "exception",
        ),
    },
    "d": {
        "a static constructor ends the program": (
            "import core.stdc.stdlib;\nshared static this() { exit(0); }\nunittest { assert(false); }\nvoid main() {}",
            "ended_early",
        ),
        "a unit test throws": ("unittest { throw new Exception(`no`); }\nvoid main() {}", "exception"),
        "an assertion outside the unit tests": ("void main() { assert(false); }", "wrong_answer"),
        "a second unit test fails": (
            "unittest {}\nunittest { assert(1 == 2, `sum`); }\nvoid main() {}",
            "wrong_answer",
        ),
        "main is not run where there are unit tests": (
            "unittest {}\nint main() { return 1; }",
            "passed",
        ),
        "main returns 1": ("int main() { return 1; }", "exception"),
    },
    "cs": {
        "a failed assertion is not caught": (
            _cs("try { Debug.Assert(false); } catch (Exception) { }"),
            "wrong_answer",
        ),
        "a handler ends a failed assertion with 0": (
            _cs("AppDomain.CurrentDomain.ProcessExit += (s, e) => Environment.Exit(0); Debug.Assert(false);"),
            "ended_early",
        ),
        "a static constructor ends the program": (
            _cs("Debug.Assert(false);", "static Problem() { Environment.Exit(0); }"),
            "ended_early",
        ),
        "an exception is caught": (_cs("try { throw new Exception(); } catch (Exception) { }"), "passed"),
        "main returns 1": (f"{_CS_HEAD}class P {{ static int Main() {{ return 1; }} }}", "exception"),
        "a class of an earlier program": (_cs("new Helper();"), "compile_error"),
        "a class for later programs": (_cs("", "} class Helper {"), "passed"),
        "lists are the same only if they are one": (
            _cs("Debug.Assert(new List<int>().Equals(new List<int>()));"),
            "wrong_answer",
        ),
    },
    "scala": {
        "an application object": ("object Problem extends App { assert(1 + 1 == 2) }", "passed"),
        "an application object that fails": (
            "object Problem extends App { assert(1 + 1 == 3) }",
            "wrong_answer",
        ),
        "an object in a package": (
            "package a.b\nobject Other { def main(a: Array[String]) = assert(true) }",
            "passed",
        ),
        "no main method": ("object Problem { def f = 1 }", "compile_error"),
        "a class for later programs": (
            "class Helper\nobject Problem { def main(a: Array[String]) = { } }",
            "passed",
        ),
        "a class of an earlier program": (
            "object Problem { def main(a: Array[String]) = { new Helper } }",
            "compile_error",
        ),
        "an initializer ends the program": (
            "object Problem { sys.exit(0); def main(a: Array[String]) = assert(false) }",
            "ended_early",
        ),
        "not implemented": ("object Problem { def main(a: Array[String]) = ??? }", "exception"),
    },
}


def judged(language: str) -> dict[str, Verdict]:
    # By one worker and in reverse: what an earlier program defines comes before the program that must not see it.
    pairs = [pair(language, source, name) for name, (source, _) in reversed(CASES[language].items())]
    return {verdict.name: verdict for verdict in judge(pairs, limits=LIMITS, workers=1)}


@pytest.mark.parametrize(
    ("language", "name"), [(language, name) for language, cases in CASES.items() for name in cases]
)
def test_outcome_of_case(language: str, name: str, sandboxed: None, once: Once) -> None:
    needs_toolchain(language)
    verdict = once(f"compiled-{language}", lambda: judged(language))[name]
    assert verdict.outcome == CASES[language][name][1], verdict


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("#include<assert.h>\n#include<bits/stdc++.h>\nint x;", True),
        ("// text\n\n/* more\n #define */\n#include <vector> // and\n # include <bits/stdc++.h>\n", True),
        ("#include <bits/stdc++.h>\n#define int long\n", True),
        ("#include <vector>\nint x;\n", False),
        ("#define NDEBUG\n#include <bits/stdc++.h>\n", False),
        ("#pragma GCC optimize\n#include <bits/stdc++.h>\n", False),
        ("#pragma once\n#include <bits/stdc++.h>\n", False),
        ('#include "own.h"\n#include <bits/stdc++.h>\n', False),
        ("#include <boost/any.hpp>\n#include <bits/stdc++.h>\n", False),
        ("int x;\n#include <bits/stdc++.h>\n", False),
        ("#ifdef X\n#include <bits/stdc++.h>\n#endif\n", False),
        ("// a line that goes on \\\n#include <bits/stdc++.h>\n", False),
        ("", False),
    ],
)
def test_compiled_header_is_used_only_where_it_changes_nothing(source: str, expected: bool) -> None:
    assert includes_everything(source.encode()) is expected


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("cpp", '#include <bits/stdc++.h>\nint main() {\n  int x = "s";\n}\n'),
        ("rs", '\nfn main() {\n  let x: i32 = "s";\n}\n'),
        ("go", 'package main\nfunc main() {\n  var x int = "s"; _ = x\n}\n'),
        ("d", '\nvoid main() {\n  int x = "s";\n}\n'),
        ("cs", 'class P {\n static void Main() {\n  int x = "s";\n} }\n'),
        ("scala", 'object Problem {\n def main(a: Array[String]) = {\n  val x: Int = "s"\n} }\n'),
    ],
)
def test_errors_name_the_third_line_and_no_folder(
    language: str, source: str, verdict_of: Callable[..., Verdict]
) -> None:
    verdict = verdict_of(language, source)
    assert verdict.outcome == "compile_error", verdict
    file_name = "main.scala" if language == "scala" else language_of(language).file_name()
    assert any(f"{file_name}{mark}3" in verdict.message for mark in ":("), verdict.message
    assert "/" not in verdict.message.partition(file_name)[0]
