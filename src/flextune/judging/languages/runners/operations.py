"""What one process may ask of the other's objects."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.proxies import BINARY, REFLECTED, UNARY
    from flextune.judging.languages.runners.values import MUTABLE, state_of
else:
    from proxies import BINARY, REFLECTED, UNARY
    from values import MUTABLE, state_of

_OPERATORS: Mapping[str, Callable[..., Any]] = {
    "__eq__": operator.eq,
    "__ne__": operator.ne,
    **BINARY,
    **{name: lambda one, other, do=BINARY[f"__{name[3:]}"]: do(other, one) for name in REFLECTED},
    **UNARY,
}
#: Built-in containers, whose subclasses have contents of their own.
CONTAINERS = (*MUTABLE, tuple, frozenset)


def _exit(target: Any, error: BaseException | None) -> Any:
    trace = None if error is None else error.__traceback__
    return type(target).__exit__(target, None if error is None else type(error), error, trace)


def _aexit(target: Any, error: BaseException | None) -> Any:
    trace = None if error is None else error.__traceback__
    return type(target).__aexit__(target, None if error is None else type(error), error, trace)


def _data(target: Any) -> Any:
    """What an object is compared by: its contents, or its class and its attributes."""
    for kind in CONTAINERS:
        if isinstance(target, kind):
            return plain(target, kind)
    return [type(target), dict(state_of(target))]


def plain(value: Any, kind: type) -> Any:
    """``value`` as the built-in ``kind`` that it derives from, whatever its own methods do."""
    if issubclass(kind, dict):
        return dict(dict.items(value))
    make: Any = kind
    return make(list(make.__iter__(value)))


def _signature(target: Any) -> list[list[Any]]:
    parameters = inspect.signature(target).parameters.values()
    return [
        [
            one.name,
            int(one.kind),
            one.default is not one.empty,
            None if one.default is one.empty else one.default,
        ]
        for one in parameters
    ]


#: Of any object of the solution.
ALL: Mapping[str, Callable[..., Any]] = {
    "call": lambda target, /, *arguments, **named: target(*arguments, **named),
    "get": getattr,
    "set": setattr,
    "unset": delattr,
    "dir": dir,
    "item": operator.getitem,
    "put": operator.setitem,
    "take": operator.delitem,
    "iter": iter,
    "reversed": reversed,
    "next": next,
    "send": lambda target, value: target.send(value),
    "throw": lambda target, error: target.throw(error),
    "close": lambda target: target.close(),
    "len": len,
    "bool": bool,
    "str": str,
    "repr": repr,
    "contains": operator.contains,
    "instance": lambda target, value: isinstance(value, target),
    "subclass": lambda target, value: issubclass(value, target),
    "signature": _signature,
    "data": _data,
    "operate": lambda target, name, *others: _OPERATORS[name](target, *others),
    "enter": lambda target: type(target).__enter__(target),
    "exit": _exit,
    "aiter": lambda target: type(target).__aiter__(target),
    "anext": lambda target: type(target).__anext__(target),
    "aenter": lambda target: type(target).__aenter__(target),
    "aexit": _aexit,
}


def _public(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for attributes whose names have no underscore in front: what is behind those is no data."""

    def guarded(target: Any, name: str, *more: Any) -> Any:
        if type(name) is not str or name.startswith("_"):
            raise AttributeError(name)
        return function(target, name, *more)

    return guarded


#: Of an object of a class of the tests.
PUBLIC: Mapping[str, Callable[..., Any]] = {
    **{name: ALL[name] for name in (
        "call", "item", "put", "take", "iter", "reversed", "next", "len", "bool", "str", "repr", "contains",
        "operate", "enter", "exit",
    )},
    "get": _public(getattr),
    "set": _public(setattr),
}  # fmt: skip
