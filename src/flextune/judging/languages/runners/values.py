"""Values of a Python program as JSON and back, between the two processes of a strictly judged program.

Only exact built-in types travel as data, so that what arrives behaves as the receiver's own types do, and not
as the sender likes. All else is for the callables ``expose`` and ``resolve``, which make a reference of it.

``null``, booleans, text, floats and small integers are themselves; the rest are arrays that begin with a tag:

====== ========================================== ====== ==========================================
``l``  list: items                                ``t``  tuple: items
``s``  set: items                                 ``z``  frozenset: items
``d``  dict: key, value, key, ...                 ``O``  OrderedDict: likewise
``C``  Counter: likewise                          ``D``  defaultdict: factory, key, value, ...
``q``  deque: maximal length, items               ``N``  namedtuple: type's name, fields, items
``i``  large integer in hexadecimal               ``x``  complex: real, imaginary
``b``  bytes as Latin-1                           ``B``  bytearray, likewise
``r``  range: start, stop, step                   ``n``  Decimal as text
``R``  Fraction: numerator, denominator           ``T``  a built-in type, or ``...``
``a``  date    ``c``  time    ``e``  datetime     ``f``  timedelta: days, seconds, microseconds
``&``  the mutable object with this number        ``h``, ``o``  references, see ``peer``
====== ========================================== ====== ==========================================

Mutable objects are numbered in the order in which they begin. A second mention is a ``&``, so that sharing
(and a list that contains itself) survives; an answer goes on with the numbers of its request.
"""

from __future__ import annotations

import collections
import datetime
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.plain import (
        READ,
        SHARED_NAMES,
        SMALL,
        UNKNOWN,
        WRITE,
        Broken,
        is_namedtuple,
        moment,
        namedtuple,
        offset,
    )
else:
    from plain import (
        READ,
        SHARED_NAMES,
        SMALL,
        UNKNOWN,
        WRITE,
        Broken,
        is_namedtuple,
        moment,
        namedtuple,
        offset,
    )

Json = Any

#: Bytes of one message, both ways.
MAX_BYTES = 64 * 1024**2
MAX_DEPTH = 100
_SCALARS = {type(None), bool, int, float, str}
#: Tag of every mutable type, and where its contents begin.
_MUTABLE: dict[type, tuple[str, int]] = {
    list: ("l", 1), set: ("s", 1), dict: ("d", 1), collections.OrderedDict: ("O", 1),
    collections.Counter: ("C", 1), collections.defaultdict: ("D", 2), collections.deque: ("q", 2),
    bytearray: ("B", 1),
}  # fmt: skip


def pack(message: Json) -> bytes:
    """A message as bytes.

    Raises:
        ValueError: If it is too large.
    """
    text = json.dumps(message, ensure_ascii=False, check_circular=False, separators=(",", ":"))
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise ValueError(f"a value of {len(data)} bytes is too large to be passed between solution and tests")
    return data


def unpack(data: bytes) -> list[Json]:
    """A message from bytes.

    Raises:
        Broken: If it is none.
    """
    try:
        message = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Broken(f"no JSON ({type(error).__name__})") from None
    if type(message) is not list or not message or type(message[0]) is not str:
        raise Broken("no message")
    return message


