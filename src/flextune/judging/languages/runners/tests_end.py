"""The end of the conversation that asks, in the tests' process."""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import sys
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners import frames, privacy
    from flextune.judging.languages.runners.channel import Channel, Closed
    from flextune.judging.languages.runners.loops import Loops, running
    from flextune.judging.languages.runners.operations import PUBLIC
    from flextune.judging.languages.runners.peer import Later, Peer, name_of
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.proxies import (
        Callee,
        Proxy,
        coroutine_function,
        immutable,
        kind_of,
        relay,
    )
    from flextune.judging.languages.runners.raising import EXCEPTIONS, named
    from flextune.judging.languages.runners.values import Decoder, Encoder, Json
else:
    import frames
    import privacy
    from channel import Closed
    from loops import Loops, running
    from operations import PUBLIC
    from peer import Later, Peer, name_of
    from plain import Broken
    from proxies import Callee, Proxy, coroutine_function, immutable, kind_of, relay
    from raising import EXCEPTIONS, named
    from values import Decoder

#: Frames of this folder's between a call of the solution and a function of the tests that it calls.
_BETWEEN = 12
#: What tests may replace, and the solution then uses.
_SURROUNDINGS = (
    (sys, "stdin"),
    (sys, "stdout"),
    (sys, "stderr"),
    (builtins, "input"),
    (builtins, "print"),
)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial, type)
#: Modules whose objects tests pass on, and of which every public attribute is harmless.
_PASSED = {
    "__main__", "_io", "_queue", "_thread", "array", "collections", "enum", "functools", "io", "pathlib",
    "queue", "random", "re", "threading", "types", "unittest.mock", "uuid", "asyncio.events", "asyncio.locks",
    "asyncio.queues",
}  # fmt: skip


class Unsupported(TypeError):
    """Something that cannot be passed between the processes."""


