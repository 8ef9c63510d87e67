"""One end of the conversation between the tests' process and the solution's: calls, answers, references.

A message is four bytes of length and JSON. The ends take turns: who has asked serves what the other asks
until the answer comes.

- ``["do", operation, number, arguments, [name, value, ...]]`` asks something of the receiver's object;
- ``["ok", [number, contents, ...], value]`` answers, with the arguments if the call has changed one;
- ``["raise", types, arguments]`` answers with an exception, its most special type first.

References: ``["h", number, kind, name]`` is an object of the sender, ``["o", number]`` one of the receiver.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners.channel import Channel, Closed
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.values import Decoder, Encoder, Json, pack
else:
    from channel import Channel, Closed
    from plain import Broken
    from values import Decoder, Encoder, pack

#: Characters of an exception's argument.
_TEXT = 10_000
#: Exceptions that are raised anew by their name; SystemExit ends a process and is no answer.
EXCEPTIONS: Mapping[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind is not SystemExit
}


class Peer:
    """What both ends do alike; ``operations`` and the kinds of references are what differs.

    Args:
        channel: How the other end is reached.
    """

    #: What the other end may ask of this end's objects.
    operations: Mapping[str, Callable[..., Any]]

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        #: Objects that the other end has a reference to, and the kind it was told.
        self.own: list[tuple[Any, str]] = []
        self._own_numbers: dict[int, int] = {}
        #: Stand-ins for the other end's objects by number, and the number of each.
        self.foreign: dict[int, Any] = {}
        self._foreign_numbers: dict[int, int] = {}

    def request(self, operation: str, number: int, *arguments: Any, **named: Any) -> Any:
        """What the other end's object ``number`` answers.

        Raises:
            BaseException: What the operation raised there.
        """
        encoder = Encoder(self.expose)
        given = [encoder.encode(value) for value in arguments]
        names = [part for name, value in named.items() for part in (name, encoder.encode(value))]
        return self.ask(["do", operation, number, given, names], encoder.objects)

    def ask(self, message: list[Json], objects: Iterable[Any] = ()) -> Any:
        """Send a request that mentions ``objects``, and serve what is asked until the answer comes."""
        # Who is gone may have left a last word.
        with contextlib.suppress(Closed):
            self.channel.send(message)
        while True:
            message = self.channel.receive()
            if message[0] == "do":
                self.serve(message)
            elif message[0] == "ok" and len(message) == 3:
                return self._decoded(message, objects)
            elif message[0] == "raise" and len(message) == 3:
                raise self.exception(message[1], message[2])
            else:
                self.other(message)

    def _decoded(self, message: list[Json], objects: Iterable[Any]) -> Any:
        decoder = Decoder(self.resolve, objects)
        changed = message[1]
        if type(changed) is not list or len(changed) % 2:
            raise Broken("no list of changes")
        for number, contents in zip(changed[::2], changed[1::2], strict=True):
            decoder.update(number, contents)
        return decoder.decode(message[2])

    def serve(self, message: list[Json]) -> None:
        """Do what is asked and send the answer."""
        decoder = Decoder(self.resolve)
        target, arguments, named = self._asked(message, decoder)
        operation = self.operations[message[1]]
        try:
            # Only mutable arguments can be changed by the call.
            before = self._snapshot(arguments, named) if decoder.objects else None
            value = operation(target, *arguments, **named)
            encoder, changed = Encoder(self.expose, decoder.objects), []
            if before is not None and before != self._snapshot(arguments, named):
                for number, changeable in enumerate(decoder.objects):
                    changed += [number, encoder.contents(changeable)]
            self.channel.send(["ok", changed, encoder.encode(value)])
        except (Broken, Closed):
            raise
        except BaseException as error:
            self.failed(error)
            self.channel.send(self.raised(error))

    def _asked(self, message: list[Json], decoder: Decoder) -> tuple[Any, list[Any], dict[str, Any]]:
        try:
            _, operation, number, given, names = message
            target, kind = self.own[number]
            known = type(number) is int and number >= 0 and self.allowed(operation, kind)
            fits = type(given) is type(names) is list and all(type(name) is str for name in names[::2])
        except (TypeError, ValueError, LookupError):
            known = fits = False
        if not known or not fits:
            raise Broken("no request")
        arguments = [decoder.decode(value) for value in given]
        values = [decoder.decode(value) for value in names[1::2]]
        return target, arguments, dict(zip(names[::2], values, strict=False))

    def _snapshot(self, arguments: list[Any], named: dict[str, Any]) -> bytes:
        encoder = Encoder(self.expose)
        return pack([encoder.encode(value) for value in (*arguments, *named.values())])

    def raised(self, error: BaseException) -> Json:
        """The message that an exception was raised here."""
        types: list[Json] = []
        for kind in type(error).__mro__:
            if EXCEPTIONS.get(kind.__name__) is kind:
                types.append(kind.__name__)
            elif (number := self._own_numbers.get(id(kind))) is not None:
                types.append(number)
        return ["raise", types, [_plain(argument) for argument in error.args[:8]]]

    def exception(self, types: Json, arguments: Json) -> BaseException:
        """The exception that the other end says was raised there."""
        if type(types) is not list or type(arguments) is not list:
            raise Broken("no exception")
        given = [Decoder(_no_reference).decode(argument) for argument in arguments]
        for name in types:
            kind = EXCEPTIONS.get(name) if type(name) is str else self.foreign.get(_number(name))
            if isinstance(kind, type) and issubclass(kind, BaseException):
                try:
                    return kind(*given)
                except Exception:
                    # Some want arguments of certain types.
                    break
        return Exception(*given)

    def resolve(self, data: list[Json]) -> Any:
        """The object behind a reference."""
        if data[0] == "o" and len(data) == 2:
            return self.own[_number(data[1])][0]
        if data[0] == "h" and len(data) >= 4 and all(type(part) is str for part in data[2:]):
            number = _number(data[1])
            if number not in self.foreign:
                self.adopt(number, self.stand_in(number, *data[2:]))
            return self.foreign[number]
        raise Broken("unknown tag")

    def adopt(self, number: int, value: Any) -> None:
        """Remember ``value`` as the stand-in for the other end's object ``number``."""
        self.foreign[number] = value
        self._foreign_numbers[id(value)] = number

    def expose(self, value: Any) -> Json:
        """A reference to ``value``.

        Raises:
            TypeError: If the other end may not have one.
        """
        if (number := self._foreign_numbers.get(id(value))) is not None:
            return ["o", number]
        kind, *more = self.kind(value)
        if (number := self._own_numbers.get(id(value))) is None:
            number = self._own_numbers[id(value)] = len(self.own)
            self.own.append((value, kind))
        return ["h", number, kind, *more]

    def failed(self, error: BaseException) -> None:
        """Told of an exception before the other end is."""

    def allowed(self, operation: str, kind: str) -> bool:
        """Whether the other end may ask ``operation`` of an object of this kind."""
        return operation in self.operations

    def kind(self, value: Any) -> tuple[str, ...]:
        """Kind and name of an object of this end, and of an exception type the built-in one below it."""
        raise NotImplementedError

    def stand_in(self, number: int, kind: str, name: str, base: str = "") -> Any:
        """What this end has for an object of the other."""
        raise NotImplementedError

    def other(self, message: list[Json]) -> NoReturn:
        """Act on a message that is no answer."""
        raise Broken("no answer")


def show(error: BaseException) -> None:
    """Print a traceback without the frames of this folder's files."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    for frame in reversed(frames):
        if not frame.tb_frame.f_code.co_filename.startswith(_HERE):
            trace = TracebackType(trace, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    sys.__excepthook__(type(error), error.with_traceback(trace), trace)


_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def name_of(value: Any) -> str:
    """What a function or the type of an object is called."""
    name = getattr(value, "__name__", None) or type(value).__name__
    return name if type(name) is str else "?"


def _plain(value: Any) -> Json:
    """An exception's argument: text, unless it is a simple value."""
    try:
        simple = type(value) in (bool, int, float, type(None))
        return Encoder(_no_reference).encode(value if simple else str(value)[:_TEXT])
    except Exception:
        return "?"


def _no_reference(value: Any) -> NoReturn:
    raise Broken("no reference is allowed here")


def _number(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise Broken("no number of an object")
    return value
