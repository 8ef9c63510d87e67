"""Exceptions between the two processes: by name, argument, cause and, on the way back, by identity.

``[types, arguments, text, attributes, cause, number]``: the names of an exception's types, the most special
one first (a number is a class that the other end knows as an object, ``@name`` one of the prompt, ``~name``
one that it does not know), its arguments, what ``str`` makes of it, its attributes, what it was raised from,
and its number where the other end raised it.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.values import Decoder, Encoder, Json
else:
    from plain import Broken
    from values import Decoder, Encoder

#: Characters of an exception's argument.
_TEXT = 10_000
#: Parts of an exception, and causes of causes.
_PARTS, _CAUSES = 8, 4
#: Exceptions that are raised again by their name; SystemExit ends a process and is no answer.
EXCEPTIONS: Mapping[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind is not SystemExit
}


class Raising:
    """Exceptions of one end.

    Args:
        number_of: The number under which the other end knows a class, None where it does not.
        class_of: The class that the other end has under a number.
        shared: Classes of the prompt, by name.
    """

    def __init__(
        self,
        number_of: Callable[[type], int | None],
        class_of: Callable[[int], Any],
        shared: Mapping[str, type],
    ) -> None:
        self._number_of, self._class_of, self._shared = number_of, class_of, shared
        #: Exceptions that were raised here and told the other end, by number.
        self.told: list[BaseException] = []
        self._numbers: dict[int, int] = {}
        #: An identity holds as long as its object lives.
        self._kept: list[BaseException] = []
        #: Classes of the other end that only their exceptions tell of, by name and built-in base.
        self._unknown: dict[tuple[str, str], type[BaseException]] = {}

    def describe(self, error: BaseException, depth: int = 0) -> Json:
        """An exception that is about to leave this end."""
        types: list[Json] = []
        for kind in type(error).__mro__:
            if EXCEPTIONS.get(kind.__name__) is kind:
                types.append(kind.__name__)
            elif (number := self._number_of(kind)) is not None:
                types.append(number)
            elif self._shared.get(kind.__name__) is kind:
                types.append(f"@{kind.__name__}")
            elif issubclass(kind, BaseException):
                types.append(f"~{kind.__name__}")
        cause = error.__cause__
        return [
            types,
            [_plain(argument) for argument in error.args[:_PARTS]],
            _text(error),
            _attributes(error),
            None if cause is None or depth == _CAUSES else self.describe(cause, depth + 1),
            self._numbers.get(id(error), -1),
        ]

    def tell(self, error: BaseException) -> int:
        """The number under which ``error`` of this end comes back."""
        self.told.append(error)
        return len(self.told) - 1

    def arrived(self, error: BaseException, number: Json) -> None:
        """Remember that ``error`` stands for the other end's exception of that number."""
        if type(number) is int and number >= 0:
            self._numbers[id(error)] = number
            self._kept.append(error)

    def exception(self, data: Json, depth: int = 0) -> BaseException:
        """The exception of a description; what the other end had from this end is the same again.

        Raises:
            Broken: If it is no description.
        """
        if type(data) is not list or len(data) != 6:
            raise Broken("no exception")
        types, arguments, text, attributes, cause, number = data
        if any(type(part) is not list for part in (types, arguments, attributes)) or type(text) is not str:
            raise Broken("no exception")
        if type(number) is int and 0 <= number < len(self.told):
            return self.told[number]
        error = self._made(types, arguments)
        values = [_decoded(value) for value in attributes]
        for name, value in zip(values[::2], values[1::2], strict=False):
            if type(name) is str and not name.startswith("_"):
                _set(error, name, value)
        if "_flextune_text" in vars(type(error)):
            _set(error, "_flextune_text", text)
        if cause is not None and depth < _CAUSES:
            error.__cause__ = self.exception(cause, depth + 1)
        return error

    def _made(self, types: list[Json], arguments: list[Json]) -> BaseException:
        given = [_decoded(argument) for argument in arguments]
        unknown = ""
        for name in types:
            kind: Any = None
            if type(name) is int and name >= 0:
                kind = self._class_of(name)
            elif type(name) is str and name[:1] == "~":
                unknown = unknown or name[1:]
            elif type(name) is str:
                kind = self._shared.get(name[1:]) if name[:1] == "@" else EXCEPTIONS.get(name)
                if unknown and name in EXCEPTIONS:
                    kind = self._unknown.setdefault((unknown, name), named(unknown, name))
            if not isinstance(kind, type) or not issubclass(kind, BaseException):
                continue
            try:
                error = kind(*given)
            except Exception:
                if kind.__module__ == "builtins":
                    # Some want arguments of certain types.
                    break
                # Its own way of being made wants others; what it has are these.
                error = kind.__new__(kind)
                error.args = tuple(given)
            return error
        return Exception(*given)


def named(name: str, base: str) -> type[BaseException]:
    """A stand-in for an exception class of the other end."""
    body = {"__module__": "__main__", "_flextune_text": "", "__str__": lambda self: self._flextune_text}
    return type(name, (EXCEPTIONS[base],), body)


def _set(error: BaseException, name: str, value: Any) -> None:
    try:
        setattr(error, name, value)
    except (AttributeError, TypeError, ValueError):
        # Read-only, and so not the solution's.
        return


def _attributes(error: BaseException) -> list[Json]:
    pairs: list[Json] = []
    for name, value in list(vars(error).items())[:_PARTS]:
        if type(name) is str and not name.startswith("_"):
            pairs += [_plain(name), _plain(value)]
    return pairs


def _text(error: BaseException) -> str:
    try:
        text = str(error)
        return text[:_TEXT] if type(text) is str else ""
    except Exception:
        return ""


def _plain(value: Any) -> Json:
    """A part of an exception, with the contents of its objects: itself if it is data, or else its text."""
    try:
        encoder = Encoder(_no_reference)
        return [encoder.encode(value), encoder.contents()]
    except Exception:
        try:
            return [Encoder(_no_reference).encode(str(value)[:_TEXT]), []]
        except Exception:
            return ["?", []]


def _decoded(data: Json) -> Any:
    if type(data) is not list or len(data) != 2:
        raise Broken("no part of an exception")
    decoder = Decoder(_no_reference)
    decoder.load(data[1])
    return decoder.decode(data[0])


def _no_reference(value: Any) -> NoReturn:
    raise Broken("no reference is allowed here")


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