class Tests(Peer):
    """The end that runs the tests; of its objects the solution may use what the tests hand over, and no more.

    Attributes:
        failures: Assertions of the tests that failed while the solution ran them, and did not come back.
        classes: Names of the classes that the benchmark asks for.
    """

    follows_loops = True

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, "t")
        self.failures: dict[int, BaseException] = {}
        self.classes: set[str] = set()
        self.loops = Loops(self)
        #: Set where the tests do what the solution cannot see.
        self.hidden = ""
        self.operations: Mapping[str, Callable[..., Any]] = {
            **PUBLIC,
            "await": lambda target: _later(lambda answer: self.loops.settle(target, answer)),
        }
        self._original = [getattr(place, name) for place, name in _SURROUNDINGS]

    def allowed(self, operation: str, kind: str) -> bool:
        """Functions are called, iterators advanced, coroutines awaited; objects have public attributes."""
        if kind == "object":
            return operation in PUBLIC
        return (operation, kind) in (("call", "callable"), ("next", "iterator"), ("await", "awaitable"))

    def solution_compiles(self) -> bool:
        """Wait until the solution's process has compiled it."""
        try:
            return self.channel.read_one() == ("", ["compiled"])
        except (Broken, Closed):
            return False

    def load(self, wanted: list[str], shared: list[str], names: dict[str, Any]) -> None:
        """Put stand-ins for the solution's objects of the ``wanted`` names into ``names``.

        Args:
            wanted: What to ask for.
            shared: Names of the classes that both processes have.
            names: Where to put them.
        """
        self.shared.update({name: names[name] for name in shared})
        found = self._guarded(self._introduced, wanted, shared)
        names.update(zip(found[::2], found[1::2], strict=True))

    def _introduced(self, wanted: list[str], shared: list[str]) -> list[Any]:
        # Who is gone may have left a last word.
        with contextlib.suppress(Closed):
            self.channel.send("", ["names", wanted, shared])
        name, message = self.channel.read_one()
        if name or message[0] != "names" or len(message) != 3:
            self.other(message)
        decoder = Decoder(self.resolve, shared=self.shared)
        decoder.load(message[1])
        if type(message[2]) is not list or len(message[2]) % 2 == 0:
            raise Broken("no list of names")
        first, *found = [decoder.decode(part) for part in message[2]]
        if not isinstance(first, Proxy) or not all(
            type(name) is str and name in wanted for name in found[::2]
        ):
            raise Broken("no list of names")
        return found

    def asking(
        self, operation: str, number: int, arguments: tuple[Any, ...], named: Mapping[str, Any] | None
    ) -> Any:
        """As ``Peer.asking``; what cannot be asked here cannot be judged here."""
        if self.hidden:
            privacy.end(b"U", self.hidden)
        try:
            return super().asking(operation, number, arguments, named)
        except Unsupported as error:
            privacy.end(b"U", str(error))

    def ask(self, message: list[Json], objects: list[Any]) -> Any:
        """As ``Peer.ask``, but the end of the solution is the end of the tests."""
        return self._guarded(super().ask, message, objects)

    def request_later(
        self, operation: str, number: int, deliver: Callable[[Callable[[], Any]], object]
    ) -> None:
        """As ``Peer.request_later``, with the same exception."""
        super().request_later(operation, number, lambda answer: deliver(lambda: self._guarded(answer)))

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Broken as error:
            self.broken(error)
        except Closed:
            privacy.end(b"E", "the solution's process was ended")
        except MemoryError:
            privacy.end(b"M", "no memory for what the solution returned")

    def broken(self, error: Broken) -> NoReturn:
        """Whoever breaks the protocol has no right answer."""
        privacy.end(b"E", f"the solution's process broke the protocol: {error}")

    def other(self, message: list[Json]) -> NoReturn:
        """The solution has ended, or failed before the tests could call it."""
        if message[0] == "exit" and len(message) == 2 and type(message[1]) is int:
            status = message[1] & 0xFF
            if status == 0:
                privacy.end(b"", "", 0)
            privacy.end(b"E", f"the solution ended with exit status {status}", status)
        if message in (["failed", "A"], ["failed", "M"], ["failed", "E"]):
            # Its traceback is on standard error already.
            privacy.end(message[1].encode(), "")
        raise Broken("no answer")

    def control(self, message: list[Json]) -> None:
        """As ``other``, from the reading thread."""
        self._guarded(self.other, message)

    def surroundings(self, encoder: Encoder) -> Json:
        """Whether an event loop runs here, and the streams and functions that the tests have replaced."""
        replaced = []
        for (place, name), original in zip(_SURROUNDINGS, self._original, strict=True):
            value = getattr(place, name)
            replaced.append(None if value is original else encoder.encode(value))
        loop = running()
        if loop:
            self.loops.adopt()
        return [loop, *replaced] if loop or any(part is not None for part in replaced) else None

    def perform(
        self,
        operation: str,
        target: Any,
        arguments: list[Any],
        named: dict[str, Any],
        around: Json,
        decoder: Decoder,
    ) -> Any:
        """Do what is asked, with as many frames as a function of the tests has without us."""
        with frames.allowing(_BETWEEN):
            return self.operations[operation](target, *arguments, **named)

    def failed(self, error: BaseException) -> None:
        """A failed assertion of the tests stays one, even if the solution catches it."""
        if isinstance(error, AssertionError):
            self.failures[id(error)] = error

    def came_back(self, error: BaseException) -> None:
        """What the solution has let through is for the tests to judge."""
        self.failures.pop(id(error), None)

    def resolve(self, data: list[Json]) -> Any:
        """As ``Peer.resolve``; what a method gives is not what the tests have made, be it the same object."""
        value = super().resolve(data)
        if isinstance(value, Proxy):
            object.__setattr__(value, "_flextune_built", False)
        return value

    def kind(self, value: Any) -> tuple[str, str, Json]:
        """What the solution may use of an object of the tests."""
        if isinstance(value, _FUNCTIONS):
            documentation = getattr(value, "__doc__", None)
            return "callable", name_of(value), documentation if type(documentation) is str else None
        if inspect.isawaitable(value):
            return "awaitable", name_of(value), None
        module = getattr(type(value), "__module__", "")
        if type(value) is object or module in _PASSED:
            return "object", type(value).__name__, None
        if hasattr(type(value), "__next__"):
            return "iterator", name_of(value), None
        if callable(value):
            return "callable", name_of(value), None
        kind = name_of(type(value))
        raise Unsupported(f"strict mode cannot pass an object of type {kind} from the tests to the solution")

    def stand_in(self, number: int, kind: str, name: str, more: Json) -> Any:
        """A stand-in for an object of the solution."""
        if kind == "exception" and more in EXCEPTIONS:
            return named(name, more)
        if kind == "value":
            value = Decoder(_no_reference).decode(more)
            if type(value) in (int, float, str, bytes):
                return immutable(self, number, name, value)
        if kind == "generator":
            return relay(Proxy(self, number))
        if kind == "awaitable":
            return self.loops.awaited(number)
        if kind == "coroutine function":
            return coroutine_function(Callee(self, number), name, more)
        if kind == "class":
            return kind_of(Callee, "type")(self, number, asked_for=name in self.classes)
        if kind == "callable" and type(more) is str:
            return kind_of(Callee, name)(self, number, more)
        if kind == "object" and type(more) is str:
            return kind_of(Proxy, name)(self, number, more)
        raise Broken("no kind of object")


def _later(begin: Callable[..., None]) -> NoReturn:
    raise Later(begin)


def _no_reference(value: Any) -> NoReturn:
    raise Broken("no reference is allowed here")
