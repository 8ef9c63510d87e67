# ruff: noqa: E501 - a program reads better unbroken
"""Programs that a judge must survive: name -> (outcomes that are right, source), for every language."""

from __future__ import annotations

Case = tuple[tuple[str, ...], str]

TIMEOUT, PASSED, EARLY = ("timeout",), ("passed",), ("ended_early",)
FAILED = ("exception",)

PYTHON: dict[str, Case] = {
    "fork bomb": (
        ("timeout", "exception", "memory_limit"),
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    ),
    "thread bomb": (
        ("timeout", "exception", "memory_limit"),
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
    ),
    "fork and exit 0": (EARLY, "import os, time\nif os.fork():\n    os._exit(0)\ntime.sleep(60)"),
    "double fork and setsid": (
        PASSED,
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)",
    ),
    "child keeps the pipe": (
        PASSED,
        "import os, time\nif os.fork() == 0:\n    time.sleep(600)\n    os._exit(0)",
    ),
    "ignores signals": (
        TIMEOUT,
        "import signal, time\nfor n in range(1, 65):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\ntime.sleep(60)",
    ),
    "stops itself": (TIMEOUT, "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    "stops everything": (TIMEOUT, "import os, signal\nos.kill(0, signal.SIGSTOP)"),
    "segmentation fault": (FAILED, "import ctypes\nctypes.string_at(0)"),
    "kills its parent": (
        PASSED,
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(0.1)",
    ),
    "kills everything": (
        PASSED,
        "import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept ProcessLookupError:\n    pass",
    ),
    "memory in children": (
        ("memory_limit", "timeout"),
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        kept = b'x' * 100_000_000\n        time.sleep(60)\n"
        "time.sleep(60)",
    ),
    "memory in a memfd": (
        ("memory_limit", "exception", "timeout"),
        "import os\nfor n in range(100):\n    d = os.memfd_create(str(n))\n    for _ in range(60): os.write(d, b'x' * 2**20)\n"
        "raise RuntimeError('6 GB written')",
    ),
    "fills /tmp": (FAILED, "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'wb').write(b'x' * 2**22)\n    n += 1"),
    "sparse file": (FAILED, "open('/tmp/x', 'wb').truncate(2**40)"),
    "many inodes": (
        ("timeout", "exception", "memory_limit"),
        "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1",
    ),
    "unremovable folders": (
        PASSED,
        "import os\nfor _ in range(400):\n    os.mkdir('d')\n    os.chdir('d')\nos.chmod('.', 0)",
    ),
    "symbolic links": (
        PASSED,
        "import os\nfor n, target in enumerate(('/etc/shadow', '/proc/1/root/etc/shadow', '/proc/1/cwd/../etc/shadow')):\n"
        "    os.symlink(target, f'/tmp/{n}')\n    try:\n        open(f'/tmp/{n}').read()\n    except OSError:\n        continue\n"
        "    raise RuntimeError(target)",
    ),
    "descriptor exhaustion": (FAILED, "kept = []\nwhile True: kept.append(open('/dev/null'))"),
    "closes every descriptor": (("ended_early", "exception"), "import os\nos.closerange(0, 256)"),
    "reads files of the host": (
        PASSED,
        "import os\nassert not os.path.exists('@CANARY@')\n"
        "for path in ('/etc/shadow', '/etc/passwd', '/proc/1/environ/x', '/root/.bashrc', '/home', '/work', '/var/log', '/sys'):\n"
        "    assert not os.path.exists(path), path",
    ),
    "prints markers": (
        EARLY,
        "import os\nfor d in (1, 2):\n    for text in (b'SR', b'passed', b'OK', b'0' * 32):\n        os.write(d, text)\nos._exit(0)",
    ),
    "writes markers to every descriptor": (
        EARLY,
        "import os\nfor d in range(256):\n    try:\n        os.write(d, b'SR' + b'f' * 32)\n    except OSError:\n        pass\nos._exit(0)",
    ),
    "exits 0 at exit": (EARLY, "import atexit, os\natexit.register(os._exit, 0)\nassert False"),
    "exits 0 in a thread": (
        EARLY,
        "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\nwhile True: pass",
    ),
    "replaces the exception hook": (
        ("wrong_answer",),
        "import os, sys\nsys.excepthook = lambda *a: os._exit(0)\nsys.__excepthook__ = sys.excepthook\nassert False",
    ),
    "unshares, mounts, changes root and user": (
        PASSED,
        "import ctypes, os\nc = ctypes.CDLL(None)\n"
        "assert c.mount(b'none', b'/tmp', b'tmpfs', 0, None) == -1\nassert c.sethostname(b'x', 1) == -1\n"
        "assert c.umount(b'/proc') == -1\nassert c.reboot(0x1234567) == -1\n"
        "for call in (lambda: os.chroot('/tmp'), lambda: os.setuid(0), lambda: os.mknod('/tmp/z', 0o20666, 5)):\n"
        "    try:\n        call()\n    except OSError:\n        continue\n    raise RuntimeError",
    ),
    "listens for another run": (
        PASSED,
        "import socket\nfor family, name in ((socket.AF_INET, ('127.0.0.1', 45678)), (socket.AF_UNIX, '\\0flextune')):\n"
        "    s = socket.socket(family)\n    s.settimeout(0.2)\n    s.bind(name)\n    s.listen()\n"
        "    try:\n        s.accept()\n    except TimeoutError:\n        continue\n    raise RuntimeError",
    ),
    "a source bomb": (("compile_error", "timeout", "memory_limit"), "x = " + "(" * 5000),
    "NULs in the source": (("compile_error",), "x = 1\n\0"),
    "a huge line": (("output_limit",), "print('x' * 50_000_000)"),
}

