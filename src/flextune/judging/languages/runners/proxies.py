"""Stand-ins, in the tests' process, for objects of the solution.

What an object says of itself (attributes, items, length, text) is asked of it. What it says when it is
compared or calculated with can make it the right answer to every test. So that counts only for instances of
a class that the benchmark asks for, which the tests have made themselves by calling it, and for what these
give one another: there it is the very thing under test. Any other object equals itself, another object of
the same class with equal data if the class compares by value, and, if it is a list, dict or the like of its
own, what has its contents.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.peer import Peer

_PARAMETER_KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)
#: Operators by the method that Python looks for, with what the solution's process then does.
BINARY = {
    f"__{name.strip('_')}__": getattr(operator, name)
    for name in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift",
        "rshift", "lt", "le", "gt", "ge",
    )
}  # fmt: skip
REFLECTED = {
    f"__r{name[2:]}": function
    for name, function in BINARY.items()
    if name not in ("__lt__", "__le__", "__gt__", "__ge__")
}
UNARY: dict[str, Callable[..., Any]] = {
    "__neg__": operator.neg,
    "__pos__": operator.pos,
    "__invert__": operator.invert,
    "__abs__": abs,
    "__int__": int,
    "__float__": float,
    "__complex__": complex,
    "__index__": operator.index,
    "__round__": round,
    "__hash__": hash,
}


class Proxy:
    """An object of the solution that is no plain data.

    Args:
        peer: Whom to ask.
        number: The object's number there.
        data: What kind of data it is besides: ``value`` (its class compares by value), ``contents`` (a list,
            dict or the like of its own), or nothing.
    """

    __slots__ = ("__weakref__", "_flextune_ask", "_flextune_built", "_flextune_data")

    def __init__(self, peer: Peer, number: int, data: str = "") -> None:
        def ask(operation: str, /, *arguments: Any, **named: Any) -> Any:
            return peer.request(operation, number, arguments, named)

        object.__setattr__(self, "_flextune_ask", ask)
        object.__setattr__(self, "_flextune_data", data)
        #: Whether its operators are the solution's: see this module.
        object.__setattr__(self, "_flextune_built", False)

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        """Its attributes, asked of it."""
        return self._flextune_ask("get", "__dict__")

    def __getattr__(self, name: str) -> Any:
        return self._flextune_ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._flextune_ask("set", name, value)

    def __delattr__(self, name: str) -> None:
        self._flextune_ask("unset", name)

    def __dir__(self) -> Any:
        return self._flextune_ask("dir")

    def __getitem__(self, key: Any) -> Any:
        return self._flextune_ask("item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._flextune_ask("put", key, value)

    def __delitem__(self, key: Any) -> None:
        self._flextune_ask("take", key)

    def __iter__(self) -> Any:
        return self._flextune_ask("iter")

    def __reversed__(self) -> Any:
        return self._flextune_ask("reversed")

    def __next__(self) -> Any:
        return self._flextune_ask("next")

    def __len__(self) -> Any:
        return self._flextune_ask("len")

    def __bool__(self) -> Any:
        return self._flextune_ask("bool")

    def __str__(self) -> Any:
        return self._flextune_ask("str")

    def __repr__(self) -> Any:
        return self._flextune_ask("repr")

    def __enter__(self) -> Any:
        return self._flextune_ask("enter")

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> Any:
        # What a test asserts inside of ``with`` is not the solution's to swallow: the peer watches for that.
        return self._flextune_ask("exit", error) and not isinstance(error, AssertionError)

    def __aiter__(self) -> Any:
        return self._flextune_ask("aiter")

    def __anext__(self) -> Any:
        return self._flextune_ask("anext")

    def __aenter__(self) -> Any:
        return self._flextune_ask("aenter")

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> Any:
        return await self._flextune_ask("aexit", error) and not isinstance(error, AssertionError)

    def __contains__(self, value: Any) -> bool:
        if self._flextune_built:
            return bool(self._flextune_ask("contains", value))
        return any(item is value or item == value for item in self)

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        if _built(self) or _built(other):
            return self._flextune_ask("operate", "__eq__", other)
        if isinstance(other, Proxy):
            same = type(self) is type(other) and self._flextune_data == other._flextune_data
            return bool(same and self._flextune_data and _data(self) == _data(other))
        if self._flextune_data == "contents":
            return _data(self) == other
        return NotImplemented

    def __ne__(self, other: object) -> Any:
        if _built(self) or _built(other):
            return self._flextune_ask("operate", "__ne__", other)
        return not self == other

    def __hash__(self) -> Any:
        return self._flextune_ask("operate", "__hash__") if self._flextune_built else id(self)


class Callee(Proxy):
    """A function or class of the solution, or an object that can be called.

    Args:
        asked_for: Whether it is a class that the benchmark asks for.
    """

    __slots__ = ("_flextune_asked_for",)

    def __init__(self, peer: Peer, number: int, data: str = "", *, asked_for: bool = False) -> None:
        super().__init__(peer, number, data)
        object.__setattr__(self, "_flextune_asked_for", asked_for)

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        """What the solution's object returns."""
        value = self._flextune_ask("call", *arguments, **named)
        return _also_built(value) if self._flextune_asked_for else value

    def __instancecheck__(self, value: Any) -> Any:
        return self._flextune_ask("instance", value)

    def __subclasscheck__(self, kind: Any) -> Any:
        return self._flextune_ask("subclass", kind)

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        """The documentation that the solution wrote."""
        return self._flextune_ask("get", "__doc__")

    @property
    def __signature__(self) -> inspect.Signature:
        """What ``inspect.signature`` says of it."""
        parameters = []
        for name, kind, has_default, default in self._flextune_ask("signature"):
            given = default if has_default else inspect.Parameter.empty
            parameters.append(inspect.Parameter(name, _PARAMETER_KINDS[kind], default=given))
        return inspect.Signature(parameters)


