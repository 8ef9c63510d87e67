"""Kinds of things by name: benchmarks, training sources, and what other packages add to them.

To add an entry, add one file to the registry's package; it registers itself when it is imported. Another
distribution adds entries with an entry point of the registry's group, a notebook with ``register``.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any, Generic, TypeVar, overload

from flextune.errors import FlextuneError, did_you_mean

EntryT = TypeVar("EntryT")
ThingT = TypeVar("ThingT")

_NONE_GIVEN: Any = object()


class Registry(Generic[EntryT]):
    """Entries of one kind by name, collected when they are first asked for.

    Every module of ``package`` and every entry point of ``group`` is imported then, not before. A module
    registers what it holds as it is imported::

        BENCHMARKS.register("humaneval", Benchmark(...))

        @OPTIMIZERS.register("sgd")
        def sgd(...): ...

    Args:
        kind: What messages call an entry, for example ``benchmark``.
        package: Dotted name of the package whose modules register themselves.
        group: Group of entry points of other distributions. Each points to a module that registers itself:
            ``mine = "my_package.my_benchmark"``.
    """

    def __init__(self, kind: str, package: str | None = None, group: str | None = None) -> None:
        self.kind = kind
        self._package = package
        self._group = group
        self._entries: dict[str, EntryT] = {}
        self._collected = False
        self._collecting = False
        # Reentrant: a module that is being collected may ask for what is there so far.
        self._lock = threading.RLock()

    @overload
    def register(self, name: str, entry: EntryT) -> EntryT: ...
    @overload
    def register(self, name: str) -> Callable[[ThingT], ThingT]: ...
    def register(self, name: str, entry: Any = _NONE_GIVEN) -> Any:
        """Add ``entry`` and return it; without one, return a decorator that adds what it decorates.

        Raises:
            FlextuneError: The name is taken.
        """
        if entry is _NONE_GIVEN:
            return lambda thing: self.register(name, thing)
        if name in self._entries:
            raise FlextuneError(f"{self.kind} {name!r} is registered already; choose another name")
        self._entries[name] = entry
        return entry

    def get(self, name: str) -> EntryT:
        """The entry of that name.

        Raises:
            FlextuneError: There is none; the message has the nearest name and the list.
        """
        self._collect()
        if name not in self._entries:
            raise FlextuneError(self.unknown(name))
        return self._entries[name]

    def unknown(self, name: str) -> str:
        """What to tell a user about a name that is not registered."""
        hint = did_you_mean(name, self.names())
        return f"unknown {self.kind} {name!r}{hint} (known: {', '.join(self.names())})"

    def names(self) -> tuple[str, ...]:
        """All names in alphabetical order."""
        self._collect()
        return tuple(sorted(self._entries))

    def entries(self) -> dict[str, EntryT]:
        """All entries by name, in alphabetical order."""
        return {name: self._entries[name] for name in self.names()}

    def __contains__(self, name: object) -> bool:
        self._collect()
        return name in self._entries

    @contextlib.contextmanager
    def temporarily(self, name: str, entry: EntryT) -> Iterator[EntryT]:
        """Register ``entry`` for the length of a ``with`` block: for tests and notebooks.

        Raises:
            FlextuneError: The name is taken.
        """
        self._collect()
        self.register(name, entry)
        try:
            yield entry
        finally:
            del self._entries[name]

    def _collect(self) -> None:
        with self._lock:
            if self._collected or self._collecting:
                return
            self._collecting = True
            try:
                self._import_package()
                self._import_entry_points()
                # Only now: after an error the next question tries again, and gets the same error.
                self._collected = True
            finally:
                self._collecting = False

    def _import_package(self) -> None:
        if self._package is not None:
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__, f"{self._package}."):
                importlib.import_module(module.name)

    def _import_entry_points(self) -> None:
        if self._group is None:
            return
        for point in metadata.entry_points(group=self._group):
            try:
                point.load()
            # Other people's code: whatever goes wrong, a user must learn whose it is.
            except Exception as error:
                raise FlextuneError(self._broken(point, error)) from error

    def _broken(self, point: metadata.EntryPoint, error: Exception) -> str:
        owner = f" of {point.dist.name}" if point.dist else ""
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        return (
            f"{self.kind} {point.name!r}{owner} ({point.value}) cannot be loaded ({reason}); "
            "update or uninstall that package"
        )


#: Entries are ``flextune.sources.benchmarks.base.Benchmark``.
BENCHMARKS: Registry[Any] = Registry("benchmark", "flextune.sources.benchmarks", "flextune.benchmarks")

#: Entries are ``flextune.sources.training.base.TrainingSource``.
TRAINING_SOURCES: Registry[Any] = Registry(
    "training source", "flextune.sources.training", "flextune.training_sources"
)

#: Entries are subclasses of ``flextune.config.optimizers.base.OptimizerConfig``.
OPTIMIZERS: Registry[Any] = Registry("optimizer", "flextune.config.optimizers", "flextune.optimizers")

#: Entries are subclasses of ``flextune.config.sections.penalty.PenaltySection``, by kind.
PENALTIES: Registry[Any] = Registry("penalty", None, "flextune.penalties")
