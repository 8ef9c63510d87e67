"""The tests' process: runs the tests, and asks the solution's process where they use the solution.

Only trusted code runs here, the benchmark's. Whatever the other process sends becomes plain data, a stand-in
object that asks back, or the end of this process without a pass.
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
import threading
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners import frames, privacy
    from flextune.judging.languages.runners.channel import Channel
    from flextune.judging.languages.runners.checks import Checks
    from flextune.judging.languages.runners.names import Wanted, trusted, wanted
    from flextune.judging.languages.runners.raising import show
    from flextune.judging.languages.runners.runner import (
        SECRET_BYTES,
        add_exits,
        finish,
        shutdown,
        status_of,
    )
    from flextune.judging.languages.runners.tests_end import Tests
else:
    import frames
    import privacy
    from channel import Channel
    from checks import Checks
    from names import trusted, wanted
    from raising import show
    from tests_end import Tests

    from runner import SECRET_BYTES, add_exits, finish, shutdown, status_of

SECRET, REPORTS, ANSWERS, CALLS = 3, 4, 5, 6
#: The conversation of the main threads, and the object that stands for the solution's process.
_MAIN, _PROCESS = "t0", 0
#: Calls by which tests write files, as the interpreter names them for auditing.
_WRITING = {"os.mkdir", "os.rename", "os.symlink", "os.link", "tempfile.mkstemp", "tempfile.mkdtemp"}
_FILES = "the tests write files, which the solution's process cannot see"


def main(argv: list[str]) -> int:
    """Run the tests ``argv[0]`` of a solution that follows the prompt ``argv[1]``; the exit status.

    ``argv[2]`` is the name of the function that the tests are about, empty where it is not known.
    """
    secret = os.read(SECRET, SECRET_BYTES)
    os.close(SECRET)
    for number in (REPORTS, ANSWERS, CALLS):
        os.set_inheritable(number, False)
    os.write(REPORTS, b"S")
    privacy.hide()
    path, prompt, entry = argv
    tests = Tests(Channel(ANSWERS, CALLS))
    with open(path, "rb") as file:
        source = file.read()
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    checks = Checks()
    compiled = _compiled(source, path, checks, module.__dict__)
    if compiled is None or not tests.solution_compiles():
        privacy.end(b"C", "")
    os.write(REPORTS, b"R")
    sys.modules["__main__"] = module
    sys.argv = [path]
    add_exits()
    threading.excepthook = lambda raised: _failed_in_thread(tests, raised)
    tree, code = compiled
    try:
        posed = trusted(prompt, entry, module.__dict__)
        _prepare(tests, wanted(tree, source, posed, module.__dict__), module.__dict__)
        with tests.taking_part(_MAIN):
            status = _run(code, module.__dict__)
            if status == 0:
                shutdown()
                # What the solution has begun may still call the tests.
                tests.request("finish", _PROCESS)
    except BaseException as error:
        show(error)
        privacy.end(_letter(error), "")
    if status:
        # Tests that say so themselves, as unittest does, have failed.
        privacy.end(b"A", f"the tests ended with exit status {status}", status)
    for failure in tests.failures.values():
        show(failure)
        privacy.end(b"A", "an assertion of the tests failed in a call from the solution")
    if checks.nothing_checked:
        privacy.end(b"A", "no assertion of the tests was reached")
    os.write(REPORTS, secret)
    privacy.reveal()
    return finish(0)


def _compiled(
    source: bytes, path: str, checks: Checks, names: dict[str, Any]
) -> tuple[ast.Module, CodeType] | None:
    try:
        checks.add_to(tree := ast.parse(source, path), names)
        return tree, compile(tree, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        sys.__excepthook__(type(error), error.with_traceback(None), None)
        return None


def _prepare(tests: Tests, asked: Wanted, names: dict[str, Any]) -> None:
    """Give the tests the names that they use."""
    if asked.missing:
        text = ", ".join(asked.missing)
        privacy.end(b"U", f"the tests use {text}, which neither they nor the prompt define")
    tests.classes = asked.classes
    shared = [name for name, value in names.items() if _is_own_class(name, value)]
    tests.load(asked.names, shared, names)
    tests.channel.join(_MAIN)
    tests.channel.listen(tests.begin, tests.control)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _WRITING or (event == "open" and arguments[1] and set("wax+") & set(str(arguments[1]))):
            tests.hidden = _FILES

    sys.addaudithook(audit)


def _is_own_class(name: str, value: Any) -> bool:
    return isinstance(value, type) and value.__module__ == "__main__" and value.__name__ == name


def _run(code: CodeType, names: dict[str, Any]) -> int:
    """Run the tests; the exit status with which they ended."""
    with frames.like_a_script():
        try:
            exec(code, names)
        except SystemExit as error:
            # Nobody but the tests can end this process so.
            return status_of(error)
    return 0


def _failed_in_thread(tests: Tests, raised: threading.ExceptHookArgs) -> None:
    if isinstance(raised.exc_value, AssertionError):
        tests.failures[id(raised.exc_value)] = raised.exc_value
    elif raised.exc_value is not None:
        show(raised.exc_value)


def _letter(error: BaseException) -> bytes:
    if isinstance(error, AssertionError):
        return b"A"
    return b"M" if isinstance(error, MemoryError) else b"E"
