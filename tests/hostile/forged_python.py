# ruff: noqa: E501 - a program reads better unbroken
"""Forged verdicts in Python."""

from __future__ import annotations

from tests.hostile.forgeries import MARKER, Forgery, python

_HUNT_IN_FRAMES = """
    import os, sys
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, bytes) and len(value) == 32:
                os.write(4, value)
                os._exit(0)
        frame = frame.f_back
"""
_HUNT_IN_GARBAGE = """
    import gc, os
    for each in gc.get_objects():
        for value in gc.get_referents(each):
            if type(value) is bytes and len(value) == 32 and not value.strip(b'0123456789abcdef'):
                os.write(4, value)
                os._exit(0)
"""
# Only a secret is 32 hexadecimal digits between bytes that are none.
_HUNT_IN_MEMORY = """
    import os, re
    found = []
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', buffering=0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split('-'))
            if ' rw' not in line or end - start > 1 << 28 or 'vvar' in line:
                continue
            memory.seek(start)
            try:
                content = memory.read(end - start)
            except OSError:
                continue
            found += re.findall(rb'(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])', content)
    for secret in set(found):
        os.write(4, secret)
    os._exit(0)
"""

CASES = (
    Forgery("leaves at once", python("import os\nos._exit(0)"), "ended_early", "ended_early"),
    Forgery("raises SystemExit", python("raise SystemExit"), "ended_early", "ended_early"),
    Forgery("leaves when called", python("", "import os; os._exit(0)"), "ended_early", "ended_early"),
    Forgery("raises SystemExit when called", python("", "raise SystemExit(0)"), "ended_early", "ended_early"),
    Forgery(
        "leaves in an exit handler",
        python("import atexit, os\natexit.register(os._exit, 0)"),
        "ended_early",
        "wrong_answer",
    ),
    Forgery(
        "leaves in a thread",
        python(
            "import os, threading\nthreading.Thread(target=os._exit, args=(0,)).start()\nwhile True: pass"
        ),
        "ended_early",
        "ended_early",
    ),
    Forgery(
        "leaves in a signal handler",
        python(
            "import os, signal\nsignal.signal(signal.SIGALRM, lambda *_: os._exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.01)",
            "while True: pass",
        ),
        "ended_early",
        "ended_early",
    ),
    Forgery(
        "becomes another program",
        python("import os\nos.execv('/bin/true', ['true'])"),
        "ended_early",
        # Nobody sees how a process ends that says nothing.
        "exception",
    ),
    Forgery(
        "leaves, and its child goes on",
        python("import os, time\nif os.fork(): os._exit(0)\ntime.sleep(0.2)"),
        "ended_early",
        "ended_early",
    ),
    Forgery(
        "replaces what shows exceptions",
        python(
            "import os, sys\nsys.excepthook = lambda *_: os._exit(0)\nsys.__excepthook__ = sys.excepthook"
        ),
        "wrong_answer",
        "wrong_answer",
    ),
    Forgery(
        "prints the marker",
        python(f"import os\nprint({MARKER!r}, flush=True)\nos._exit(0)"),
        "ended_early",
        "ended_early",
        fooled="marker",
    ),
    Forgery(
        "writes the marker to every descriptor",
        python(f"""
            import os
            for descriptor in range(256):
                for text in (b'SR', {MARKER.encode()!r}, b'f' * 32):
                    try:
                        os.write(descriptor, text)
                    except OSError:
                        pass
            os._exit(0)
        """),
        "ended_early",
        "exception",
        fooled="marker",
    ),
    Forgery(
        "an object that equals everything",
        python("", "class Equal:\n    def __eq__(self, other): return True\nreturn Equal()"),
        "passed",
        "wrong_answer",
    ),
    Forgery(
        "a number that equals everything",
        python("", "class Equal(int):\n    def __eq__(self, other): return True\nreturn Equal()"),
        "passed",
        "wrong_answer",
    ),
    Forgery(
        "replaces the tests while they run",
        python("""
            import sys
            def trace(frame, event, argument):
                if 'check' in frame.f_globals: frame.f_globals['check'] = lambda candidate: None
                return trace
            sys._getframe().f_trace = trace
            sys.settrace(trace)
        """),
        "passed",
        "wrong_answer",
    ),
    Forgery(
        "reads the answers in the tests",
        python(
            "",
            """
            import re
            with open(__file__) as file: tests = file.read()
            return int(re.search(f'candidate.{a}, {b}. == (-?[0-9]+)', tests)[1])
            """,
        ),
        "passed",
        "exception",
    ),
    Forgery(
        "finds the tests in the frames",
        python(
            "",
            """
            import sys
            constants = sys._getframe(1).f_code.co_consts
            return next(each for each in constants if isinstance(each, int) and each == a + b)
            """,
        ),
        "passed",
        "exception",
    ),
    Forgery("hunts for the secret in frames", python(_HUNT_IN_FRAMES), "passed", "wrong_answer", "default"),
    Forgery(
        "hunts for the secret among objects",
        python(_HUNT_IN_GARBAGE),
        "wrong_answer",
        "wrong_answer",
        "runner",
    ),
    Forgery("hunts for the secret in memory", python(_HUNT_IN_MEMORY), "exception", "exception", "runner"),
)
