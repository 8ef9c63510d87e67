"""One end of the conversation between the tests' process and the solution's: calls, answers, references.

A message is four bytes of length and JSON. Both ends take turns: who has asked serves what the other asks until the
answer comes.

- ``["do", operation, number, arguments, [name, value, ...]]`` asks something of the receiver's object ``number``;
- ``["ok", [number, contents, ...], value]`` answers, with the arguments that the call has changed;
- ``["raise", types, arguments]`` answers with an exception, its most special type first.

References: ``["h", number, kind, name]`` is an object of the sender's, ``["o", number]`` one of the receiver's.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners.values import Broken, Decoder, Encoder, Json, pack, unpack
    from flextune.judging.languages.runners.values import MAX_BYTES as MAX_BYTES
else:
    from values import MAX_BYTES, Broken, Decoder, Encoder, pack, unpack

#: Exceptions that are raised anew by their name; SystemExit ends a process and is no answer.
EXCEPTIONS: Mapping[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind is not SystemExit
}


class Closed(Exception):
    """The other process is gone."""


class Channel:
    """Messages over two pipes.

    Args:
        reads: Descriptor from which the other side is heard.
        writes: Descriptor on which it is told.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes

    def send(self, message: Json) -> None:
        """Send one message.

        Raises:
            ValueError: If it is too large; nothing was sent.
            Closed: If nobody reads it.
        """
        data = pack(message)
        rest = memoryview(len(data).to_bytes(4, "big") + data)
        try:
            while rest:
                rest = rest[os.write(self._writes, rest) :]
        except BrokenPipeError:
            raise Closed from None

    def receive(self) -> list[Json]:
        """The next message.

        Raises:
            Closed: If none comes any more.
            Broken: If what came is none.
        """
        size = int.from_bytes(self._exactly(4), "big")
        if size > MAX_BYTES:
            raise Broken(f"a message of {size} bytes")
        return unpack(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = os.read(self._reads, min(size - len(data), 1 << 20))
            if not part:
                raise Closed
            data += part
        return bytes(data)


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
        self.channel.send(["do", operation, number, given, names])
        return self.answer(encoder.objects)

    def answer(self, objects: Iterable[Any] = ()) -> Any:
        """Wait for the answer to a request that named ``objects``, and serve what is asked meanwhile."""
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
            value = operation(target, *arguments, **named)
            encoder = Encoder(self.expose, decoder.objects)
            changed = self._changes(message, arguments, named, encoder) if decoder.objects else []
            answer = ["ok", changed, encoder.encode(value)]
            self.channel.send(answer)
        except (Broken, Closed):
            raise
        except BaseException as error:
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

    def _changes(
        self, message: list[Json], arguments: list[Any], named: dict[str, Any], encoder: Encoder
    ) -> list[Json]:
        """The contents of the objects that came as arguments, if any of them is not as it came."""
        fresh = Encoder(self.expose)
        now = [fresh.encode(value) for value in arguments]
        names = [part for name, value in named.items() for part in (name, fresh.encode(value))]
        if pack([now, names]) == pack(message[3:]):
            return []
        count = len(encoder.objects)
        return [part for number in range(count) for part in (number, encoder.contents(encoder.objects[number]))]

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
                except TypeError:
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

    def allowed(self, operation: str, kind: str) -> bool:
        """Whether the other end may ask ``operation`` of an object of this kind."""
        return operation in self.operations

    def kind(self, value: Any) -> tuple[str, ...]:
        """Kind and name of an object of this end, and for exception types the built-in one it derives from."""
        raise NotImplementedError

    def stand_in(self, number: int, kind: str, name: str, base: str = "") -> Any:
        """What this end has for an object of the other."""
        raise NotImplementedError

    def other(self, message: list[Json]) -> NoReturn:
        """Act on a message that is no answer."""
        raise Broken("no answer")


def name_of(value: Any) -> str:
    """What a function or the type of an object is called."""
    name = getattr(value, "__name__", None) or type(value).__name__
    return name if type(name) is str else "?"


def _plain(value: Any) -> Json:
    """An exception's argument: text, unless it is a simple value."""
    try:
        return Encoder(_no_reference).encode(value if type(value) in (bool, int, float, type(None)) else str(value))
    except Exception:
        return "?"


def _no_reference(value: Any) -> NoReturn:
    raise Broken("no reference is allowed here")


def _number(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise Broken("no number of an object")
    return value