class Encoder:
    """Values to JSON; one for each message.

    Args:
        expose: Makes a reference of what cannot travel; it may raise TypeError.
        objects: The mutable objects that have a number already.
    """

    def __init__(self, expose: Callable[[Any], Json], objects: Iterable[Any] = ()) -> None:
        self._expose = expose
        self.objects = list(objects)
        self._numbers = {id(value): number for number, value in enumerate(self.objects)}

    def encode(self, value: Any, depth: int = 0) -> Json:
        """One value.

        Raises:
            ValueError: If it is nested too deeply.
            TypeError: If ``expose`` refuses a part of it.
        """
        kind = type(value)
        if kind in _SCALARS:
            return value if kind is not int or -SMALL < value < SMALL else ["i", hex(value)]
        if depth > MAX_DEPTH:
            raise ValueError("a value is nested too deeply to be passed between solution and tests")
        if kind in _MUTABLE:
            number = self._numbers.get(id(value))
            if number is not None:
                return ["&", number]
            self._numbers[id(value)] = len(self.objects)
            self.objects.append(value)
            return self.contents(value, depth)
        if kind is tuple:
            return ["t", *self._items(value, depth)]
        if kind is frozenset:
            return ["z", *self._items(value, depth)]
        if kind in WRITE:
            return WRITE[kind](value)
        if id(value) in SHARED_NAMES:
            return ["T", SHARED_NAMES[id(value)]]
        if is_namedtuple(kind):
            return ["N", kind.__name__, list(kind._fields), *self._items(value, depth)]
        if kind in (datetime.time, datetime.datetime):
            zone = offset(value)
            if zone is not UNKNOWN:
                return moment(value, zone)
        return self._expose(value)

    def contents(self, value: Any, depth: int = 0) -> Json:
        """A mutable object, whether it has a number or not."""
        kind = type(value)
        tag = _MUTABLE[kind][0]
        if kind is bytearray:
            return [tag, value.decode("latin-1")]
        if kind in (list, set):
            return [tag, *self._items(value, depth)]
        if kind is collections.deque:
            return [tag, value.maxlen, *self._items(value, depth)]
        head = [tag, self.encode(value.default_factory, depth + 1)] if tag == "D" else [tag]
        pairs = [part for pair in dict.items(value) for part in pair]
        return [*head, *self._items(pairs, depth)]

    def _items(self, values: Any, depth: int) -> list[Json]:
        kinds = set(map(type, values))
        if kinds <= _SCALARS:
            whole = [value for value in values if type(value) is int] if int in kinds else ()
            if not whole or (min(whole) > -SMALL and max(whole) < SMALL):
                return list(values)
        return [self.encode(value, depth + 1) for value in values]


class Decoder:
    """JSON to values; one for each message. Whatever it is given, it raises only ``Broken`` and MemoryError.

    Args:
        resolve: Makes a value of a reference.
        objects: The mutable objects that have a number already.
    """

    def __init__(self, resolve: Callable[[list[Json]], Any], objects: Iterable[Any] = ()) -> None:
        self._resolve = resolve
        self.objects = list(objects)

    def decode(self, data: Json) -> Any:
        """One value."""
        return self._guarded(self._decode, data, 0)

    def update(self, number: Json, data: Json) -> None:
        """Give the mutable object ``number`` the contents ``data``."""
        self._guarded(self._update, number, data)

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (Broken, MemoryError):
            raise
        except Exception as error:
            raise Broken(f"no value ({type(error).__name__})") from None

    def _update(self, number: Json, data: Json) -> None:
        target = self._numbered(number)
        if data[0] != _MUTABLE[type(target)][0]:
            raise Broken("an object cannot change its type")
        if type(target) is collections.defaultdict:
            target.default_factory = self._decode(data[1], 1)
        target.clear()
        self._fill(target, data, 0)

    def _numbered(self, number: Json) -> Any:
        if type(number) is not int or not 0 <= number < len(self.objects):
            raise Broken("no such object")
        return self.objects[number]

    def _decode(self, data: Json, depth: int) -> Any:
        if type(data) in _SCALARS:
            return data
        if type(data) is not list or not data or type(data[0]) is not str or depth > MAX_DEPTH + 2:
            raise Broken("no value")
        tag = data[0]
        if tag in _EMPTY:
            value = self._empty(tag, data, depth)
            self.objects.append(value)
            self._fill(value, data, depth)
            return value
        if tag in ("t", "z"):
            return (tuple if tag == "t" else frozenset)(self._items(data, 1, depth))
        if tag == "N":
            return namedtuple(data[1], tuple(data[2]))(*self._items(data, 3, depth))
        if tag == "&":
            return self._numbered(data[1])
        if tag in READ:
            return READ[tag](*data[1:])
        return self._resolve(data)

    def _empty(self, tag: str, data: list[Json], depth: int) -> Any:
        if tag == "D":
            return collections.defaultdict(self._decode(data[1], depth + 1))
        if tag == "q":
            return collections.deque(maxlen=data[1])
        return _EMPTY[tag]()

    def _fill(self, value: Any, data: list[Json], depth: int) -> None:
        kind = type(value)
        if kind is bytearray:
            value += data[1].encode("latin-1")
            return
        items = self._items(data, _MUTABLE[kind][1], depth)
        if kind in (list, collections.deque):
            value.extend(items)
        elif kind is set:
            value.update(items)
        else:
            for key, item in zip(items[::2], items[1::2], strict=True):
                value[key] = item

    def _items(self, data: list[Json], start: int, depth: int) -> list[Any]:
        items = data[start:]
        if set(map(type, items)) <= _SCALARS:
            return items
        return [self._decode(item, depth + 1) for item in items]


_EMPTY = {tag: kind for kind, (tag, _) in _MUTABLE.items()}
