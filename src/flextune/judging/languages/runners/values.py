"""Values of a Python program as JSON and back, between the two processes of a strictly judged program.

Only exact built-in types travel as data, so that what arrives has the behaviour of the receiver's own types and none
of the sender's. Everything else is for the two callables ``expose`` and ``resolve``, which make of it a reference.

``null``, booleans, strings, floats and small integers are themselves; all else is an array whose first item is a tag:

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

Mutable objects are numbered in the order in which they begin. A second mention is a ``&``, so that sharing (and a
list that contains itself) survives; an answer goes on with the numbers of its request.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

Json = Any

#: Bytes of one message, both ways.
MAX_BYTES = 64 * 1024**2
MAX_DEPTH = 100
_SMALL = 2**63
_SCALARS = {type(None), bool, int, float, str}
#: Constants that both sides have; nothing here runs code of the other side.
_SHARED: dict[str, Any] = {"Ellipsis": ...} | {kind.__name__: kind for kind in (
    bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, range, object, type(None),
)}  # fmt: skip
_SHARED_NAMES = {id(value): name for name, value in _SHARED.items()}
#: Tag of every mutable type, and where its contents begin.
_MUTABLE: dict[type, tuple[str, int]] = {
    list: ("l", 1), set: ("s", 1), dict: ("d", 1), collections.OrderedDict: ("O", 1), collections.Counter: ("C", 1),
    collections.defaultdict: ("D", 2), collections.deque: ("q", 2), bytearray: ("B", 1),
}  # fmt: skip
_NAMEDTUPLE_BODY = set(collections.namedtuple("_Plain", "field").__dict__) - {"field"} | {
    "__annotations__",
    "__orig_bases__",
}


class Broken(Exception):
    """What arrived is not what the protocol allows."""


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
            return value if kind is not int or -_SMALL < value < _SMALL else ["i", hex(value)]
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
        if kind in _PLAIN:
            return _PLAIN[kind](value)
        if id(value) in _SHARED_NAMES:
            return ["T", _SHARED_NAMES[id(value)]]
        if _is_namedtuple(kind):
            return ["N", kind.__name__, list(kind._fields), *self._items(value, depth)]
        if kind in (datetime.time, datetime.datetime):
            zone = _offset(value)
            if zone is not _UNKNOWN:
                return _moment(value, zone)
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
        if kinds <= _SCALARS and (int not in kinds or all(-_SMALL < x < _SMALL for x in values if type(x) is int)):
            return list(values)
        return [self.encode(value, depth + 1) for value in values]


class Decoder:
    """JSON to values; one for each message. Whatever the JSON, it raises nothing but ``Broken`` and MemoryError.

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
            return _namedtuple(data[1], tuple(data[2]))(*self._items(data, 3, depth))
        if tag == "&":
            return self._numbered(data[1])
        if tag in _READ:
            return _READ[tag](*data[1:])
        return self._resolve(data)

    def _empty(self, tag: str, data: list[Json], depth: int) -> Any:
        if tag == "D":
            return collections.defaultdict(self._decode(data[1], depth + 1))
        if tag == "q":
            return collections.deque((), data[1])
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
_UNKNOWN = object()


def _is_namedtuple(kind: type) -> bool:
    """Whether ``kind`` is a namedtuple without a method of its own."""
    fields = kind.__dict__.get("_fields")
    return kind.__mro__[1:] == (tuple, object) and type(fields) is tuple and set(kind.__dict__) <= {
        *_NAMEDTUPLE_BODY,
        *fields,
    }


@functools.lru_cache(maxsize=64)
def _namedtuple(name: Json, fields: tuple[Json, ...]) -> Callable[..., Any]:
    for text in (name, *fields):
        if type(text) is not str or not text.isascii():
            raise Broken("no namedtuple")
    return collections.namedtuple(name, fields, rename=True)  # type: ignore[misc] # noqa: PYI024


def _offset(value: datetime.time | datetime.datetime) -> Any:
    """Microseconds from UTC, None without a time zone, ``_UNKNOWN`` for zones with rules."""
    if value.tzinfo is None:
        return None
    if type(value.tzinfo) is not datetime.timezone:
        return _UNKNOWN
    return value.tzinfo.utcoffset(None) // datetime.timedelta(microseconds=1)


def _moment(value: Any, zone: int | None) -> Json:
    clock = (value.hour, value.minute, value.second, value.microsecond, value.fold)
    if type(value) is datetime.time:
        return ["c", zone, *clock]
    return ["e", zone, value.year, value.month, value.day, *clock]


def _zone(offset: int | None) -> datetime.timezone | None:
    return None if offset is None else datetime.timezone(datetime.timedelta(microseconds=_integer(offset)))


def _integer(value: Any) -> int:
    if type(value) is str:
        return int(value, 16)
    if type(value) is not int:
        raise TypeError
    return value


def _integers(values: Sequence[int]) -> list[Json]:
    return [value if -_SMALL < value < _SMALL else hex(value) for value in values]


def _text(value: Json) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _float(value: Json) -> float:
    if type(value) is not float:
        raise TypeError
    return value


_PLAIN: dict[type, Callable[[Any], Json]] = {
    complex: lambda x: ["x", x.real, x.imag],
    bytes: lambda x: ["b", x.decode("latin-1")],
    range: lambda x: ["r", *_integers((x.start, x.stop, x.step))],
    decimal.Decimal: lambda x: ["n", str(x)],
    fractions.Fraction: lambda x: ["R", *_integers((x.numerator, x.denominator))],
    datetime.date: lambda x: ["a", x.year, x.month, x.day],
    datetime.timedelta: lambda x: ["f", x.days, x.seconds, x.microseconds],
}
_READ: dict[str, Callable[..., Any]] = {
    "i": lambda x: int(_text(x), 16),
    "x": lambda x, y: complex(_float(x), _float(y)),
    "b": lambda x: x.encode("latin-1"),
    "r": lambda *x: range(*map(_integer, x)),
    "n": lambda x: decimal.Decimal(_text(x)),
    "R": lambda x, y: fractions.Fraction(_integer(x), _integer(y)),
    "a": lambda *x: datetime.date(*map(_integer, x)),
    "c": lambda z, *x: datetime.time(*map(_integer, x[:4]), _zone(z), fold=x[4]),
    "e": lambda z, *x: datetime.datetime(*map(_integer, x[:7]), _zone(z), fold=x[7]),
    "f": lambda *x: datetime.timedelta(*map(_integer, x)),
    "T": lambda x: _SHARED[x],
}
