"""What a hostile case is: an attack that ends by itself, its right outcome, and how its success is seen.

An attack that succeeds says ``WORKED`` and fails, or leaves evidence. One that is refused ends well, so that
in the sandbox its outcome is ``passed``; one that a limit ends has that limit's outcome. Every attack also
runs without a sandbox (``control.py``), where it must be seen to work.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

LANGUAGES = ("py", "java", "js", "cpp")
#: Programs put it together when they run: a compiler or a traceback that shows the source does not show it.
WORKED = "WORKED"


@dataclass(frozen=True)
class Case:
    """One attack in several languages.

    Attributes:
        name: What it does.
        outcome: The outcome that is right, or a language's; several where a comment beside it says why.
        programs: Language to source.
        evidence: How its success is seen without a sandbox: a key of ``control.EVIDENCE``, or a language's.
        without: Language to the reason why the attack makes no sense there.
        followers: Language to the program that comes next, which notices what the attack left; by default one
            that is right and notices nothing.
        stage: Where the outcome is found.
        seconds: How long its control may run.
        input: What its control finds at standard input: nothing, ``open`` (a pipe on which nothing comes) or
            ``terminal``.
        unread: Whether its control's judge reads the output only at the end.
        uncontrolled: Why it has no control of its own.
        needs_superuser: Whether its control works for the superuser of the machine alone.
    """

    name: str
    outcome: str | tuple[str, ...] | Mapping[str, str | tuple[str, ...]]
    programs: Mapping[str, str]
    evidence: str | Mapping[str, str] = "word"
    without: Mapping[str, str] = field(default_factory=dict)
    followers: Mapping[str, str] = field(default_factory=dict)
    stage: str = "run"
    seconds: float = 20
    input: str = ""
    unread: bool = False
    uncontrolled: str = ""
    needs_superuser: bool = False

    def right(self, language: str) -> tuple[str, ...]:
        """The outcomes that are right for ``language``."""
        outcome = self.outcome[language] if isinstance(self.outcome, Mapping) else self.outcome
        return (outcome,) if isinstance(outcome, str) else tuple(outcome)

    def shown_by(self, language: str) -> str:
        """The evidence for ``language``."""
        return self.evidence[language] if isinstance(self.evidence, Mapping) else self.evidence


def python(source: str) -> str:
    """A Python program, after the imports that attacks need, with ``worked()``."""
    start = (
        "import ctypes, os, resource, signal, socket, sys, threading, time\n"
        "def worked(): raise RuntimeError('WOR' + 'KED')\n"
    )
    return start + textwrap.dedent(source).strip("\n") + "\n"


def javascript(source: str) -> str:
    """A JavaScript program, after what attacks need, with ``worked()`` and ``shell(command)``."""
    start = (
        "const fs = require('fs'), { spawn, spawnSync } = require('child_process');\n"
        "function worked() { throw new Error('WOR' + 'KED'); }\n"
        "const shell = (command) => spawnSync('/bin/sh', ['-c', command]).stdout.toString('latin1');\n"
    )
    return start + textwrap.dedent(source).strip("\n") + "\n"


def java(body: str, members: str = "") -> str:
    """A Java program whose main method is ``body``, with ``worked()`` and ``shell(command)``."""
    return f"""\
import java.io.*; import java.net.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*;
import java.util.*;
class Problem {{
    static void worked() {{ throw new Error("WOR".concat("KED")); }}
    static String shell(String command) throws Exception {{
        Process process = new ProcessBuilder("/bin/sh", "-c", command).redirectErrorStream(true).start();
        return new String(process.getInputStream().readAllBytes(), "ISO-8859-1");
    }}
    static sun.misc.Unsafe unsafe() throws Exception {{
        java.lang.reflect.Field field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        return (sun.misc.Unsafe) field.get(null);
    }}
{textwrap.indent(textwrap.dedent(members).strip(chr(10)), "    ")}
    public static void main(String[] args) throws Exception {{
{textwrap.indent(textwrap.dedent(body).strip(chr(10)), "        ")}
    }}
}}
"""


_HEADERS = (
    "arpa/inet.h csignal cstddef cstdio cstdlib cstring dirent.h fcntl.h netdb.h pthread.h sched.h string "
    "sys/mman.h sys/mount.h sys/ptrace.h sys/reboot.h sys/shm.h sys/socket.h sys/stat.h sys/sysmacros.h "
    "sys/syscall.h sys/timex.h sys/un.h sys/wait.h time.h unistd.h vector"
)


def cpp(body: str, outside: str = "") -> str:
    """A C++ program whose main function is ``body``, with ``worked()``."""
    includes = "\n".join(f"#include <{name}>" for name in _HEADERS.split())
    return f"""\
{includes}
[[noreturn]] void worked() {{ std::fputs("WOR" "KED\\n", stderr); std::_Exit(3); }}
{textwrap.dedent(outside).strip(chr(10))}
int main() {{
{textwrap.indent(textwrap.dedent(body).strip(chr(10)), "    ")}
}}
"""


def by_shell(command: str) -> dict[str, str]:
    """The same shell command, started in every language."""
    quoted = command.replace("\\", "\\\\").replace('"', '\\"')
    return {
        "py": python(f'import subprocess\nsubprocess.run(["/bin/sh", "-c", "{quoted}"])'),
        "java": java(f'shell("{quoted}");'),
        "js": javascript(f'shell("{quoted}");'),
        "cpp": cpp(f'if (system("{quoted}") < 0) return 0;'),
    }


#: A right program of every language; a comment tells one from another.
RIGHT = {
    "py": "assert sum([1, 2]) == 3\n",
    "java": "class Problem { public static void main(String[] args) { assert args.length == 0; } }\n",
    "js": "require('assert').deepEqual([1], [1]);\n",
    "cpp": "#include <cassert>\nint main() { assert(sizeof(char) == 1); }\n",
}
