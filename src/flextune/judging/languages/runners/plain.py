"""Immutable values of Python as JSON and back; the tags are those of ``values``."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
from collections.abc import Callable, Sequence
from typing import Any

Json = Any

#: Integers below it in size are numbers in JSON; larger ones would be slow to print, or refused.
SMALL = 2**63
#: Constants that both sides have; nothing here runs code of the other side.
_SHARED: dict[str, Any] = {"Ellipsis": ..., "NotImplemented": NotImplemented}
_SHARED |= {kind.__name__: kind for kind in (
    bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, range, object,
    type(None),
)}  # fmt: skip
SHARED_NAMES = {id(value): name for name, value in _SHARED.items()}
#: What every namedtuple has of its own; one that has more has methods.
_NAMEDTUPLE_BODY = set(collections.namedtuple("_Plain", "field").__dict__) - {"field"} | {
    "__annotations__",
    "__orig_bases__",
}
UNKNOWN = object()


class Broken(Exception):
    """What arrived is not what the protocol allows."""


def is_namedtuple(kind: type) -> bool:
    """Whether ``kind`` is a namedtuple without a method of its own."""
    fields = kind.__dict__.get("_fields")
    return (
        kind.__mro__[1:] == (tuple, object)
        and type(fields) is tuple
        and set(kind.__dict__) <= _NAMEDTUPLE_BODY.union(fields)
    )


@functools.lru_cache(maxsize=64)
def namedtuple(name: Json, fields: tuple[Json, ...]) -> Callable[..., Any]:
    """The type of that name with these fields.

    Raises:
        Broken: If they are no names in ASCII; others could be normalized to names that its code uses.
    """
    for text in (name, *fields):
        if type(text) is not str or not text.isascii():
            raise Broken("no namedtuple")
    return collections.namedtuple(name, fields, rename=True)


def offset(value: datetime.time | datetime.datetime) -> Any:
    """Microseconds from UTC, None without a time zone, ``UNKNOWN`` for zones with rules."""
    if value.tzinfo is None:
        return None
    if type(value.tzinfo) is not datetime.timezone:
        return UNKNOWN
    return value.tzinfo.utcoffset(None) // datetime.timedelta(microseconds=1)


def moment(value: Any, zone: int | None) -> Json:
    """A time or datetime whose offset is ``zone``."""
    clock = (value.hour, value.minute, value.second, value.microsecond, value.fold)
    if type(value) is datetime.time:
        return ["c", zone, *clock]
    return ["e", zone, value.year, value.month, value.day, *clock]


def _placed(kind: Any, numbers: tuple[Json, ...], offset: Json, fold: Json) -> Any:
    zone = None
    if offset is not None:
        zone = datetime.timezone(datetime.timedelta(microseconds=_integer(offset)))
    return kind(*map(_integer, numbers), tzinfo=zone, fold=_integer(fold))


def _integer(value: Any) -> int:
    if type(value) is str:
        return int(value, 16)
    if type(value) is not int:
        raise TypeError
    return value


def _integers(values: Sequence[int]) -> list[Json]:
    return [value if -SMALL < value < SMALL else hex(value) for value in values]


def _text(value: Json) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _float(value: Json) -> float:
    if type(value) is not float:
        raise TypeError
    return value


#: Tags of what a dict shows of itself; what arrives shows a dict that was made for it.
VIEWS: dict[type, str] = {type({}.keys()): "k", type({}.values()): "v", type({}.items()): "w"}


def view(tag: str, items: list[Any]) -> Any:
    """Keys, values or items of a dict."""
    if tag == "k":
        return dict.fromkeys(items).keys()
    return dict(enumerate(items)).values() if tag == "v" else dict(items).items()


#: How a value of a type is written.
WRITE: dict[type, Callable[[Any], Json]] = {
    complex: lambda x: ["x", x.real, x.imag],
    bytes: lambda x: ["b", x.decode("latin-1")],
    range: lambda x: ["r", *_integers((x.start, x.stop, x.step))],
    decimal.Decimal: lambda x: ["n", str(x)],
    fractions.Fraction: lambda x: ["R", *_integers((x.numerator, x.denominator))],
    datetime.date: lambda x: ["a", x.year, x.month, x.day],
    datetime.timedelta: lambda x: ["f", x.days, x.seconds, x.microseconds],
}
#: How the parts after a tag are read; whatever they are, an exception is all that can happen.
READ: dict[str, Callable[..., Any]] = {
    "i": lambda x: int(_text(x), 16),
    "x": lambda x, y: complex(_float(x), _float(y)),
    "b": lambda x: x.encode("latin-1"),
    "r": lambda *x: range(*map(_integer, x)),
    "n": lambda x: decimal.Decimal(_text(x)),
    "R": lambda x, y: fractions.Fraction(_integer(x), _integer(y)),
    "a": lambda *x: datetime.date(*map(_integer, x)),
    "c": lambda zone, *x: _placed(datetime.time, x[:4], zone, x[4]),
    "e": lambda zone, *x: _placed(datetime.datetime, x[:7], zone, x[7]),
    "f": lambda *x: datetime.timedelta(*map(_integer, x)),
    "T": lambda x: _SHARED[x],
}