def _built(value: object) -> bool:
    return isinstance(value, Proxy) and value._flextune_built


def _data(value: Proxy) -> Any:
    return value._flextune_ask("data")


def _binary(name: str) -> Callable[[Proxy, Any], Any]:
    def operate(self: Proxy, other: Any) -> Any:
        if not self._flextune_built or (isinstance(other, Proxy) and not other._flextune_built):
            return NotImplemented
        return _also_built(self._flextune_ask("operate", name, other))

    return operate


def _unary(name: str) -> Callable[..., Any]:
    def operate(self: Proxy, *more: Any) -> Any:
        if not self._flextune_built:
            raise TypeError(f"bad operand type for {name}: an object of the solution")
        return _also_built(self._flextune_ask("operate", name, *more))

    return operate


def _also_built(value: Any) -> Any:
    if isinstance(value, Proxy):
        object.__setattr__(value, "_flextune_built", True)
    return value


for _name in (*BINARY, *REFLECTED):
    setattr(Proxy, _name, _binary(_name))
for _name in UNARY:
    if _name != "__hash__":
        setattr(Proxy, _name, _unary(_name))


@functools.lru_cache(maxsize=256)
def kind_of(base: type, name: str) -> type:
    """The type of stand-ins for objects of a class of that name."""
    # A class without a documentation of its own would hide what the one below says.
    body = {"__module__": "__main__", "__slots__": (), "__doc__": base.__dict__["__doc__"]}
    return type(name, (base,), body)


class Also:
    """What an immutable stand-in has besides its value: the attributes that the solution's class gives it."""

    def __getattr__(self, name: str) -> Any:
        ask = type(self)._flextune_ask  # type: ignore[attr-defined]
        return ask(self, name)


def immutable(peer: Peer, number: int, name: str, value: Any) -> Any:
    """A stand-in for an object of a class below a number or text: it behaves as its value does."""

    def ask(self: Any, attribute: str) -> Any:
        return peer.request("get", number, (attribute,))

    body = {
        "__module__": "__main__",
        "_flextune_ask": ask,
        "__reduce__": lambda self: (type(value), (value,)),
    }
    return type(name, (Also, type(value)), body)(value)


def coroutine_function(target: Callee, name: str, documentation: Any) -> Any:
    """A function that does what the solution's ``async def`` does."""

    async def function(*arguments: Any, **named: Any) -> Any:
        return await target(*arguments, **named)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = documentation if type(documentation) is str else None
    return function


def relay(target: Proxy) -> Any:
    """A generator that does what the solution's generator does."""
    step, given = "send", None
    while True:
        try:
            value = target._flextune_ask(step, given)
        except StopIteration as stop:
            return stop.value
        step = "send"
        try:
            given = yield value
        except GeneratorExit:
            target._flextune_ask("close")
            raise
        except BaseException as error:
            step, given = "throw", error
