"""Values of a Python program as JSON and back, between the two processes of a strictly judged program.

Only exact built-in types travel as data, so that what arrives behaves as the receiver's own types do, and not
as the sender likes. All else is for the callables ``expose`` and ``resolve``, which make a reference of it.

``null``, booleans, text, floats and small integers are themselves; the rest are arrays that begin with a tag:

====== ========================================== ====== ==========================================
``t``  tuple: items                               ``z``  frozenset: items
``N``  namedtuple: type's name, fields, items     ``m``  member of a shared enumeration: class, name
``i``  large integer in hexadecimal               ``x``  complex: real, imaginary
``b``  bytes as Latin-1                           ``r``  range: start, stop, step
``n``  Decimal as text                            ``R``  Fraction: numerator, denominator
``a``  date    ``c``  time    ``e``  datetime     ``f``  timedelta: days, seconds, microseconds
``T``  a built-in type, or ``...``                ``k``, ``v``, ``w``  keys, values, items of a dict
``&``  the mutable object with this number        ``h``, ``o``, ``X``  references, see ``peer``
====== ========================================== ====== ==========================================

Mutable objects are numbered, and a message has the contents of each in a list of its own: they nest as
deeply as they like, and sharing and cycles survive. An answer goes on with the numbers of its request.
Contents are:

====== ========================================== ====== ==========================================
``l``  list: items                                ``s``  set: items
``d``  dict: key, value, key, ...                 ``O``  OrderedDict: likewise
``C``  Counter: likewise                          ``D``  defaultdict: factory, key, value, ...
``q``  deque: maximal length, items               ``B``  bytearray as Latin-1
``K``  instance of a shared class: the class's name, attribute, value, ...
====== ========================================== ====== ==========================================

A shared class is one that the benchmark's prompt defines, so that both processes have it.
"""

from __future__ import annotations

import collections
import copyreg
import datetime
import enum
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.plain import (
        READ,
        SHARED_NAMES,
        SMALL,
        UNKNOWN,
        VIEWS,
        WRITE,
        Broken,
        is_namedtuple,
        moment,
        namedtuple,
        offset,
        view,
    )
else:
    from plain import (
        READ,
        SHARED_NAMES,
        SMALL,
        UNKNOWN,
        VIEWS,
        WRITE,
        Broken,
        is_namedtuple,
        moment,
        namedtuple,
        offset,
        view,
    )

Json = Any

#: Bytes of one message, both ways.
MAX_BYTES = 64 * 1024**2
#: How deeply immutable values may nest in one another.
MAX_DEPTH = 100
_SCALARS = {type(None), bool, int, float, str}
#: Tag of every mutable type, and where its contents begin.
MUTABLE: dict[type, tuple[str, int]] = {
    list: ("l", 1), set: ("s", 1), dict: ("d", 1), collections.OrderedDict: ("O", 1),
    collections.Counter: ("C", 1), collections.defaultdict: ("D", 2), collections.deque: ("q", 2),
    bytearray: ("B", 1),
}  # fmt: skip
_EMPTY: dict[Any, type] = {tag: kind for kind, (tag, _) in MUTABLE.items()}
#: ``Py_TPFLAGS_HEAPTYPE``.
_WRITTEN_IN_PYTHON = 1 << 9
#: Contents whose parts need no hash, and may so be needed by the hashes of others.
_FIRST = ("K", "l", "q", "B")

Shared = Mapping[str, type]


def pack(message: Json) -> bytes:
    """A message as bytes.

    Raises:
        ValueError: If it is too large.
    """
    text = json.dumps(message, ensure_ascii=False, check_circular=False, separators=(",", ":"))
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise too_large(len(data))
    return data


