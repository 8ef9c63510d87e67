"""The tests' process: runs the tests, and asks the solution's process where they use the solution.

Only trusted code runs here, the benchmark's. Whatever the other process sends becomes plain data, a stand-in
object that asks back, or the end of this process without a pass.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners.channel import Channel, Closed
    from flextune.judging.languages.runners.names import trusted, wanted
    from flextune.judging.languages.runners.peer import EXCEPTIONS, Peer, name_of, show
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.proxies import Callee, Proxy
    from flextune.judging.languages.runners.runner import SECRET_BYTES, compiled, finish, status_of
    from flextune.judging.languages.runners.values import Json
else:
    from channel import Channel, Closed
    from names import trusted, wanted
    from peer import EXCEPTIONS, Peer, name_of, show
    from plain import Broken
    from proxies import Callee, Proxy

    from runner import SECRET_BYTES, compiled, finish, status_of

SECRET, REPORTS, ANSWERS, CALLS = 3, 4, 5, 6


def main(argv: list[str]) -> int:
    """Run the tests ``argv[0]`` of a solution that follows the prompt ``argv[1]``; the exit status.

    ``argv[2]`` is the name of the function that the tests are about, empty where it is not known.
    """
    secret = os.read(SECRET, SECRET_BYTES)
    os.close(SECRET)
    for number in (REPORTS, ANSWERS, CALLS):
        os.set_inheritable(number, False)
    os.write(REPORTS, b"S")
    path, prompt, entry = argv
    tests = Tests(Channel(ANSWERS, CALLS))
    code = compiled(path)
    if code is None or not tests.solution_compiles():
        os.write(REPORTS, b"C")
        return 1
    os.write(REPORTS, b"R")
    module = ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = module
    sys.argv = [path]
    try:
        entry = trusted(prompt, entry, module.__dict__)
        tests.load(wanted(path, entry, module.__dict__), module.__dict__)
        exec(code, module.__dict__)
    except SystemExit as error:
        return finish(status_of(error))
    except BaseException as error:
        show(error)
        os.write(REPORTS, _letter(error))
        return finish(1)
    os.write(REPORTS, secret)
    return finish(0)


def _letter(error: BaseException) -> bytes:
    if isinstance(error, AssertionError):
        return b"A"
    return b"M" if isinstance(error, MemoryError) else b"E"


def end(letter: bytes, message: str, status: int = 1) -> NoReturn:
    """End this process at once: no ``except`` of the tests may go on after this."""
    if message:
        os.write(REPORTS, letter)
        print(message, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


class Tests(Peer):
    """The end that asks; of its own objects the solution may only call functions and advance iterators."""

    operations: Mapping[str, Callable[..., Any]] = {
        "call": lambda target, *arguments, **named: target(*arguments, **named),
        "next": next,
    }

    def allowed(self, operation: str, kind: str) -> bool:
        """Functions are called, iterators advanced, and that is all."""
        return (operation, kind) in (("call", "callable"), ("next", "iterator"))

    def solution_compiles(self) -> bool:
        """Wait until the solution's process has compiled it."""
        try:
            return self.channel.receive() == ["compiled"]
        except (Broken, Closed):
            return False

    def load(self, wanted: list[str], names: dict[str, Any]) -> None:
        """Put stand-ins for the solution's objects of the ``wanted`` names into ``names``."""
        found = self._guarded(self._introduced, wanted)
        names.update(zip(found[::2], found[1::2], strict=True))

    def _introduced(self, wanted: list[str]) -> list[Any]:
        found = self.ask(["names", wanted])
        if type(found) is not list or len(found) % 2 or any(type(name) is not str for name in found[::2]):
            raise Broken("no list of names")
        if not set(found[::2]) <= set(wanted):
            raise Broken("no list of names")
        return found

    def request(self, operation: str, number: int, *arguments: Any, **named: Any) -> Any:
        """As ``Peer.request``, but the end of the solution is the end of the tests."""
        return self._guarded(super().request, operation, number, *arguments, **named)

    def _guarded(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except Broken as error:
            end(b"E", f"the solution's process broke the protocol: {error}")
        except Closed:
            end(b"E", "the solution's process was ended")
        except MemoryError:
            end(b"M", "no memory for what the solution returned")

    def other(self, message: list[Json]) -> NoReturn:
        """The solution has ended, or failed before the tests could call it."""
        if message[0] == "exit" and len(message) == 2 and type(message[1]) is int:
            status = message[1] & 0xFF
            end(b"E", f"the solution ended with exit status {status}" if status else "", status)
        if message in (["failed", "A"], ["failed", "M"], ["failed", "E"]):
            # Its traceback is on standard error already.
            os.write(REPORTS, message[1].encode())
            end(b"", "")
        raise Broken("no answer")

    def kind(self, value: Any) -> tuple[str, ...]:
        """What the solution may use: a function or an iterator."""
        if hasattr(type(value), "__next__"):
            return "iterator", name_of(value)
        if callable(value):
            return "callable", name_of(value)
        raise TypeError(f"strict mode cannot pass an object of type {name_of(type(value))} to the solution")

    def stand_in(self, number: int, kind: str, name: str, base: str = "") -> Any:
        """A stand-in for an object of the solution."""
        if kind == "exception" and base in EXCEPTIONS:
            return type(name, (EXCEPTIONS[base],), {"__module__": "__main__"})
        if kind not in ("callable", "object"):
            raise Broken("no kind of object")
        return (Callee if kind == "callable" else Proxy)(self, number)
