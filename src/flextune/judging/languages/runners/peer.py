"""One end of the conversations between the tests' process and the solution's: calls, answers, references.

Both ends may ask at any time, from any thread. What a thread asks, and all that is asked back while it
waits, is one conversation: who has asked serves what the other asks until the answer comes, so that a
function of the tests runs in the very thread that called the solution. What another thread of the solution
asks (a timer, a pool) is a conversation of its own, which a thread of its own serves here.

- ``["do", n, operation, number, arguments, [name, value, ...], contents, surroundings]`` asks something of
  the receiver's object ``number``; ``n`` counts the sender's requests;
- ``["ok", n, [number, contents, ...], contents, value]`` answers, with the arguments that the call changed;
- ``["raise", n, [number, contents, ...], contents, exception, token]`` answers with an exception (see
  ``raising``), which has that token if it ever comes back.

References: ``["h", number, kind, name, more]`` is an object of the sender, ``["o", number]`` one of the
receiver, ``["X", exception, token]`` an exception as a value.
"""

from __future__ import annotations

import _thread
import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners.channel import Channel, Closed
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.raising import Raising
    from flextune.judging.languages.runners.values import Decoder, Encoder, Json, pack, unpack
else:
    from channel import Channel, Closed
    from plain import Broken
    from raising import Raising
    from values import Decoder, Encoder, pack, unpack


class Later(Exception):
    """Raised by an operation whose answer comes later: ``begin`` gets what sends it."""

    def __init__(self, begin: Callable[[Callable[[Callable[[], Any]], None]], None]) -> None:
        super().__init__()
        self.begin = begin