JAVASCRIPT: dict[str, Case] = {
    "fork bomb": (
        ("timeout", "exception", "memory_limit"),
        "const { spawn } = require('child_process'); for (;;) {"
        " try { spawn('/bin/sh', ['-c', 'sleep 60']).on('error', () => {}); } catch {} }",
    ),
    "thread bomb": (
        ("timeout", "exception", "memory_limit"),
        "const { Worker } = require('worker_threads'); setInterval(() => {"
        " new Worker('while (true) {}', { eval: true }); }, 1);",
    ),
    "child keeps the pipe": (
        PASSED,
        "require('child_process').spawn('/bin/sleep', ['600'], { stdio: 'inherit', detached: true }).unref();",
    ),
    "stops itself": (TIMEOUT, "process.kill(process.pid, 'SIGSTOP'); setTimeout(() => {}, 60000);"),
    "aborts": (FAILED, "process.abort();"),
    "kills its parent": (
        PASSED,
        "try { process.kill(process.ppid, 'SIGKILL'); } catch {} setTimeout(() => {}, 100);",
    ),
    "memory outside the heap": (
        ("memory_limit", "exception", "timeout"),
        "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1));",
    ),
    "fills /tmp": (
        FAILED,
        "const b = Buffer.alloc(1 << 22, 1); for (let n = 0; ; n++) require('fs').writeFileSync('/tmp/' + n, b);",
    ),
    "descriptor exhaustion": (FAILED, "for (;;) require('fs').openSync('/dev/null');"),
    "reads files of the host": (
        PASSED,
        "for (const path of ['@CANARY@', '/etc/shadow', '/home', '/work', '/sys'])"
        " if (require('fs').existsSync(path)) throw new Error(path);",
    ),
    "a top-level return": (("compile_error",), "return; throw 1;"),
    "exits 0 when the loop drains": (EARLY, "process.on('exit', () => process.exit(0)); throw 1;"),
    "pretends the loop drained": (EARLY, "process.emit('beforeExit', 0); process.exit(0);"),
    "swallows its own exception": (EARLY, "process.on('uncaughtException', () => process.exit(0)); throw 1;"),
    "prints markers": (
        EARLY,
        "const fs = require('fs'); for (const d of [0, 1, 2]) fs.writeSync(d, 'SRpassed'); process.exit(0);",
    ),
    "patches the writer": (
        EARLY,
        "const fs = require('fs'); fs.writeSync = () => 0; process.exit(0);",
    ),
    "waits for ever": (TIMEOUT, "setInterval(() => {}, 1000);"),
}


