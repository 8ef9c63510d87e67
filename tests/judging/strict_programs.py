# ruff: noqa: E501 - a program reads better unbroken
"""Solutions that cheat, and solutions whose values are hard to pass on; each with its tests."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Cheat:
    """A wrong solution.

    Attributes:
        solution: What it does instead of the task.
        outcome: What strict mode must find.
        succeeds: Whether it passes where solution and tests share a process.
        tests: Other tests than those of a function that squares.
    """

    solution: str
    outcome: str
    succeeds: bool = False
    tests: str = ""


PYTHON_TESTS = "assert f(3) == 9\nassert not f(4) != 16\nended = True\n"
_SWALLOW = "try:\n    f(1)\nexcept BaseException:\n    pass\n"
_EQUAL = """
class A{base}:
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = object.__hash__
    __sub__ = lambda self, other: 0
def f(x):
    return {value}
"""
_JUMP = """
import sys
def jump(frame, event, arg):
    last = max(line for *_, line in frame.f_code.co_lines() if line)
    if frame.f_code.co_name == '<module>' and event == 'line' and frame.f_lineno != last:
        frame.f_lineno = last
    return jump
def f(x):
    sys.settrace(jump)
    sys._getframe(1).f_trace = jump
    return 9
"""
_HUNT = """
import os, sys
def f(x):
    frame = sys._getframe()
    while frame:
        if 'secret' in frame.f_locals:
            os.write(4, frame.f_locals['secret'])
            os._exit(0)
        frame = frame.f_back
"""
_THREAD = """
import os, threading, time
def f(x):
    return x * x
threading.Thread(target=lambda: (time.sleep(0.3), os._exit(0))).start()
"""
_EVERYWHERE = """
import os
for number in range(3, 99):
    try:
        os.write(number, b'SR' + b'0' * 99)
    except OSError:
        pass
