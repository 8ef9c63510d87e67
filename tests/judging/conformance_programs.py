# ruff: noqa: E501 - a program reads better unbroken
"""The same small programs in every language, and the outcome that each must have.

``@PORT@`` is a port on which the host listens, ``@CANARY@`` a file of the host, ``@MARK@`` a word in the command
line of a process of the host.
"""

from __future__ import annotations

OUTCOMES = {
    "right answer": "passed",
    "wrong answer": "wrong_answer",
    "uncaught exception": "exception",
    "nonzero exit": "exception",
    "syntax error": "compile_error",
    "infinite loop": "timeout",
    "sleep": "timeout",
    "memory bomb": "memory_limit",
    "flood of standard output": "output_limit",
    "flood of standard error": "output_limit",
    "exit 0 before the tests": "ended_early",
    "200 KB of output": "passed",
    "closed standard output": "passed",
    "output that is not UTF-8": "passed",
    "standard input is at its end": "passed",
    "deep recursion": "exception",
    "no network": "passed",
    "no file of the host": "passed",
    "no writing outside /tmp": "passed",
    "leaves a file in /tmp": "passed",
    "finds /tmp empty": "passed",
    "no process of the host": "passed",
    "no variable of the host": "passed",
}

#: Those whose protection is seen to matter: without a sandbox they must fail.
PROTECTIONS = ("no network", "no file of the host", "no process of the host")

PYTHON = {
    "right answer": "assert sum([1, 2]) == 3",
    "wrong answer": "assert sum([1, 2]) == 4, 'sum'",
    "uncaught exception": "[][1]",
    "nonzero exit": "import sys; sys.exit(3)",
    "syntax error": "def f(:\n    pass",
    "infinite loop": "while True: pass",
    "sleep": "import time; time.sleep(60)",
    "memory bomb": "kept = []\nwhile True: kept.append(bytearray(10**7))",
    "flood of standard output": "while True: print('x' * 10_000)",
    "flood of standard error": "import sys\nwhile True: sys.stderr.write('x' * 10_000)",
    "exit 0 before the tests": "exit(0)\nassert False",
    "200 KB of output": "import sys\nprint('x' * 200_000); sys.stderr.write('y' * 200_000)",
    "closed standard output": "import os, sys\nsys.stdout.close()\nsys.stderr.close()",
    "output that is not UTF-8": "import os\nos.write(1, bytes(range(256))); os.write(2, bytes(range(256)))",
    "standard input is at its end": "import sys\nassert sys.stdin.read() == ''",
    "deep recursion": "def f(n): return f(n + 1) + 1\nf(0)",
    "no network": (
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', @PORT@), 2)\n"
        "except OSError:\n    pass\nelse:\n    raise RuntimeError('connected')"
    ),
    "no file of the host": "import os\nassert not os.path.exists('@CANARY@')",
    "no writing outside /tmp": (
        "for path in ('/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', __file__):\n"
        "    try:\n        open(path, 'w')\n    except OSError:\n        continue\n    raise RuntimeError(path)\n"
        "open('/tmp/x', 'w').write('x')"
    ),
    "leaves a file in /tmp": "open('/tmp/left', 'w').write('x')",
    "finds /tmp empty": "import os\nassert os.listdir('/tmp') == []",
    "no process of the host": (
        "import glob\nfor path in glob.glob('/proc/[0-9]*/cmdline'):\n"
        "    assert b'@MARK@' not in open(path, 'rb').read()"
    ),
    "no variable of the host": "import os\nassert 'FLEXTUNE_CANARY' not in os.environ",
}

