# ruff: noqa: E501 - a program reads better unbroken
"""Programs that want no verdict: what ends before its runner starts, or takes the sandbox with it.

A fault of the sandbox is not scored, so no program may cause one.
"""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

_MANAGED = "its runner has started before anything of the program is loaded"
_ELF = {"py": _MANAGED, "java": _MANAGED, "js": _MANAGED}

CASES = (
    Case(
        name="exits while it is linked",
        outcome="ended_early",
        evidence="exit status 0",
        programs={
            "cpp": cpp(
                "hooked();\nreturn 1;",
                """
                extern "C" {
                    static void nothing() {}
                    void (*resolve(void))(void) { __asm__ volatile("syscall" : : "a"(231), "D"(0)); return nothing; }
                    void hooked(void) __attribute__((ifunc("resolve")));
                }
                """,
            ),
        },
        without=_ELF,
    ),
    Case(
        name="names another loader",
        outcome="exception",
        uncontrolled="the plain linker puts its own name first",
        programs={
            "cpp": cpp(
                "return 0;",
                'extern "C" __attribute__((section(".interp"), used)) const char other[] = "/nonexistent/ld.so";',
            ),
        },
        without=_ELF,
    ),
    Case(
        name="exits among the initializers",
        outcome="ended_early",
        evidence="exit status 0",
        programs={
            "cpp": cpp(
                "return 1;",
                """
                static void early() { syscall(SYS_exit_group, 0); }
                __attribute__((section(".preinit_array"), used)) static void (*const first)() = early;
                """,
            ),
        },
        without=_ELF,
    ),
    Case(
        name="has the names of the calls that its runner needs",
        # A right program, as every C++ compiler takes it.
        outcome="passed",
        evidence="exit status 0",
        programs={
            "cpp": (
                "#include <cstdio>\n#include <vector>\n"
                "std::vector<int> read; int write, close, getpid, fcntl, prctl;\n"
                'extern "C" { int dup(int x) { return x; } int syscall = 3; int getrlimit = 4; }\n'
                "int main() { read.push_back(1); return write + close + (int)read.size() - 1; }\n"
            ),
        },
        without=_ELF,
    ),
    Case(
        name="asks for memory that it does not touch",
        # Right programs: address space is no memory.
        outcome="passed",
        evidence="exit status 0",
        programs={
            "py": python(
                "import mmap\nkept = mmap.mmap(-1, 1_600_000_000, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"
            ),
            "cpp": cpp(
                "std::vector<int> more;\nmore.reserve(400'000'000);\nmore.push_back(3);\ntable[7][7] = 1;",
                "int table[20'000][20'000];",
            ),
        },
        without={"java": "its heap is filled with zeros", "js": "its heap is filled with zeros"},
    ),
    Case(
        name="closes all descriptors that it can have",
        outcome="passed",
        evidence="exit status 0",
        programs={
            "py": python("os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])"),
            "cpp": cpp("for (int n = 3; n < sysconf(_SC_OPEN_MAX) && n < 4096; n++) close(n);"),
        },
        without={"java": "it has no such call", "js": "its runtime does not survive it"},
    ),
    Case(
        name="reads what its runner reported",
        outcome="passed",
        programs={
            "py": python("""
                os.write(4, b'x')
                try:
                    told = os.open('/proc/self/fd/4', os.O_RDONLY | os.O_NONBLOCK)
                except OSError:
                    pass
                else:
                    worked()
            """),
            "java": java("""
                try { new FileInputStream("/proc/self/fd/4").close(); } catch (IOException refused) { return; }
                worked();
            """),
            "js": javascript("""
                let told = -1;
                try { told = fs.openSync('/proc/self/fd/4', fs.constants.O_RDONLY | fs.constants.O_NONBLOCK); } catch { }
                if (told >= 0) worked();
            """),
            "cpp": cpp('if (open("/proc/self/fd/4", O_RDONLY | O_NONBLOCK) >= 0) worked();'),
        },
    ),
    Case(
        name="takes the files of the first process away",
        outcome="passed",
        programs={
            "py": python("""
                # What works with the limits that it has works with others.
                try:
                    before = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)
                    resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, before)
                except OSError:
                    pass
                else:
                    worked()
            """),
            "cpp": cpp("""
                unsigned long limit[2];
                syscall(SYS_prlimit64, getppid(), 7, nullptr, limit);
                if (syscall(SYS_prlimit64, getppid(), 7, limit, nullptr) == 0) worked();
            """),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="has the kernel keep what fills the memory",
        # The kernel may choose the sandbox's own process to end.
        outcome="memory_limit",
        programs={
            "py": python("""
                reader, writer = os.pipe()
                for _ in range(24):
                    if os.fork() == 0:
                        try:
                            open('/proc/self/oom_score_adj', 'w').write('0')
                        except OSError:
                            pass
                        kept, piece = [], b'x' * 65536
                        for _ in range(110):
                            kept.append(socket.socketpair())
                            kept[-1][0].setblocking(False)
                            try:
                                while True: kept[-1][0].send(piece)
                            except OSError:
                                pass
                        os.write(writer, b'x')
                        time.sleep(60)
                os.close(writer)
                if len([os.read(reader, 1) for _ in range(24)]) == 24: worked()
            """),
            "cpp": cpp("""
                int ends[2];
                static char piece[65536];
                if (pipe(ends)) return 0;
                for (int n = 0; n < 24; n++)
                    if (fork() == 0) {
                        if (FILE* file = fopen("/proc/self/oom_score_adj", "w")) fputs("0", file), fclose(file);
                        for (int m = 0, pair[2]; m < 110 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0; m++)
                            while (send(pair[0], piece, sizeof piece, MSG_DONTWAIT) > 0) { }
                        if (write(ends[1], "x", 1) == 1) sleep(60);
                        _exit(0);
                    }
                close(ends[1]);
                char up;
                for (int n = 0; n < 24; n++) if (read(ends[0], &up, 1) != 1) return 0;
                worked();
            """),
        },
        without={"java": "it has no such sockets", "js": "it has no such sockets"},
    ),
)