"""

PYTHON_CHEATS = {
    "exits before the tests": Cheat("import os; os._exit(0)", "ended_early"),
    "exits politely before the tests": Cheat("import sys\nsys.exit()", "ended_early"),
    "exits when called": Cheat("import os\ndef f(x): os._exit(0)", "ended_early", tests=_SWALLOW),
    "raises SystemExit when called": Cheat("def f(x): raise SystemExit", "ended_early", tests=_SWALLOW),
    "exits with a status": Cheat("def f(x): raise SystemExit(3)", "exception"),
    "kills itself": Cheat("import os\ndef f(x): os.kill(os.getpid(), 9)", "exception", tests=_SWALLOW),
    "leaves the exit to a child": Cheat(
        "import os\ndef f(x):\n    if os.fork() == 0:\n        os._exit(0)\n    os.wait()", "wrong_answer"
    ),
    "exits from a thread while the tests run": Cheat(
        _THREAD, "ended_early", tests="import time\nassert f(2) == 4\ntime.sleep(1)\nassert f(3) == 9"
    ),
    "exits when the interpreter ends": Cheat(
        "import atexit, os\natexit.register(os._exit, 0)\ndef f(x): return 0", "wrong_answer"
    ),
    "object that equals everything": Cheat(_EQUAL.format(base="", value="A()"), "wrong_answer", True),
    "integer that equals everything": Cheat(_EQUAL.format(base="(int)", value="A(1)"), "wrong_answer", True),
    "text that equals everything": Cheat(_EQUAL.format(base="(str)", value="A('1')"), "wrong_answer", True),
    "list that equals everything": Cheat(_EQUAL.format(base="(list)", value="A()"), "wrong_answer", True),
    "float that equals everything": Cheat(_EQUAL.format(base="(float)", value="A(1)"), "wrong_answer", True),
    "list of what equals everything": Cheat(
        _EQUAL.format(base="", value="[A()]"), "wrong_answer", True, "assert f(3) == [9]"
    ),
    "dictionary of what equals everything": Cheat(
        _EQUAL.format(base="", value="{1: A()}"), "wrong_answer", True, "assert f(3) == {1: 9}"
    ),
    "object that contains everything": Cheat(
        "class A:\n    __contains__ = lambda self, x: True\n    __iter__ = lambda self: iter(())\ndef f(x): return A()",
        "wrong_answer", True, "assert 9 in f(3)",
    ),
    "object that differs from nothing": Cheat(
        _EQUAL.format(base="", value="A()"), "exception", True, "assert abs(f(3) - 9) < 1e-6"
    ),
    "built-in function of its own": Cheat(
        "abs = lambda x: 0\ndef f(x): return 1", "wrong_answer", True, "assert abs(f(3) - 9) < 1e-6"
    ),
    "built-in function replaced": Cheat(
        "import builtins\nbuiltins.abs = lambda x: 0\ndef f(x): return 1", "wrong_answer", True, "assert abs(f(3) - 9) < 1e-6"
    ),
    "module of the tests replaced": Cheat(
        "import math\nmath.isclose = lambda *_: True\ndef f(x): return 1", "wrong_answer", True,
        "import math\nassert math.isclose(f(3), 9)",
    ),
    "class in place of a module": Cheat(
        "class math:\n    isclose = lambda *_: True\ndef f(x): return 1", "wrong_answer", True, "assert math.isclose(f(3), 9)"
    ),
    "rewrites what the tests expect": Cheat(
        "import sys\ndef f(x):\n    sys._getframe(1).f_globals['expected'] = 0\n    return 0", "wrong_answer", True,
        "expected = 9\nassert f(3) == expected",
    ),
    "hunts for the secret": Cheat(_HUNT, "wrong_answer", True),
    "jumps over the tests": Cheat(_JUMP, "wrong_answer", True),
    "prints the markers": Cheat("print('SR', flush=True)\ndef f(x): print('passed', flush=True)", "wrong_answer"),
    "writes to every descriptor": Cheat(_EVERYWHERE, "exception"),
    "begins a message and stops": Cheat(
        "import os, time\nos.write(4, bytes([0, 0, 0, 9]))\ntime.sleep(99)", "timeout"
    ),
    "replaces what speaks for it": Cheat(
        "import json\njson.dumps = lambda *_, **__: '[\"ok\",[],9]'\ndef f(x): return 0", "exception"
    ),
    "needs the tests to be a program": Cheat("def f(x): return x * x\ng = '''", "compile_error", False, "f(3)'''"),
}  # fmt: skip

JAVASCRIPT_TESTS = """
const assert = require('node:assert');
function test() {
  let candidate = f;
  assert.deepEqual(candidate(3), 9);
  assert.deepEqual(candidate(4), 16);
}
test();
"""
_ASSERT = "const assert = require('node:assert');\n"
_AWAIT = _ASSERT + "(async () => { assert.deepEqual(await f(3), 9); })();"
_SWALLOW_JS = "try { f(1); } catch {}"

JAVASCRIPT_CHEATS = {
    "exits before the tests": Cheat("process.exit(0)", "ended_early"),
    "exits when called": Cheat("function f(x) { process.exit(0); }", "ended_early", tests=_SWALLOW_JS),
    "exits with a status": Cheat("function f(x) { process.exit(3); }", "exception", tests=_SWALLOW_JS),
    "exits without a word": Cheat("function f(x) { process.reallyExit(0); }", "exception", tests=_SWALLOW_JS),
    "kills itself": Cheat("function f(x) { process.kill(process.pid, 'SIGKILL'); }", "exception", tests=_SWALLOW_JS),
    "replaces a function of assert": Cheat("require('assert').deepEqual = () => {};\nfunction f() {}", "wrong_answer", True),
    "replaces what require finds": Cheat(
        "const M = require('module'); const load = M._load;\n"
        "M._load = (name, ...rest) => (/assert/.test(name) ? { deepEqual() {} } : load(name, ...rest));\nfunction f() {}",
        "wrong_answer", True,
    ),
    "replaces a method that the tests use": Cheat(
        "Array.prototype.every = () => true;\nfunction f() {}", "wrong_answer", True,
        _ASSERT + "assert([3, 4].every((x) => f(x) === x * x));",
    ),
    "object with methods for an empty one": Cheat(
        "class A { equals() { return true; } }\nfunction f() { return new A(); }", "wrong_answer", True,
        _ASSERT + "assert.deepEqual(f(3), {});",
    ),
    "promise that never settles": Cheat("function f() { return new Promise(() => {}); }", "ended_early", False, _AWAIT),
    "object that poses as a promise": Cheat("function f() { return { then() {} }; }", "wrong_answer", True, _AWAIT),
    "hides failures": Cheat(
        "process.on('unhandledRejection', () => {});\nfunction f() { return 1; }", "wrong_answer", False, _AWAIT
    ),
    "key that changes prototypes": Cheat(
        "function f() { return JSON.parse('{\"__proto__\": {\"expected\": 1}}'); }", "wrong_answer",
        tests=_ASSERT + "f(3);\nassert.deepEqual({}.expected ?? f(3).expected, 1);",
    ),
    "prints the markers": Cheat("console.log('SR');\nfunction f() { console.log('passed'); }", "wrong_answer"),
    "writes to every descriptor": Cheat(
        "const fs = require('fs');\n"
        "for (let n = 3; n < 99; n++) { try { fs.fstatSync(n).isFIFO() && fs.writeSync(n, 'SR' + '0'.repeat(99)); } catch {} }",
        "exception",
    ),
    "replaces what speaks for it": Cheat(
        "JSON.stringify = () => '[\"ok\",[],9]';\nfunction f() { return 0; }", "exception"
    ),
    "needs the tests to be a program": Cheat("function f(x) { return x * x; }\nvar g = `", "compile_error", False, "f(3)`"),
}  # fmt: skip

#: What a solution may write in place of an answer.
_FRAMES: dict[str, object] = {
    "empty message": [],
    "no message": "passed",
    "no tag": [1],
    "unknown message": ["passed"],
    "a secret": ["0" * 32],
    "answer without a value": ["ok"],
    "answer that is no value": ["ok", [], {}],
    "change of nothing": ["ok", [0, ["l"]], 9],
    "changes that are no list": ["ok", 1, 9],
    "reference to nothing": ["ok", [], ["o", 0]],
    "reference of JavaScript to nothing": ["ok", [], ["i", 0]],
    "reference to a text": ["ok", [], ["h", "x", "callable", "f"]],
    "object of no kind": ["ok", [], ["h", 1, "secret", "f"]],
    "exception that ends the process": ["ok", [], ["h", 1, "exception", "f", "SystemExit"]],
    "exit that is no exception": ["raise", ["SystemExit"], [0]],
    "exception of the wrong form": ["raise", "ValueError", 1],
    "exception without a form": ["raise"],
    "request without an object": ["do", "call", 0, [], []],
    "request for an attribute": ["do", "get", 0, ["__globals__"], []],
    "request for nothing": ["do"],
    "exit with status 0": ["exit", 0],
    "exit with a text": ["exit", "0"],
    "failure of no kind": ["failed", "S"],
    "compiled again": ["compiled"],
    "refused": ["refused"],
    "deep value": ["ok", [], ["l", ["l"] * 500]],
    "large integer": ["ok", [], ["i", "f" * 10000]],
    "type of all types": ["ok", [], ["T", "type"]],
    "names that nobody asked for": ["ok", [], ["l", "AssertionError", 1]],
    "names of JavaScript that nobody asked for": ["ok", [], ["o", "assert", 1]],
}
_SEND = """
import os, time
for data in {messages!r}:
    os.write(4, len(data).to_bytes(4, 'big') + data)
