# ruff: noqa: E501 - a program reads better unbroken
"""Forged verdicts in C++."""

from __future__ import annotations

from tests.hostile.forgeries import MARKER, Forgery, cpp

_HUNT = r"""
    FILE* maps = fopen("/proc/self/maps", "r");
    char line[512], rights[8];
    unsigned long start, end;
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || rights[1] != 'w') continue;
        int run = 0;
        for (const char* at = (const char*)start; at < (const char*)end; at++) {
            run = strchr("0123456789abcdef", *at) && *at ? run + 1 : 0;
            if (run == 32 && write(4, at - 31, 32) == 32) _Exit(0);
        }
    }
    _Exit(0);
"""

CASES = (
    Forgery("leaves when called", cpp("", "exit(0);"), "ended_early"),
    Forgery("leaves quickly when called", cpp("", "quick_exit(0);"), "ended_early"),
    Forgery("leaves at once when called", cpp("", "_Exit(0);"), "ended_early"),
    Forgery("leaves before main", cpp("struct Early { Early() { _Exit(0); } } early;"), "ended_early"),
    Forgery(
        "leaves in a constructor of the program",
        cpp("__attribute__((constructor(101))) void early() { _Exit(0); }"),
        "ended_early",
    ),
    Forgery(
        "handles the signal of the assertion",
        cpp("struct Early { Early() { signal(SIGABRT, [](int) { _Exit(0); }); } } early;"),
        "ended_early",
    ),
    Forgery(
        "leaves in an exit handler",
        cpp("struct Early { Early() { atexit([] { _Exit(0); }); } } early;", "exit(1);"),
        "ended_early",
    ),
    Forgery(
        "becomes another program", cpp("", 'execl("/bin/true", "true", nullptr);\nreturn 0;'), "ended_early"
    ),
    Forgery("leaves, and its child goes on", cpp("", "if (fork()) _Exit(0);\nreturn 0;"), "ended_early"),
    Forgery(
        "prints the marker",
        cpp("", f'puts("{MARKER}");\nfflush(stdout);\n_Exit(0);'),
        "ended_early",
        fooled="marker",
    ),
    Forgery(
        "writes the marker to every descriptor",
        cpp(
            "",
            f"""
            for (int descriptor = 0; descriptor < 256; descriptor++)
                for (std::string text : {{"SR", "{MARKER}", "ffffffffffffffffffffffffffffffff"}})
                    if (write(descriptor, text.data(), text.size()) < 0) break;
            _Exit(0);
            """,
        ),
        "ended_early",
        fooled="marker",
    ),
    Forgery(
        "an assertion function of its own",
        # Two functions of that name do not link with ours.
        cpp(
            'extern "C" void __assert_fail(const char*, const char*, unsigned, const char*) noexcept { _Exit(0); }'
        ),
        "compile_error",
    ),
    Forgery(
        "another assertion",
        cpp("#undef assert\n#define assert(condition) ((void)(condition))"),
        "wrong_answer",
    ),
    Forgery("another main", cpp("int main() { return 0; }\n#define main other"), "compile_error"),
    Forgery(
        "a number that equals everything",
        cpp(
            "struct Equal { bool operator==(long) const { return true; } };\nEqual equal(long, long) { return {}; }\n"
            "#define add equal"
        ),
        "passed",
    ),
    Forgery("hunts for the secret in memory", cpp("", _HUNT), "passed", fooled="default"),
)
