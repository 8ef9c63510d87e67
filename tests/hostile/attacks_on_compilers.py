# ruff: noqa: E501 - a program reads better unbroken
"""Compilers and runtimes: sources that are bombs, sources that read, crashes, native code."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

_INTERPRETED = {"py": "nothing is compiled ahead", "js": "nothing is compiled ahead"}
_NO_INCLUDES = {**_INTERPRETED, "java": "a source cannot name files"}
_NATIVE = "echo 'int kill(int, int); int main(void) { return kill(@PID@, 9); }' | cc -x c -w - -o native && ./native"
# Every function is evaluated while compiling, and may loop 33 million times.
_CONSTANTS = "\n".join(
    f"constexpr long f{n}() {{ long s = {n}; for (int i = 0; i < 4000; i++) for (int j = 0; j < 1500; j++) s += j; return s; }}"
    f" static_assert(f{n}() > 0);"
    for n in range(60)
)
# Each name stands for ten times as many numbers as the one before.
_NUMBERS = "\n".join(f"#define N{n + 1} " + ",".join([f"N{n}"] * 10) for n in range(8))
_STRINGS = "\n".join(f"static final String S{n + 1} = S{n} + S{n};" for n in range(27))

CASES = (
    Case(
        name="a source that compiles for ever",
        outcome="timeout",
        stage="compile",
        evidence="compiler hangs",
        seconds=6,
        programs={
            # The type that both branches have in common nests as deep, and grows with every level.
            "java": java("var all = " + "true ? List.of(1, " * 14 + '"x"' + ") : Set.of(1.0)" * 14 + ";"),
            "cpp": cpp("return 0;", _CONSTANTS),
        },
        without=_INTERPRETED,
    ),
    Case(
        name="a source that includes itself",
        # The judge asks its compiler to stop at the first errors.
        outcome="compile_error",
        stage="compile",
        evidence="compiler hangs",
        seconds=6,
        programs={"cpp": "#include __FILE__\n#include __FILE__\nint main() {}\n"},
        without=_NO_INCLUDES,
    ),
    Case(
        name="a source that makes the compiler crash",
        # With more room for its stack than javac has by itself, our compiler would recurse for much longer.
        outcome={"java": "timeout", "cpp": "compile_error"},
        stage="compile",
        evidence="compiler failure",
        programs={
            # A type that is a subtype of itself if it is one.
            "java": java(
                "cast(null);",
                """
                interface N<Z> { }
                interface C<X> extends N<N<? super C<C<X>>>> { }
                static N<? super C<Byte>> cast(C<Byte> c) { return c; }
                """,
            ),
            "cpp": cpp("return f<1>();", "template <int N> int f() { return f<N + 1>(); }"),
        },
        without=_INTERPRETED,
    ),
    Case(
        name="a source that fills the compiler's memory",
        outcome="memory_limit",
        stage="compile",
        evidence="compiler out of memory",
        seconds=30,
        programs={
            "java": java(
                "System.out.println(S27.length());", f'static final String S0 = "0123456789";\n{_STRINGS}'
            ),
            "cpp": f"#define N0 1\n{_NUMBERS}\nint numbers[] = {{ N8 }};\nint main() {{}}\n",
        },
        without=_INTERPRETED,
    ),
    Case(
        name="a source that makes a huge program",
        outcome="compile_error",
        stage="compile",
        evidence="huge program",
        programs={"cpp": 'asm(".data; .space 400 << 20, 1; .text");\nint main() {}\n'},
        without={**_INTERPRETED, "java": "the size of a class is limited"},
    ),
    Case(
        name="a source that is nested too deep",
        outcome="compile_error",
        stage="compile",
        evidence={"py": "failure", "java": "compiler failure", "js": "failure", "cpp": "compiler failure"},
        programs={
            "py": "x = " + "(" * 100_000 + ")" * 100_000 + "\n",
            "java": java("int x = " + "(" * 200_000 + "1" + ")" * 200_000 + ";"),
            "js": "x = " + "(" * 100_000 + "1" + ")" * 100_000 + ";\n",
            # Nested too deep for the limit on memory, and not a source either.
            "cpp": "int main() { return " + "(" * 2_000 + "}\n",
        },
    ),
    Case(
        name="a source with NULs and bytes that are no text",
        outcome="compile_error",
        stage="compile",
        evidence={"py": "failure", "java": "compiler failure", "js": "failure", "cpp": "compiler failure"},
        programs={
            "py": "x = 1\n\0\udcff\n",
            "java": java("int x = 1; \0\udcff"),
            "js": "x = 1;\n\0\udcff\n",
            "cpp": cpp("int x = 1; \0\udcff"),
        },
    ),
    Case(
        name="includes a file of the host",
        outcome="compile_error",
        stage="compile",
        evidence="file in the compiler's message",
        programs={"cpp": '#include "@FILE@"\nint main() {}\n'},
        without=_NO_INCLUDES,
    ),
    Case(
        name="includes the passwords",
        needs_superuser=True,
        outcome="compile_error",
        stage="compile",
        evidence="passwords in the compiler's message",
        programs={"cpp": '#include "/etc/shadow"\nint main() {}\n'},
        without=_NO_INCLUDES,
    ),
    Case(
        name="embeds a file of the host",
        outcome="compile_error",
        stage="compile",
        programs={
            "cpp": cpp(
                'if (strstr(embedded, "canary-")) worked();',
                """
                asm(".data; .global embedded; embedded: .incbin \\"@FILE@\\"; .byte 0; .text");
                extern "C" const char embedded[];
                """,
            )
        },
        without=_NO_INCLUDES,
    ),
    Case(
        name="includes an endless device",
        outcome="memory_limit",
        stage="compile",
        evidence="compiler out of memory",
        programs={"cpp": '#include "/dev/zero"\nint main() {}\n'},
        without=_NO_INCLUDES,
    ),
    Case(
        name="a class of the launcher's name",
        # Ours is loaded, and finds its secret gone.
        outcome="exception",
        programs={
            "java": """
                package flextune;
                public class Launcher { public static void main(String[] args) { System.exit(0); } }
            """
        },
        without=dict.fromkeys(("py", "js", "cpp"), "it has no launcher with a name"),
        uncontrolled="no other judge has a launcher of this name",
    ),
    Case(
        name="crashes",
        outcome="exception",
        evidence="crash",
        programs={
            "py": python("ctypes.string_at(0)"),
            "java": java("unsafe().putAddress(0, 0);"),
            "js": javascript("process.abort();"),
            "cpp": cpp("raise(SIGSEGV);"),
        },
    ),
    Case(
        name="ends itself by a signal",
        outcome="exception",
        evidence="crash",
        programs={
            "py": python("os.kill(os.getpid(), signal.SIGKILL)"),
            "java": java('shell("kill -KILL " + ProcessHandle.current().pid());'),
            "js": javascript("process.kill(process.pid, 'SIGKILL');"),
            "cpp": cpp("raise(SIGKILL);"),
        },
    ),
    Case(
        name="native code",
        outcome="passed",
        evidence="process killed",
        programs={
            "py": python(f"import subprocess\nsubprocess.run(['/bin/sh', '-c', {_NATIVE!r}])"),
            "java": java(f'shell("{_NATIVE}");'),
            "js": javascript(f'shell("{_NATIVE}");'),
        },
        without={"cpp": "all of it is"},
    ),
)