time.sleep(99)
"""
_SEND_JAVASCRIPT = """
const fs = require('fs');
for (const data of {messages}) {{
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  fs.writeSync(4, Buffer.concat([size, Buffer.from(data)]));
}}
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 99000);
"""
_NAMED = ["ok", [], ["l", "f", ["h", 0, "callable", "f"]]]
_NAMED_JAVASCRIPT = ["ok", [], ["o", "f", ["h", 0, "function"]]]


def forged(frame: object, *, called: bool) -> dict[str, str]:
    """A solution in each language that sends ``frame`` at once, or in answer to the first call of ``f``."""
    python, javascript = (
        [json.dumps(message) for message in ([named] if called else []) + [frame]]
        for named in (_NAMED, _NAMED_JAVASCRIPT)
    )
    return {
        "py": _SEND.format(messages=[message.encode() for message in python]),
        "js": _SEND_JAVASCRIPT.format(messages=json.dumps(javascript)),
    }


FORGED = {
    f"{name}, {'when called' if called else 'at once'}": forged(frame, called=called)
    for name, frame in _FRAMES.items()
    for called in (False, True)
}
#: The forged answers that are well-formed values of the language, and only not the right ones.
WRONG_ANSWERS = {
    "py": (
        "deep value, when called",
        "large integer, when called",
        "names that nobody asked for, when called",
    ),
    "js": ("names of JavaScript that nobody asked for, when called",),
}

_NAP = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);"

#: What goes wrong without any cheating: the solution in Python and in JavaScript, and the outcome.
FAILING = {
    "endless loop": ("def f(x):\n    while True: pass", "function f() { for (;;); }", "timeout"),
    "sleep": ("import time\ndef f(x): time.sleep(60)", f"function f() {{ {_NAP} }}", "timeout"),
    "memory": (
        "kept = []\ndef f(x):\n    while True: kept.append(bytearray(10**7))",
        "const kept = []; function f() { for (;;) kept.push(new Array(10000).fill(1.5)); }",
        "memory_limit",
    ),
    "output": (
        "def f(x):\n    while True: print('x' * 10_000)",
        "function f() { for (;;) require('fs').writeSync(1, 'x'.repeat(10000)); }",
        "output_limit",
    ),
    "endless answer": (
        "import os\ndef f(x):\n    while True: os.write(4, bytes(4))",
        "function f() { for (;;) require('fs').writeSync(4, '\\0\\0\\0\\0'); }",
        "exception",
    ),
    "no program": ("def f(x:\n    pass", "function f( {", "compile_error"),
    "assertion of its own": ("def f(x): assert False", "function f() { require('assert')(false); }", "wrong_answer"),
    "exception at the start": ("[][1]", "null.x;", "exception"),
    "no such function": ("g = 1", "let g = 1;", "exception"),
    "value that is too deep": (
        "def f(x):\n    for _ in range(10**4): x = (x,)\n    return x",
        "function f(x) { for (let n = 0; n < 10000; n++) x = [x]; return x; }",
        "exception",
    ),
    "value that is too large": (
        "def f(x): return 'x' * 68_000_000", "function f() { return 'x'.repeat(68000000); }", "exception"
    ),
}  # fmt: skip