def _main(statements: str, rest: str = "") -> str:
    return (
        "import java.io.*; import java.nio.file.*; import java.util.*;\n" + rest + "\nclass Problem {\n"
        "    public static void main(String[] args) throws Exception {\n        "
        + statements
        + "\n    }\n}\n"
    )


JAVA: dict[str, Case] = {
    "fork bomb": (
        ("timeout", "exception", "memory_limit"),
        _main(
            'while (true) { try { new ProcessBuilder("/bin/sh", "-c", "sleep 60").start(); } catch (IOException e) {} }'
        ),
    ),
    "thread bomb": (
        ("timeout", "exception", "memory_limit"),
        _main("while (true) new Thread(() -> { while (true) {} }).start();"),
    ),
    "child keeps the pipe": (PASSED, _main('new ProcessBuilder("/bin/sleep", "600").inheritIO().start();')),
    "stops itself": (
        TIMEOUT,
        _main(
            'new ProcessBuilder("/bin/kill", "-STOP", "" + ProcessHandle.current().pid()).start().waitFor(); while (true) {}'
        ),
    ),
    "kills itself": (
        FAILED,
        _main(
            'new ProcessBuilder("/bin/kill", "-SEGV", "" + ProcessHandle.current().pid()).start(); Thread.sleep(60000);'
        ),
    ),
    "memory outside the heap": (
        ("memory_limit", "exception", "timeout"),
        _main(
            "List<Object> kept = new ArrayList<>(); while (true) kept.add(java.nio.ByteBuffer.allocateDirect(1 << 24));"
        ),
    ),
    "fills /tmp": (
        FAILED,
        _main('for (int n = 0; ; n++) Files.write(Path.of("/tmp/" + n), new byte[1 << 22]);'),
    ),
    "reads files of the host": (
        PASSED,
        _main(
            'for (String p : List.of("@CANARY@", "/etc/shadow", "/home", "/work", "/sys")) if (Files.exists(Path.of(p))) throw new Exception(p);'
        ),
    ),
    "exits 0": (EARLY, _main("System.exit(0);")),
    "halts": (EARLY, _main("Runtime.getRuntime().halt(0);")),
    "exits 0 in a shutdown hook": (
        EARLY,
        _main(
            "Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0))); assert false;"
        ),
    ),
    "exits 0 while its class loads": (
        EARLY,
        "class Problem { static { System.exit(0); } public static void main(String[] args) {} }",
    ),
    "a main of its own before the tests'": (
        ("wrong_answer",),
        "class Own { public static void main(String[] args) {} }\n"
        + _main("assert false;").split("\n", 1)[1],
    ),
    "prints markers": (
        EARLY,
        _main(
            'System.out.println("SRpassed"); new FileOutputStream(FileDescriptor.in).write("SRpassed".getBytes()); System.exit(0);'
        ),
    ),
    "a launcher of its own": (
        FAILED,
        "package flextune; public class Launcher { public static void main(String[] a) { assert false; } }",
    ),
    "an annotation processor": (
        PASSED,
        _main("assert true;", '@Deprecated @SuppressWarnings("all") class Marked {}'),
    ),
    "a thread that outlives main": (TIMEOUT, _main("new Thread(() -> { while (true) {} }).start();")),
    "a compile-time bomb": (
        ("compile_error", "timeout", "memory_limit"),
        # Nested generic lambdas: overload resolution tries every combination.
        "import java.util.function.*;\nclass Problem {\n"
        "    static <T> T f(Supplier<T> s) { return s.get(); } static <T> T f(Callable<T> s) { return null; }\n"
        "    interface Callable<T> { T call() throws Exception; }\n"
        "    public static void main(String[] a) { " + "f(() -> " * 24 + "1" + ")" * 24 + "; }\n}\n",
    ),
    "deeply nested source": (
        ("compile_error", "timeout"),
        _main("int x = " + "(" * 500_000 + "1" + ")" * 500_000 + ";"),
    ),
}

PROGRAMS = {"py": PYTHON, "js": JAVASCRIPT, "java": JAVA}