JAVASCRIPT = {
    "right answer": "const assert = require('node:assert'); assert.deepEqual([1, 2], [1, 2]);",
    "wrong answer": "const assert = require('node:assert'); assert.deepEqual([1, 2], [1, 3]);",
    "uncaught exception": "null.length;",
    "nonzero exit": "process.exit(3);",
    "syntax error": "function f( {",
    "infinite loop": "while (true) {}",
    "sleep": "setTimeout(() => {}, 60000);",
    "memory bomb": "const kept = []; while (true) kept.push(new Array(100000).fill(1.5));",
    "flood of standard output": "const fs = require('fs'); while (true) fs.writeSync(1, 'x'.repeat(10000));",
    "flood of standard error": "const fs = require('fs'); while (true) fs.writeSync(2, 'x'.repeat(10000));",
    "exit 0 before the tests": "process.exit(0); throw 1;",
    "200 KB of output": "console.log('x'.repeat(200000)); console.error('y'.repeat(200000));",
    "closed standard output": "const fs = require('fs'); fs.closeSync(1); fs.closeSync(2);",
    "output that is not UTF-8": "require('fs').writeSync(1, Buffer.from([0, 128, 255, 10]));",
    "standard input is at its end": "if (require('fs').readFileSync(0).length) throw 1;",
    "deep recursion": "const f = (n) => f(n + 1) + 1; f(0);",
    "no network": (
        "const s = require('net').connect(@PORT@, '127.0.0.1');"
        "s.on('connect', () => { throw new Error('connected'); }); s.on('error', () => {});"
    ),
    "no file of the host": "if (require('fs').existsSync('@CANARY@')) throw 1;",
    "no writing outside /tmp": (
        "const fs = require('fs');"
        "for (const path of ['/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', __filename]) {"
        "  let written = true; try { fs.writeFileSync(path, 'x'); } catch { written = false; }"
        "  if (written) throw new Error(path); } fs.writeFileSync('/tmp/x', 'x');"
    ),
    "leaves a file in /tmp": "require('fs').writeFileSync('/tmp/left', 'x');",
    "finds /tmp empty": "if (require('fs').readdirSync('/tmp').length) throw 1;",
    "no process of the host": (
        "const fs = require('fs'); for (const pid of fs.readdirSync('/proc')) if (/^\\d+$/.test(pid)) {"
        "  if (fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('@MARK@')) throw new Error(pid); }"
    ),
    "no variable of the host": "if ('FLEXTUNE_CANARY' in process.env) throw 1;",
}


def _main(statements: str) -> str:
    return (
        "import java.io.*; import java.net.*; import java.nio.file.*; import java.util.*;\n"
        "class Problem {\n    static int f(int n) { return f(n + 1) + 1; }\n"
        "    public static void main(String[] args) throws Exception {\n        "
        + statements
        + "\n    }\n}\n"
    )


JAVA = {
    "right answer": _main("assert List.of(1, 2).equals(Arrays.asList(1, 2));"),
    "wrong answer": _main("assert List.of(1, 2).equals(Arrays.asList(1, 3));"),
    "uncaught exception": _main("int[] none = {}; none[1]++;"),
    "nonzero exit": _main("System.exit(3);"),
    "syntax error": _main("int x = ;"),
    "infinite loop": _main("while (args.length == 0) {}"),
    "sleep": _main("Thread.sleep(60000);"),
    "memory bomb": _main("List<byte[]> kept = new ArrayList<>(); while (true) kept.add(new byte[10000000]);"),
    "flood of standard output": _main('while (true) System.out.println("x".repeat(10000));'),
    "flood of standard error": _main('while (true) System.err.println("x".repeat(10000));'),
    "exit 0 before the tests": _main("System.exit(0); assert false;"),
    "200 KB of output": _main(
        'System.out.println("x".repeat(200000)); System.err.println("y".repeat(200000));'
    ),
    "closed standard output": _main("System.out.close(); System.err.close();"),
    "output that is not UTF-8": _main("System.out.write(new byte[] {0, -128, -1, 10});"),
    "standard input is at its end": _main("assert System.in.read() == -1; System.in.close();"),
    "deep recursion": _main("f(0);"),
    "no network": _main(
        'boolean connected = true; try { new Socket("127.0.0.1", @PORT@); } catch (IOException e) { connected = false; }'
        ' if (connected) throw new IllegalStateException("connected");'
    ),
    "no file of the host": _main('assert !Files.exists(Path.of("@CANARY@"));'),
    "no writing outside /tmp": _main(
        'for (String path : List.of("/x", "/usr/x", "/etc/x", "/dev/x", "/flextune/program/x", '
        '"/flextune/runtime/launcher.jar")) {'
        " boolean written = true; try { new FileOutputStream(path); } catch (IOException e) { written = false; }"
        " if (written) throw new IllegalStateException(path); }"
        ' Files.writeString(Path.of("/tmp/x"), "x");'
    ),
    "leaves a file in /tmp": _main('Files.writeString(Path.of("/tmp/left"), "x");'),
    "finds /tmp empty": _main('assert new File("/tmp").list().length == 0;'),
    "no process of the host": _main(
        'for (File process : new File("/proc").listFiles((folder, name) -> name.matches("[0-9]+")))'
        ' assert !Files.readString(process.toPath().resolve("cmdline")).contains("@MARK@");'
    ),
    "no variable of the host": _main('assert System.getenv("FLEXTUNE_CANARY") == null;'),
}

PROGRAMS = {"py": PYTHON, "js": JAVASCRIPT, "java": JAVA}
