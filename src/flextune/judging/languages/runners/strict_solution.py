"""The solution's process: runs the solution, then does with its objects what the tests ask."""

from __future__ import annotations

import operator
import os
import posix
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners.channel import Channel, Closed
    from flextune.judging.languages.runners.peer import EXCEPTIONS, Peer, name_of, show
    from flextune.judging.languages.runners.runner import compiled, execute, status_of
    from flextune.judging.languages.runners.values import Encoder
else:
    from channel import Channel, Closed
    from peer import EXCEPTIONS, Peer, name_of, show
    from values import Encoder

    from runner import compiled, execute, status_of

CALLS, ANSWERS = 3, 4


def main(argv: list[str]) -> int:
    """Run the program ``argv[0]``, then serve; the exit status."""
    for number in (CALLS, ANSWERS):
        os.set_inheritable(number, False)
    channel = Channel(CALLS, ANSWERS)
    path = argv[0]
    code = compiled(path)
    if code is None:
        channel.send(["refused"])
        return 1
    channel.send(["compiled"])
    _announce_exit(channel)
    solution = Solution(channel)
    reason = execute(code, path)
    if reason is not None:
        if isinstance(reason, int):
            solution.leave(reason)
        channel.send(["failed", reason.decode()])
        return 1
    try:
        solution.introduce(vars(sys.modules["__main__"]))
        while True:
            solution.serve(channel.receive())
    except Closed:
        return 0


def _announce_exit(channel: Channel) -> None:
    """Have this process say with which status it ends; a signal lets it say nothing."""
    end, own = os._exit, os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() == own:
            channel.send(["exit", status])
        end(status)

    os._exit = posix._exit = leave


class Solution(Peer):
    """The end that the tests ask."""

    operations: Mapping[str, Callable[..., Any]] = {
        "call": lambda target, *arguments, **named: target(*arguments, **named),
        "get": getattr,
        "set": setattr,
        "item": operator.getitem,
        "put": operator.setitem,
        "iter": iter,
        "next": next,
        "len": len,
        "bool": bool,
        "str": str,
        "repr": repr,
        "instance": lambda target, value: isinstance(value, target),
    }

    def introduce(self, names: dict[str, Any]) -> None:
        """Answer the tests' first question: which of these names are there, and what are they."""
        wanted = self.channel.receive()[1]
        encoder = Encoder(self.expose)
        found = []
        for name in wanted:
            if name in names:
                found += [name, encoder.encode(names[name])]
        self.channel.send(["ok", [], ["l", *found]])

    def leave(self, status: int) -> NoReturn:
        """End this process as ``sys.exit`` does."""
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        os._exit(status)

    def failed(self, error: BaseException) -> None:
        """Show the traceback; end this process where the solution asked for that."""
        if isinstance(error, SystemExit):
            self.leave(status_of(error))
        show(error)

    def kind(self, value: Any) -> tuple[str, ...]:
        """A class of exceptions, or anything else; tests may call the second."""
        name = name_of(value)
        if isinstance(value, type) and issubclass(value, BaseException):
            return "exception", name, next(kind.__name__ for kind in value.__mro__ if kind in _BUILT_IN)
        return ("callable" if callable(value) else "object"), name

    def stand_in(self, number: int, kind: str, name: str, base: str = "") -> Any:
        """A function or an iterator of the tests."""
        return (Iterator if kind == "iterator" else Function)(self, number, name)


_BUILT_IN = set(EXCEPTIONS.values())


class Function:
    """A function of the tests."""

    def __init__(self, peer: Peer, number: int, name: str) -> None:
        self._peer, self._number, self.__name__ = peer, number, name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Ask the tests."""
        return self._peer.request("call", self._number, *arguments, **named)


class Iterator:
    """An iterator of the tests."""

    def __init__(self, peer: Peer, number: int, name: str) -> None:
        self._peer, self._number = peer, number

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        return self._peer.request("next", self._number)