def too_large(size: int) -> ValueError:
    """The exception for a value of that size."""
    return ValueError(f"a value of {size} bytes is too large to be passed between solution and tests")


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
        shared: Classes whose instances travel as data, by name.
    """

    def __init__(
        self, expose: Callable[[Any], Json], objects: Iterable[Any] = (), shared: Shared | None = None
    ) -> None:
        self._expose, self._shared = expose, shared or {}
        self.objects = list(objects)
        self._numbers = {id(value): number for number, value in enumerate(self.objects)}
        self._written = len(self.objects)

    def encode(self, value: Any, depth: int = 0) -> Json:
        """One value; what is in mutable objects comes with ``contents``.

        Raises:
            ValueError: If it is nested too deeply.
            TypeError: If ``expose`` refuses a part of it.
        """
        kind = type(value)
        if kind in _SCALARS:
            if kind is str and len(value) > MAX_BYTES:
                raise too_large(len(value))
            return value if kind is not int or -SMALL < value < SMALL else ["i", hex(value)]
        if depth > MAX_DEPTH:
            raise ValueError("a value is nested too deeply to be passed between solution and tests")
        if kind in MUTABLE:
            return self._numbered(value)
        if kind is tuple:
            return ["t", *self._items(value, depth)]
        if kind is frozenset:
            return ["z", *self._items(value, depth)]
        if kind in WRITE:
            return WRITE[kind](value)
        if kind in VIEWS:
            return [VIEWS[kind], *self._items(value, depth)]
        if id(value) in SHARED_NAMES:
            return ["T", SHARED_NAMES[id(value)]]
        if self._shared.get(kind.__name__) is kind:
            if issubclass(kind, enum.Enum):
                return ["m", kind.__name__, value._name_] if value._name_ else self._expose(value)
            return self._numbered(value) if is_record(kind) else self._expose(value)
        if is_namedtuple(kind):
            return ["N", kind.__name__, list(kind._fields), *self._items(value, depth)]
        if kind in (datetime.time, datetime.datetime):
            zone = offset(value)
            if zone is not UNKNOWN:
                return moment(value, zone)
        return self._expose(value)

    def contents(self) -> list[Json]:
        """Contents of all objects that got a number here, in its order; the last thing to ask."""
        written = []
        # What is written may number more of them.
        while self._written < len(self.objects):
            written.append(self.content(self.objects[self._written]))
            self._written += 1
        return written

    def content(self, value: Any) -> Json:
        """The contents of one mutable object."""
        kind = type(value)
        if kind not in MUTABLE:
            parts = [part for pair in state_of(value) for part in pair]
            return ["K", kind.__name__, *self._items(parts, 0)]
        tag = MUTABLE[kind][0]
        if kind is bytearray:
            return [tag, value.decode("latin-1")]
        if kind in (list, set):
            return [tag, *self._items(value, 0)]
        if kind is collections.deque:
            return [tag, value.maxlen, *self._items(value, 0)]
        head = [tag, self.encode(value.default_factory)] if tag == "D" else [tag]
        return [*head, *self._items([part for pair in dict.items(value) for part in pair], 0)]

    def _numbered(self, value: Any) -> Json:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return ["&", number]

    def _items(self, values: Any, depth: int) -> list[Json]:
        kinds = set(map(type, values))
        if kinds <= _SCALARS:
            whole = [value for value in values if type(value) is int] if int in kinds else ()
            if not whole or (min(whole) > -SMALL and max(whole) < SMALL):
                return list(values)
        return [self.encode(value, depth + 1) for value in values]


def is_record(kind: type) -> bool:
    """Whether the state of an instance is its attributes, and nothing that a built-in base keeps."""
    return all(base is object or base.__flags__ & _WRITTEN_IN_PYTHON for base in kind.__mro__)


def _slots(kind: type) -> list[str]:
    return copyreg._slotnames(kind) or []  # type: ignore[attr-defined]


def state_of(value: Any) -> list[tuple[str, Any]]:
    """Attributes of an instance and their values, whatever its class defines."""
    kept = getattr(value, "__dict__", {})
    pairs = list(kept.items()) if type(kept) is dict else []
    return pairs + [(name, getattr(value, name)) for name in _slots(type(value)) if hasattr(value, name)]


class Decoder:
    """JSON to values; one for each message. Whatever it is given, it raises only ``Broken`` and MemoryError.

    Args:
        resolve: Makes a value of a reference.
        objects: The mutable objects that have a number already.
        shared: As for ``Encoder``.
    """

    def __init__(
        self,
        resolve: Callable[[list[Json]], Any],
        objects: Iterable[Any] = (),
        shared: Shared | None = None,
    ) -> None:
        self._resolve, self._shared = resolve, shared or {}
        self.objects = list(objects)

    def decode(self, data: Json) -> Any:
        """One value."""
        return self._guarded(self._decode, data, 0)

    def load(self, contents: Json) -> None:
        """Make the objects of these contents, with the next numbers."""
        self._guarded(self._load, contents)

    def update(self, changes: Json) -> None:
        """Give known objects other contents: number, contents, number, ..."""
        self._guarded(self._update, changes)

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (Broken, MemoryError):
            raise
        except Exception as error:
            raise Broken(f"no value ({type(error).__name__})") from None

    def _load(self, contents: Json) -> None:
        fresh = [(self._empty(data), data) for data in _list(contents)]
        self.objects += [value for value, _ in fresh]
        self._fill_all(fresh)

    def _update(self, changes: Json) -> None:
        pairs = []
        for number, data in zip(_list(changes)[::2], changes[1::2], strict=True):
            target = self._numbered(number)
            kind = type(target)
            if kind in MUTABLE:
                if data[0] != MUTABLE[kind][0]:
                    raise Broken("an object cannot change its type")
                target.clear()
            else:
                if data[0] != "K" or self._shared.get(data[1]) is not kind:
                    raise Broken("an object cannot change its type")
                for name, _ in state_of(target):
                    object.__delattr__(target, name)
            pairs.append((target, data))
        self._fill_all(pairs)

    def _fill_all(self, pairs: list[tuple[Any, Json]]) -> None:
        for early in (True, False):
            for value, data in pairs:
                if (data[0] in _FIRST) is early:
                    self._fill(value, data)

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
        if tag == "&":
            return self._numbered(data[1])
        if tag in ("t", "z"):
            return (tuple if tag == "t" else frozenset)(self._items(data, 1, depth))
        if tag == "N":
            return namedtuple(data[1], tuple(data[2]))(*self._items(data, 3, depth))
        if tag in ("k", "v", "w"):
            return view(tag, self._items(data, 1, depth))
        if tag == "m":
            return self._member(data[1], data[2])
        if tag in READ:
            return READ[tag](*data[1:])
        return self._resolve(data)

    def _member(self, kind: Json, name: Json) -> Any:
        members = self._shared[kind]
        if not issubclass(members, enum.Enum):
            raise Broken("no enumeration")
        return members[name]

    def _empty(self, data: Json) -> Any:
        tag = data[0]
        if tag == "D":
            return collections.defaultdict()
        if tag == "q":
            return collections.deque(maxlen=data[1])
        if tag == "K":
            kind = self._shared[data[1]]
            if not is_record(kind):
                raise Broken("no class of records")
            return object.__new__(kind)
        return _EMPTY[tag]()

    def _fill(self, value: Any, data: list[Json]) -> None:
        kind = type(value)
        if kind is bytearray:
            value += data[1].encode("latin-1")
            return
        items = self._items(data, MUTABLE[kind][1] if kind in MUTABLE else 2, 0)
        if kind in (list, collections.deque):
            value.extend(items)
        elif kind is set:
            value.update(items)
        elif kind in MUTABLE:
            if kind is collections.defaultdict:
                value.default_factory = self._decode(data[1], 1)
            for key, item in zip(items[::2], items[1::2], strict=True):
                value[key] = item
        else:
            for name, item in zip(items[::2], items[1::2], strict=True):
                object.__setattr__(value, name, item)

    def _items(self, data: list[Json], start: int, depth: int) -> list[Any]:
        items = data[start:]
        if set(map(type, items)) <= _SCALARS:
            return items
        return [self._decode(item, depth + 1) for item in items]


def _list(data: Json) -> list[Json]:
    if type(data) is not list:
        raise Broken("no list")
    return data
