"""Stand-ins, in the solution's process, for what the tests gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.peer import Peer
    from flextune.judging.languages.runners.proxies import BINARY, REFLECTED
else:
    from proxies import BINARY, REFLECTED


class Function:
    """A function of the tests."""

    def __init__(self, peer: Peer, number: int, name: str, documentation: str | None) -> None:
        self._flextune = peer, number
        self.__name__ = self.__qualname__ = name
        self.__doc__ = documentation

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        """Ask the tests."""
        peer, number = self._flextune
        return peer.request("call", number, arguments, named)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bound like any function: a decorated method gets its object."""
        if instance is None:
            return self
        return lambda *arguments, **named: self(instance, *arguments, **named)


class Iterator:
    """An iterator of the tests."""

    def __init__(self, peer: Peer, number: int, name: str) -> None:
        self._flextune = peer, number

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        peer, number = self._flextune
        return peer.request("next", number)


class Thing:
    """An object of a class of the tests: its public attributes, and what operators do with it."""

    def __init__(self, peer: Peer, number: int, name: str) -> None:
        object.__setattr__(self, "_flextune", (peer, number))

    def __getattr__(self, name: str) -> Any:
        return _ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        """Ask the tests."""
        peer, number = self._flextune
        return peer.request("call", number, arguments, named)


def _ask(target: Thing, operation: str, *arguments: Any) -> Any:
    peer, number = object.__getattribute__(target, "_flextune")
    return peer.request(operation, number, arguments)


def _asking(operation: str) -> Any:
    return lambda self, *arguments: _ask(self, operation, *arguments)


def _operating(name: str) -> Any:
    return lambda self, *arguments: _ask(self, "operate", name, *arguments)


#: Methods that Python looks for, and the operation that each asks for.
_METHODS = {
    "__getitem__": "item", "__setitem__": "put", "__delitem__": "take",
    "__iter__": "iter", "__next__": "next",
    "__len__": "len", "__bool__": "bool", "__str__": "str", "__repr__": "repr", "__contains__": "contains",
    "__enter__": "enter", "__reversed__": "reversed",
}  # fmt: skip
for _name, _operation in _METHODS.items():
    setattr(Thing, _name, _asking(_operation))
for _name in (
    *BINARY,
    *REFLECTED,
    "__eq__",
    "__ne__",
    "__hash__",
    "__neg__",
    "__abs__",
    "__int__",
    "__float__",
):
    setattr(Thing, _name, _operating(_name))
Thing.__exit__ = lambda self, kind, error, trace: _ask(self, "exit", error)  # type: ignore[attr-defined]
