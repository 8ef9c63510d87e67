"""The solution's process: runs the solution, then does with its objects what the tests ask."""

from __future__ import annotations

import builtins
import enum
import inspect
import os
import posix
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners import frames
    from flextune.judging.languages.runners.channel import Channel, Closed
    from flextune.judging.languages.runners.loops import Loops
    from flextune.judging.languages.runners.operations import ALL, CONTAINERS
    from flextune.judging.languages.runners.peer import Later, Peer, name_of
    from flextune.judging.languages.runners.raising import EXCEPTIONS, show
    from flextune.judging.languages.runners.runner import compiled, execute, shutdown, status_of
    from flextune.judging.languages.runners.things import Function, Thing
    from flextune.judging.languages.runners.things import Iterator as TestsIterator
    from flextune.judging.languages.runners.values import Decoder, Json
else:
    import frames
    from channel import Channel, Closed
    from loops import Loops
    from operations import ALL, CONTAINERS
    from peer import Later, Peer, name_of
    from raising import EXCEPTIONS, show
    from things import Function, Thing
    from things import Iterator as TestsIterator

    from runner import compiled, execute, shutdown, status_of

CALLS, ANSWERS = 3, 4
#: The conversation of the main threads.
MAIN = "t0"
#: Frames of this folder's between what one end does and what the other end asks while it waits.
_BETWEEN = 12
#: What a class may derive from and still be passed on as its value, which is what then is compared.
_IMMUTABLE = (int, float, str, bytes)


def main(argv: list[str]) -> int:
    """Run the program ``argv[0]``, then serve; the exit status."""
    for number in (CALLS, ANSWERS):
        os.set_inheritable(number, False)
    channel = Channel(CALLS, ANSWERS)
    path = argv[0]
    code = compiled(path)
    if code is None:
        channel.send("", ["refused"])
        return 1
    channel.send("", ["compiled"])
    _announce_exit(channel)
    solution = Solution(channel)
    reason = execute(code, path)
    if reason is not None:
        if isinstance(reason, int):
            solution.leave(reason)
        channel.send("", ["failed", reason.decode()])
        return 1
    try:
        solution.introduce(vars(sys.modules["__main__"]))
        channel.join(MAIN)
        channel.listen(solution.begin, solution.other)
        with solution.taking_part(MAIN), frames.like_a_script():
            while True:
                solution.serve(channel.receive(MAIN))
    except Closed:
        return 0


def _announce_exit(channel: Channel) -> None:
    """Have this process say with which status it ends; a signal lets it say nothing."""
    end, own = os._exit, os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() == own:
            channel.send("", ["exit", status])
        end(status)

    os._exit = posix._exit = leave


class Solution(Peer):
    """The end that runs the solution."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, "s")
        self.loops = Loops(self)
        self.operations: Mapping[str, Callable[..., Any]] = {
            **ALL,
            "await": lambda target: _later(lambda answer: self.loops.settle(target, answer)),
            "finish": lambda target: shutdown(),
        }

    def introduce(self, names: dict[str, Any]) -> None:
        """Answer the tests' first question: which of these names are there, and what are they."""
        _, (_, wanted, shared) = self.channel.read_one()
        for name in shared:
            if isinstance(names.get(name), type):
                self.shared[name] = names[name]
        encoder = self.encoder()
        # A first object that is always there: the process itself.
        found = [self.expose(_Process())]
        for name in wanted:
            if name in names:
                found += [name, encoder.encode(names[name])]
        self.channel.send("", ["names", encoder.contents(), found])

    def perform(
        self,
        operation: str,
        target: Any,
        arguments: list[Any],
        named: dict[str, Any],
        around: Json,
        decoder: Decoder,
    ) -> Any:
        """Do what is asked, where the tests' streams and functions are those of the tests."""

        def act() -> Any:
            with frames.allowing(_BETWEEN), self._surrounded(around, decoder):
                return self.operations[operation](target, *arguments, **named)

        if operation == "await" or around is None:
            return act()
        if type(around) is list and around and around[0] is True:
            raise Later(lambda answer: self.loops.within(act, answer))
        return act()

    @contextmanager
    def _surrounded(self, around: Json, decoder: Decoder) -> Iterator[None]:
        replaced = []
        try:
            if around is not None:
                for (place, name), data in zip(SURROUNDINGS, around[1:], strict=True):
                    if data is not None:
                        replaced.append((place, name, getattr(place, name)))
                        setattr(place, name, decoder.decode(data))
            yield
        finally:
            for place, name, value in replaced:
                setattr(place, name, value)

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
        if not isinstance(error, StopIteration | StopAsyncIteration):
            show(error)

    def kind(self, value: Any) -> tuple[str, str, Json]:
        """What the stand-in of an object has to be like."""
        name = name_of(value) if isinstance(value, _NAMED) else type(value).__name__
        if isinstance(value, type):
            if issubclass(value, BaseException):
                return "exception", name, next(one.__name__ for one in value.__mro__ if one in _BUILT_IN)
            return "class", name, None
        if isinstance(value, enum.Enum) and not isinstance(value, _IMMUTABLE):
            return "object", name, ""
        for base in _IMMUTABLE:
            if isinstance(value, base):
                return "value", type(value).__name__, self.encoder().encode(_as(base, value))
        if isinstance(value, types.GeneratorType):
            return "generator", name, None
        if inspect.isawaitable(value):
            return "awaitable", name, None
        if inspect.iscoroutinefunction(value) and isinstance(value, types.FunctionType):
            documentation = value.__doc__
            return "coroutine function", name, documentation if type(documentation) is str else None
        data = "contents" if isinstance(value, CONTAINERS) else _compared(value)
        return ("callable" if callable(value) else "object"), name, data

    def stand_in(self, number: int, kind: str, name: str, more: Json) -> Any:
        """A function, an iterator, a coroutine or another object of the tests."""
        if kind == "awaitable":
            return self.loops.awaited(number)
        if kind == "object":
            return Thing(self, number, name)
        if kind == "iterator":
            return TestsIterator(self, number, name)
        return Function(self, number, name, more)


class _Process:
    """The solution's process, as an object of the tests."""


#: What tests may replace, and the solution then uses.
SURROUNDINGS = ((sys, "stdin"), (sys, "stdout"), (sys, "stderr"), (builtins, "input"), (builtins, "print"))
#: What has a name of its own.
_NAMED = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.GeneratorType)
_BUILT_IN = set(EXCEPTIONS.values())


def _later(begin: Callable[..., None]) -> NoReturn:
    raise Later(begin)


def _as(base: type, value: Any) -> Any:
    """``value`` as its built-in base, whatever its own methods do."""
    if base is str:
        return str.__getitem__(value, slice(None))
    if base is bytes:
        return bytes.__getitem__(value, slice(None))
    return int.__int__(value) if base is int else float.__float__(value)


def _compared(value: Any) -> str:
    kind: Any = type(value)
    return "" if kind.__eq__ is object.__eq__ else "value"
