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
_READ_PRINTED = """
import os, re, threading, time
said = bytearray()
def listen(number):
    reading = os.open(f'/proc/self/fd/{number}', os.O_RDONLY)
    while True: said.extend(os.read(reading, 10000))
for number in (1, 2):
    for _ in range(3): threading.Thread(target=listen, args=(number,), daemon=True).start()
def f(x):
    for _ in range(50):
        if found := re.search(b'expected ([0-9]+)', bytes(said)):
            return int(found[1])
        time.sleep(0.002)
"""
_PRINTING = "import sys\nprint('expected 9', flush=True)\nprint('expected 9', file=sys.stderr, flush=True)\nassert f(3) == 9"
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
    "reads what the tests print": Cheat(_READ_PRINTED, "wrong_answer", tests=_PRINTING),
    "swallows a failure of the tests": Cheat(
        "def f(x):\n    try: x()\n    except BaseException: pass\n    return 9", "wrong_answer", True, "def g(): assert 0 > 1, 'no'\nassert f(g) == 9"
    ),
    "calls nobody back": Cheat("def f(x): pass", "wrong_answer", False, "def g(v): assert v == 9\nf(g)"),
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
_READ_PRINTED_JS = """
const fs = require('fs');
function f(x) {
  for (const number of [1, 2]) {
    const reading = fs.openSync(`/proc/self/fd/${number}`, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    for (const end = Date.now() + 50; Date.now() < end; ) {
      const part = Buffer.alloc(1000);
      try { fs.readSync(reading, part); } catch { continue; }
      const found = /expected ([0-9]+)/.exec(part.toString());
      if (found) return Number(found[1]);
    }
  }
}
"""
_PRINTING_JS = (
    _ASSERT
    + "console.log('expected 9'); console.error('expected 9'); require('fs').writeSync(1, 'expected 9'); assert.equal(f(3), 9);"
)
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
    "object that poses as a promise": Cheat("function f() { return { then() {} }; }", "wrong_answer", False, _AWAIT),
    "hides failures": Cheat(
        "process.on('unhandledRejection', () => {});\nfunction f() { return 1; }", "wrong_answer", False, _AWAIT
    ),
    "key that changes prototypes": Cheat(
        "function f() { return JSON.parse('{\"__proto__\": {\"expected\": 1}}'); }", "wrong_answer",
        tests=_ASSERT + "f(3);\nassert.deepEqual({}.expected ?? f(3).expected, 1);",
    ),
    "reads what the tests print": Cheat(_READ_PRINTED_JS, "exception", tests=_PRINTING_JS),
    "swallows a failure of the tests": Cheat(
        "function f(g) { try { g(); } catch {} return 9; }", "wrong_answer", False, _ASSERT + "assert.equal(f(() => assert.equal(1, 2)), 9);"
    ),
    "calls nobody back": Cheat("function f() {}", "wrong_answer", False, _ASSERT + "f((v) => assert.equal(v, 9));"),
    "assertions of its own": Cheat(
        "function f() {}\nconst assert = { equal() {} };", "wrong_answer", True, "assert.equal(f(3), 9);"
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


def _nested(depth: int) -> list[object]:
    value: list[object] = ["t"]
    for _ in range(depth):
        value = ["t", value]
    return value


#: What a solution may write in place of an answer to the first request.
_FRAMES: dict[str, object] = {
    "empty message": [],
    "no message": "passed",
    "no tag": [1],
    "unknown message": ["passed"],
    "a secret": ["0" * 32],
    "answer without a value": ["ok", 1],
    "answer that is no value": ["ok", 1, [], [], {}],
    "answer to a later request": ["ok", 99, [], [], 9],
    "change of nothing": ["ok", 1, [0, ["l"]], [], 9],
    "changes that are no list": ["ok", 1, 1, [], 9],
    "contents that are no list": ["ok", 1, [], 1, 9],
    "contents of no kind": ["ok", 1, [], [["?"]], 9],
    "instance of a class that is not shared": ["ok", 1, [], [["K", "Exception"]], 9],
    "object without contents": ["ok", 1, [], [], ["&", 0]],
    "reference to nothing": ["ok", 1, [], [], ["o", 7]],
    "reference of JavaScript to nothing": ["ok", 1, [], [], ["i", 7]],
    "exception that nobody raised": ["ok", 1, [], [], ["E", 0]],
    "reference to a text": ["ok", 1, [], [], ["h", "x", "callable", "f", ""]],
    "object of no kind": ["ok", 1, [], [], ["h", 5, "secret", "f", ""]],
    "number that is none": ["ok", 1, [], [], ["h", 5, "value", "f", ["T", "object"]]],
    "exception that ends the process": ["ok", 1, [], [], ["h", 5, "exception", "f", "SystemExit"]],
    "exit that is no exception": ["raise", 1, [], [], [["SystemExit"], [], "", [], None, -1], -1],
    "exception of the wrong form": ["raise", 1, [], [], "ValueError", 1],
    "exception without a form": ["raise"],
    "request without an object": ["do", 1, "call", 0, [], [], [], None],
    "request of JavaScript without an object": ["do", 1, 1, "call", 0, [], []],
    "request for nothing": ["do"],
    "exit with status 0": ["exit", 0],
    "exit with a text": ["exit", "0"],
    "failure of no kind": ["failed", "S"],
    "compiled again": ["compiled"],
    "refused": ["refused"],
    "deep value": ["ok", 1, [], [], _nested(500)],
    "large integer": ["ok", 1, [], [], ["i", "f" * 10000]],
    "type of all types": ["ok", 1, [], [], ["T", "type"]],
    "names that nobody asked for": ["names", [], [["h", 0, "object", "P", ""], "AssertionError", 1]],
    "names of JavaScript that nobody asked for": ["introduced", ["assert", 1], []],
}
_SEND = """
import os, time
for name, data in {messages!r}:
    os.write(4, len(data).to_bytes(4, 'big') + bytes([len(name)]) + name + data)
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
_NAMED = ["names", [], [["h", 0, "object", "P", ""], "f", ["h", 1, "callable", "f", ""]]]
_NAMED_JAVASCRIPT = ["introduced", ["f", ["h", 0, "function", ""]], []]
#: What belongs to no conversation.
_CONTROL = ("exit", "failed", "compiled", "refused")


def forged(frame: object, *, called: bool) -> dict[str, str]:
    """A solution in each language that sends ``frame`` at once, or in answer to the first call of ``f``."""
    whole = not called or (isinstance(frame, list) and frame[:1] and frame[0] in _CONTROL)
    conversation = b"" if whole else b"t0"
    python = [(b"", json.dumps(_NAMED).encode())] if called else []
    javascript = [json.dumps(_NAMED_JAVASCRIPT)] if called else []
    return {
        "py": _SEND.format(messages=[*python, (conversation, json.dumps(frame).encode())]),
        "js": _SEND_JAVASCRIPT.format(messages=json.dumps([*javascript, json.dumps(frame)])),
    }


FORGED = {
    f"{name}, {'when called' if called else 'at once'}": forged(frame, called=called)
    for name, frame in _FRAMES.items()
    for called in (False, True)
}
#: The forged answers that are well-formed values of the language, and only not the right ones.
WRONG_ANSWERS: dict[str, tuple[str, ...]] = {"py": ("large integer, when called",), "js": ()}

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
    "value that cannot be passed on": (
        "def f(x):\n    for _ in range(10**4): x = (x,)\n    return x",
        "function f() { return { get x() { throw new RangeError('deep'); } }; }",
        "exception",
    ),
    "value that is too large": (
        "def f(x): return 'x' * 68_000_000", "function f() { return 'x'.repeat(68000000); }", "exception"
    ),
}  # fmt: skip
