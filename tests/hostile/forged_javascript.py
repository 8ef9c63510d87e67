# ruff: noqa: E501 - a program reads better unbroken
"""Forged verdicts in JavaScript.

An object that equals everything is missing: assert.deepEqual tells objects from numbers before it compares.
"""

from __future__ import annotations

from tests.hostile.forgeries import MARKER, Forgery, javascript

_HUNT = """
    const fs = require('fs');
    const memory = fs.openSync('/proc/self/mem'), found = new Set();
    const own = fs.readFileSync(__filename, 'latin1');
    for (const line of fs.readFileSync('/proc/self/maps', 'latin1').split('\\n')) {
        const [start, end] = line.split(' ')[0].split('-').map((part) => parseInt(part, 16));
        if (!line.includes(' rw') || end - start > 1 << 27) continue;
        const content = Buffer.alloc(end - start);
        try { fs.readSync(memory, content, 0, content.length, start); } catch { continue; }
        for (const match of content.toString('latin1').matchAll(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g)) found.add(match[0]);
    }
    // Runtimes know rows of digits; a secret has letters too, and the program's tag is no secret.
    for (const secret of found) if (/[a-f]/.test(secret) && !own.includes(secret)) fs.writeSync(4, secret);
    process.exit(0);
"""
_HUNT_IN_HEAP = """
    const fs = require('fs');
    require('v8').writeHeapSnapshot('/tmp/heap');
    const found = fs.readFileSync('/tmp/heap', 'latin1').match(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g) || [];
    for (const secret of found) fs.writeSync(4, secret);
    process.exit(0);
"""

CASES = (
    Forgery("leaves at once", javascript("process.exit(0);"), "ended_early", "ended_early"),
    # Apart from the tests, nobody sees how a process ends that says nothing.
    Forgery("really leaves at once", javascript("process.reallyExit(0);"), "ended_early", "exception"),
    Forgery("leaves when called", javascript("", "process.exit(0);"), "ended_early", "ended_early"),
    Forgery(
        "leaves in an exit handler",
        javascript("process.on('exit', () => process.exit(0));"),
        "ended_early",
        "wrong_answer",
    ),
    Forgery(
        "changes its exit status",
        javascript("process.on('exit', () => { process.exitCode = 0; process.reallyExit(0); });"),
        "ended_early",
        "wrong_answer",
    ),
    Forgery(
        "swallows exceptions",
        javascript("process.on('uncaughtException', () => {});"),
        "ended_early",
        "wrong_answer",
    ),
    Forgery(
        "swallows exceptions and says that all is done",
        javascript(
            "process.on('uncaughtException', () => { process.emit('beforeExit', 0); process.exit(0); });"
        ),
        "ended_early",
        "wrong_answer",
    ),
    Forgery(
        "says that all is done",
        javascript("process.emit('beforeExit', 0); process.exit(0);"),
        "ended_early",
        "ended_early",
    ),
    Forgery(
        "replaces what ends the process",
        javascript(
            "process.exit = process.reallyExit; process.abort = process.exit; process.on('uncaughtException', () => process.reallyExit(0));"
        ),
        "ended_early",
        "wrong_answer",
    ),
    Forgery(
        "prints the marker",
        javascript(f"require('fs').writeSync(1, '{MARKER}\\n'); process.exit(0);"),
        "ended_early",
        "ended_early",
        fooled="marker",
    ),
    Forgery(
        "writes the marker to every descriptor",
        javascript(f"""
            for (let descriptor = 0; descriptor < 5; descriptor++)
                for (const text of ['SR', '{MARKER}', 'f'.repeat(32)])
                    try {{ require('fs').writeSync(descriptor, text); }} catch {{ }}
            process.exit(0);
        """),
        "ended_early",
        "exception",
        fooled="marker",
    ),
    Forgery(
        "replaces what writes",
        javascript(f"""
            const fs = require('fs'), write = fs.writeSync;
            fs.writeSync = (descriptor) => write(descriptor, '{MARKER}');
            fs.writeSync(1);
            process.exit(0);
        """),
        "ended_early",
        "ended_early",
        fooled="marker",
    ),
    Forgery(
        "replaces the assertion",
        javascript("require('assert').deepEqual = () => {};"),
        "passed",
        "wrong_answer",
    ),
    Forgery(
        "replaces what loads the assertions",
        javascript("require('module').prototype.require = () => ({ deepEqual() { } });"),
        "passed",
        "wrong_answer",
    ),
    Forgery(
        "reads the answers in the tests",
        javascript(
            "",
            """
            const tests = add.caller.toString();
            return Number(tests.match(`candidate\\\\(${a}, ${b}\\\\),(-?[0-9]+)`)[1]);
            """,
        ),
        "passed",
        "exception",
    ),
    Forgery(
        "reads the answers in the source",
        javascript(
            "",
            """
            const tests = require('fs').readFileSync(__filename, 'utf8');
            return Number(tests.match(`candidate\\\\(${a}, ${b}\\\\),(-?[0-9]+)`)[1]);
            """,
        ),
        "passed",
        "exception",
    ),
    Forgery("hunts for the secret in memory", javascript(_HUNT), "passed", "ended_early", "default"),
    Forgery(
        "hunts for the secret in the heap", javascript(_HUNT_IN_HEAP), "ended_early", "ended_early", "runner"
    ),
)
