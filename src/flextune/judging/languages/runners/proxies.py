"""Stand-ins, in the tests' process, for objects of the solution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.peer import Peer


class Proxy:
    """An object of the solution that is no plain data.

    It equals itself and nothing else, has no order and takes part in no arithmetic: who defines these can
    make it the right answer to every test.
    """

    __slots__ = ("__weakref__", "_flextune_ask")

    def __init__(self, peer: Peer, number: int) -> None:
        def ask(operation: str, *arguments: Any, **named: Any) -> Any:
            return peer.request(operation, number, *arguments, **named)

        object.__setattr__(self, "_flextune_ask", ask)

    def __getattr__(self, name: str) -> Any:
        return self._flextune_ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._flextune_ask("set", name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._flextune_ask("item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._flextune_ask("put", key, value)

    def __iter__(self) -> Any:
        return self._flextune_ask("iter")

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


class Callee(Proxy):
    """A function or class of the solution, or an object that can be called."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What the solution's object returns."""
        return self._flextune_ask("call", *arguments, **named)

    def __instancecheck__(self, value: Any) -> Any:
        return self._flextune_ask("instance", value)