class Peer:
    """What both ends do alike; ``operations`` and the kinds of references are what differs.

    Args:
        channel: How the other end is reached.
        letter: With which the names of this end's conversations begin.
    """

    #: What the other end may ask of this end's objects.
    operations: Mapping[str, Callable[..., Any]]
    #: Whether coroutines of this end run in whatever loop awaited something last.
    follows_loops = False

    def __init__(self, channel: Channel, letter: str) -> None:
        self.channel = channel
        #: Classes that both ends have, by name.
        self.shared: dict[str, type] = {}
        #: Objects that the other end has a reference to, and the kind it was told.
        self.own: list[tuple[Any, str]] = []
        self._own_numbers: dict[int, int] = {}
        #: Stand-ins for the other end's objects by number, and the number of each.
        self.foreign: dict[int, Any] = {}
        self._foreign_numbers: dict[int, int] = {}
        self.raising = Raising(lambda kind: self._own_numbers.get(id(kind)), self.foreign.get, self.shared)
        self._letter, self._process = letter, os.getpid()
        self._requests, self._begun = itertools.count(1), itertools.count(1)
        self._here, self._numbering = threading.local(), threading.RLock()
        #: Conversations to be served, and threads that wait for one.
        self._backlog, self._idle = SimpleQueue[str](), 0

    @contextlib.contextmanager
    def taking_part(self, conversation: str) -> Iterator[None]:
        """Let what this thread asks belong to ``conversation``."""
        before = getattr(self._here, "conversation", None)
        self.channel.join(conversation)
        self._here.conversation = conversation
        try:
            yield
        finally:
            if before != conversation:
                self.channel.leave(conversation)
                self._here.conversation = before

    def begin(self, conversation: str) -> None:
        """Serve, in a thread of its own, the one request that ``conversation`` is about."""
        self._backlog.put(conversation)
        with self._numbering:
            if self._idle:
                self._idle -= 1
                return
            # Where no more threads are to be had, those that are there take one after another.
            with contextlib.suppress(RuntimeError):
                _thread.start_new_thread(self._serve_all, ())

    def _serve_all(self) -> None:
        while True:
            self._serve_once(self._backlog.get())
            with self._numbering:
                self._idle += 1

    def _serve_once(self, conversation: str) -> None:
        with contextlib.suppress(Closed), self.taking_part(conversation):
            try:
                self.serve(self.channel.receive(conversation))
            except Broken as error:
                self.broken(error)

    def request(
        self,
        operation: str,
        number: int,
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
        /,
    ) -> Any:
        """What the other end's object ``number`` answers.

        Raises:
            BaseException: What the operation raised there.
        """
        message, encoder = self.asking(operation, number, arguments, named)
        return self.ask(message, encoder.objects)

    def request_later(
        self, operation: str, number: int, deliver: Callable[[Callable[[], Any]], object]
    ) -> None:
        """As ``request``, but without waiting: ``deliver`` gets, in another thread, what gives the answer."""
        message, encoder = self.asking(operation, number, (), None)
        conversation = f"{self._letter}{next(self._begun)}"

        def arrived(data: bytes | BaseException) -> None:
            def answer() -> Any:
                if isinstance(data, BaseException):
                    raise data
                reply = unpack(data)
                if not self.answers(reply, message[1]):
                    raise Broken("no answer")
                return self.decoded(reply, encoder.objects)

            self.channel.leave(conversation)
            deliver(answer)

        self.channel.expect(conversation, arrived)
        with contextlib.suppress(Closed):
            self.channel.send(conversation, message)

    def asking(
        self, operation: str, number: int, arguments: tuple[Any, ...], named: Mapping[str, Any] | None
    ) -> tuple[list[Json], Encoder]:
        """The message of a request, and what has numbers in it."""
        if os.getpid() != self._process:
            raise RuntimeError("what the tests gave the solution works only in the process that got it")
        encoder = self.encoder()
        given = [encoder.encode(value) for value in arguments]
        names = [part for name, value in (named or {}).items() for part in (name, encoder.encode(value))]
        around = self.surroundings(encoder)
        asked = ["do", next(self._requests), operation, number, given, names, encoder.contents(), around]
        return asked, encoder

    def ask(self, message: list[Json], objects: list[Any]) -> Any:
        """Send a request that mentions ``objects``, and serve what is asked until the answer comes."""
        conversation = getattr(self._here, "conversation", None)
        if conversation is None:
            conversation = f"{self._letter}{next(self._begun)}"
            with self.taking_part(conversation):
                return self._asked_in(conversation, message, objects)
        return self._asked_in(conversation, message, objects)

    def _asked_in(self, conversation: str, message: list[Json], objects: list[Any]) -> Any:
        # Who is gone may have left a last word.
        with contextlib.suppress(Closed):
            self.channel.send(conversation, message)
        while True:
            answer = self.channel.receive(conversation)
            if answer[0] == "do":
                self.serve(answer)
            elif self.answers(answer, message[1]):
                return self.decoded(answer, objects)

    def answers(self, answer: list[Json], number: int) -> bool:
        """Whether a message answers request ``number``; what answers an earlier one comes too late.

        Raises:
            Broken: If it answers nothing.
        """
        sizes = {"ok": 5, "raise": 6}
        if sizes.get(answer[0]) != len(answer) or type(answer[1]) is not int or answer[1] > number:
            raise Broken("no answer")
        return answer[1] == number

    def decoded(self, answer: list[Json], objects: list[Any]) -> Any:
        """The value of an answer to a request that mentioned ``objects``, or the exception, raised."""
        decoder = Decoder(self.resolve, objects, self.shared)
        decoder.load(answer[3])
        decoder.update(answer[2])
        if answer[0] == "ok":
            return decoder.decode(answer[4])
        error = self.raising.exception(answer[4])
        self.raising.arrived(error, answer[5])
        self.came_back(error)
        raise error

    def serve(self, message: list[Json]) -> None:
        """Do what is asked and send the answer."""
        decoder = Decoder(self.resolve, shared=self.shared)
        target, arguments, named = self._taken(message, decoder)
        conversation = self._here.conversation
        # Only mutable arguments can be changed by the call.
        mentioned = list(decoder.objects)
        before = self._contents(self.encoder(mentioned), mentioned)

        def answer(action: Callable[[], Any]) -> None:
            message_of = self._answer(message[1], mentioned, before)
            try:
                reply = message_of(action())
            except (Broken, Closed, Later):
                raise
            except BaseException as error:
                self.failed(error)
                reply = self._refusal(message[1], mentioned, before, error)
            with contextlib.suppress(Closed):
                self.channel.send(conversation, reply)

        def act() -> Any:
            return self.perform(message[2], target, arguments, named, message[7], decoder)

        try:
            answer(act)
        except Later as later:
            later.begin(answer)

    def _answer(self, number: int, objects: list[Any], before: list[bytes]) -> Callable[[Any], list[Json]]:
        def message(value: Any) -> list[Json]:
            encoder = self.encoder(objects)
            changed = self._changes(encoder, objects, before)
            encoded = encoder.encode(value)
            reply = ["ok", number, changed, encoder.contents(), encoded]
            # Too large or too deep is found here, where an exception can still be the answer.
            pack(reply)
            return reply

        return message

    def _refusal(
        self, number: int, objects: list[Any], before: list[bytes], error: BaseException
    ) -> list[Json]:
        token = self.raising.tell(error)
        described = self.raising.describe(error)
        try:
            encoder = self.encoder(objects)
            changed = self._changes(encoder, objects, before)
            reply = ["raise", number, changed, encoder.contents(), described, token]
            pack(reply)
        except (ValueError, TypeError, RecursionError):
            reply = ["raise", number, [], [], described, token]
        return reply

    def _changes(self, encoder: Encoder, objects: list[Any], before: list[bytes]) -> list[Json]:
        changed: list[Json] = []
        for number, value in enumerate(objects):
            content = encoder.content(value)
            if pack(["", content]) != before[number]:
                changed += [number, content]
        return changed

    def _contents(self, encoder: Encoder, objects: list[Any]) -> list[bytes]:
        return [pack(["", encoder.content(value)]) for value in objects]

    def _taken(self, message: list[Json], decoder: Decoder) -> tuple[Any, list[Any], dict[str, Any]]:
        try:
            _, request, operation, number, given, names, contents, _ = message
            target, kind = self.own[number]
            known = type(number) is int and number >= 0 and self.allowed(operation, kind)
            fits = type(given) is type(names) is list and type(request) is int
            fits = fits and all(type(name) is str for name in names[::2])
        except (TypeError, ValueError, LookupError):
            known = fits = False
        if not known or not fits:
            raise Broken("no request")
        decoder.load(contents)
        arguments = [decoder.decode(value) for value in given]
        values = [decoder.decode(value) for value in names[1::2]]
        return target, arguments, dict(zip(names[::2], values, strict=False))

    def encoder(self, objects: list[Any] | None = None) -> Encoder:
        """For one message, in which ``objects`` have numbers already."""
        return Encoder(self.expose, objects or (), self.shared)

    def resolve(self, data: list[Json]) -> Any:
        """The object behind a reference."""
        if data[0] == "o" and len(data) == 2:
            return self.own[_number(data[1])][0]
        if data[0] == "X" and len(data) == 3:
            error = self.raising.exception(data[1])
            self.raising.arrived(error, data[2])
            return error
        if data[0] == "h" and len(data) == 5 and type(data[2]) is type(data[3]) is str:
            number = _number(data[1])
            if number not in self.foreign:
                self._adopt(number, self.stand_in(number, data[2], data[3], data[4]))
            return self.foreign[number]
        raise Broken("unknown tag")

    def _adopt(self, number: int, value: Any) -> None:
        self.foreign[number] = value
        self._foreign_numbers[id(value)] = number

    def expose(self, value: Any) -> Json:
        """A reference to ``value``.

        Raises:
            TypeError: If the other end may not have one.
        """
        if (number := self._foreign_numbers.get(id(value))) is not None:
            return ["o", number]
        if isinstance(value, BaseException):
            return ["X", self.raising.describe(value), self.raising.tell(value)]
        kind, name, more = self.kind(value)
        with self._numbering:
            if (number := self._own_numbers.get(id(value))) is None:
                number = self._own_numbers[id(value)] = len(self.own)
                self.own.append((value, kind))
        return ["h", number, kind, name, more]

    def perform(
        self,
        operation: str,
        target: Any,
        arguments: list[Any],
        named: dict[str, Any],
        around: Json,
        decoder: Decoder,
    ) -> Any:
        """Do what is asked."""
        return self.operations[operation](target, *arguments, **named)

    def surroundings(self, encoder: Encoder) -> Json:
        """What the other end must know of where a request is made."""
        return None

    def failed(self, error: BaseException) -> None:
        """Told of an exception before the other end is."""

    def came_back(self, error: BaseException) -> None:
        """Told of an exception that the other end has raised, before it is raised here."""

    def broken(self, error: Broken) -> None:
        """Told of a request that is none."""

    def allowed(self, operation: str, kind: str) -> bool:
        """Whether the other end may ask ``operation`` of an object of this kind."""
        return operation in self.operations

    def kind(self, value: Any) -> tuple[str, str, Json]:
        """Kind and name of an object of this end, and what else its stand-in is made of."""
        raise NotImplementedError

    def stand_in(self, number: int, kind: str, name: str, more: Json) -> Any:
        """What this end has for an object of the other."""
        raise NotImplementedError

    def other(self, message: list[Json]) -> NoReturn:
        """Act on a message that belongs to no conversation."""
        raise Broken("no answer")


def name_of(value: Any) -> str:
    """What a function or the type of an object is called."""
    name = getattr(value, "__name__", None) or type(value).__name__
    return name if type(name) is str else "?"


def _number(value: Json) -> int:
    if type(value) is not int or value < 0:
        raise Broken("no number of an object")
    return value
