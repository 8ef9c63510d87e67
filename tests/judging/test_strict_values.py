"""Values survive the way between the processes; rubbish on that way is refused, whatever it is."""

from __future__ import annotations

import ast
import collections
import contextlib
import importlib
import math
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flextune.judging

RUNNERS = Path(flextune.judging.__file__).parent / "languages" / "runners"


def runner_module(name: str) -> ModuleType:
    """A file of the runners, which import one another by their bare names."""
    sys.path.insert(0, str(RUNNERS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(RUNNERS))


values, channel, names = (runner_module(name) for name in ("values", "channel", "names"))
Point = collections.namedtuple("Point", "x y")

ZONES = st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
HASHABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters())
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.dates()
    | st.times(timezones=ZONES)
    | st.datetimes(timezones=ZONES)
    | st.timedeltas()
    | st.builds(range, st.integers(), st.integers(), st.integers(1, 9))
    | st.sampled_from([int, str, list, ..., type(None)]),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3) | st.builds(Point, inner, inner),
    max_leaves=4,
)
VALUES = st.recursive(
    HASHABLE | st.binary().map(bytearray) | st.sets(HASHABLE, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=3)
        | st.dictionaries(HASHABLE, inner, max_size=3).map(collections.OrderedDict)
        | st.dictionaries(HASHABLE, inner, max_size=3).map(
            lambda content: collections.defaultdict(list, content)
        )
        | st.dictionaries(HASHABLE, st.integers(), max_size=3).map(collections.Counter)
        | st.builds(collections.deque, st.lists(inner, max_size=4), st.none() | st.integers(0, 9))
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)
TAGS = "lsdOCDqtzNixbBrnRTacef&ho"
HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**66)
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(TAGS),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=9)).map(lambda pair: [pair[0], *pair[1]])
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=20,
)


def refuse(value: object) -> Any:
    raise TypeError(f"no data: {value!r}")


def carried(value: object) -> Any:
    """``value`` after the way to the other side."""
    encoder, decoder = values.Encoder(refuse), values.Decoder(refuse)
    encoded = encoder.encode(value)
    _, encoded, contents = values.unpack(values.pack(["ok", encoded, encoder.contents()]))
    decoder.load(contents)
    return decoder.decode(encoded)


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from True and from 1.0, 0.0 from -0.0, and finds a NaN equal to itself."""
    if isinstance(one, Point):
        # The other side makes a type of its own.
        if (type(one).__name__, Point._fields) != (type(other).__name__, getattr(other, "_fields", None)):
            return False
    elif type(one) is not type(other):
        return False
    if isinstance(one, dict):
        factory = getattr(one, "default_factory", None) is getattr(other, "default_factory", None)
        return factory and same(list(one.items()), list(other.items()))
    if isinstance(one, set | frozenset):
        return len(one) == len(other) and all(any(same(x, y) for y in other) for x in one)
    if isinstance(one, list | tuple | collections.deque):
        bounded = getattr(one, "maxlen", None) == getattr(other, "maxlen", None)
        return bounded and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, datetime | time):
        return (one.replace(tzinfo=None), one.utcoffset(), one.fold) == (
            other.replace(tzinfo=None),
            other.utcoffset(),
            other.fold,
        )
    return one is other or repr(one) == repr(other)


@given(VALUES)
def test_values_arrive_as_they_left(value: object) -> None:
    assert same(value, carried(value))


def test_unusual_values_arrive_as_they_left() -> None:
    numbers = [10**6000, -(2**63), math.nan, -0.0, -math.inf, Decimal("sNaN"), Decimal("-0.10")]
    others = [
        Fraction(-(10**40), 3),
        complex(-0.0, math.nan),
        "\ud800\udc00",
        "\udfff",
        date.max,
        timedelta.min,
    ]
    for value in numbers + others:
        arrived = carried([value])[0]
        assert type(arrived) is type(value)
        # Not by repr alone: an integer may have more digits than it prints.
        assert (type(value) is int and arrived == value) or repr(arrived) == repr(value)


def test_sharing_and_cycles_survive() -> None:
    row = [0]
    first, second = carried([row, row])
    assert first is second
    loop: list[object] = [1]
    loop.append(loop)
    arrived = carried(loop)
    assert arrived[1] is arrived


def test_what_nests_too_deeply_is_an_error_of_its_own() -> None:
    value: object = ()
    for _ in range(1000):
        value = (value,)
    with pytest.raises(ValueError, match="nested too deeply"):
        carried(value)


@pytest.mark.parametrize("base", [int, str, float, list, dict, tuple, set, bytes])
def test_subclasses_do_not_travel_as_data(base: type) -> None:
    with pytest.raises(TypeError, match="no data"):
        carried([type("Equal", (base,), {"__eq__": lambda self, other: True, "__hash__": lambda self: 0})()])


@given(st.binary())
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with contextlib.suppress(values.Broken):
        assert isinstance(values.unpack(data), list)


@given(HOSTILE)
@pytest.mark.slow
def test_every_json_is_a_value_or_refused(data: object) -> None:
    decoder = values.Decoder(refuse, [[1], {2: 3}])
    for take in (decoder.decode, decoder.load, decoder.update, lambda data: decoder.load([data])):
        with contextlib.suppress(values.Broken):
            take(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 10**6,
        b'["l",' * 5000 + b"1" + b"]" * 5000,
        b'["ok",1e999999]',
        b'["i' + b"9" * 5000 + b'"]',
        b'["\xff"]',
    ],
)
def test_large_rubbish_is_refused(data: bytes) -> None:
    try:
        values.Decoder(refuse).decode(values.unpack(data))
    except values.Broken:
        return
    pytest.fail("taken for a value")


class Script:
    """A channel on which the other side says what a test lets it say."""

    def __init__(self, messages: list[Any]) -> None:
        self.messages = messages

    def send(self, conversation: str, message: object) -> None:
        values.pack(message)

    def join(self, conversation: str) -> None:
        pass

    leave = join

    def receive(self, conversation: str) -> Any:
        if not self.messages:
            raise channel.Closed
        return self.messages.pop(0)


class End(BaseException):
    """The tests' process would have ended here."""


@pytest.fixture(scope="module")
def tests_end() -> Callable[[list[Any]], Any]:
    tests_end = runner_module("tests_end")

    def end(letter: bytes, message: str, status: int = 1) -> None:
        raise End

    monkey: Any = tests_end
    monkey.privacy.end = end

    def make(messages: list[Any]) -> Any:
        tests = tests_end.Tests(Script(messages))
        for value in (len, iter([1]), Handed()):
            tests.expose(value)
        return tests

    return make


class Handed:
    """An object of a class of the tests."""

    __module__ = "__main__"
    _kept = "a secret"
    given = 3


@given(
    st.lists(
        st.tuples(st.sampled_from(["do", "ok", "exit", "failed", "x"]), st.lists(HOSTILE, max_size=4)),
        max_size=4,
    )
)
@pytest.mark.slow
def test_no_answer_gets_more_out_of_the_tests_than_a_value(
    tests_end: Callable[[list[Any]], Any], script: list[tuple[str, list[Any]]]
) -> None:
    tests = tests_end([[kind, *rest] for kind, rest in script])
    with contextlib.suppress(End):
        tests.request("call", 0, ([1],))


@given(HOSTILE, HOSTILE)
def test_a_forged_exception_is_an_exception(
    tests_end: Callable[[list[Any]], Any], types: object, arguments: object
) -> None:
    tests = tests_end([["raise", 1, [], [], [types, arguments, "", [], None, -1], -1]])
    with pytest.raises((End, Exception)) as caught:
        tests.request("call", 0)
    assert not isinstance(caught.value, values.Broken | channel.Closed)


@pytest.mark.parametrize("operation", ["get", "set", "item", "str", "iter", "instance", "__class__"])
def test_the_solution_can_only_call_what_the_tests_gave_it(
    tests_end: Callable[[list[Any]], Any], operation: str
) -> None:
    for number in (0, 1):
        request = ["do", 1, operation, number, ["__globals__"], [], [], None]
        with pytest.raises(End):
            tests_end([request, ["ok", 1, [], [], 1]]).request("call", 0)


@pytest.mark.parametrize(
    "name", ["_kept", "__class__", "__dict__", "__init__", "__reduce__", "__getattribute__"]
)
def test_of_an_object_of_the_tests_the_solution_sees_what_is_public(
    tests_end: Callable[[list[Any]], Any], name: str
) -> None:
    get = tests_end([]).operations["get"]
    assert get(Handed(), "given") == 3
    with pytest.raises(AttributeError):
        get(Handed(), name)


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("prompt", "tests", "entry", "expected", "missing"),
    [
        ("def f(x):\n", "assert abs(f(1)) == 1", "f", "f", ""),
        ("", "assert sum(1, 2) == 3", "", "sum", ""),
        ("", "assert sum(total) == 3", "", "total", ""),
        ("", "assert int(f(1)) == 3", "", "f", ""),
        ("", "import sys\nassert f(1) == sys.maxsize == math.inf", "", "f", ""),
        ("def g(x):\n    return x\n\ndef f(x):\n    '''d'''\n", "assert g(f(1)) == 1", "f", "f", ""),
        ("def g(x):\n    pass\n\ndef f(x):\n", "assert g(f(1)) == 1", "f", "f g", ""),
        ("what it does:", "def check(c):\n    assert c(1)\ncheck(f)", "", "f", ""),
        ("", "assert isclose(f(1), 3) and f(sqrt(2))", "", "f", ""),
        ("", "assert gcd(4, 6) == 2", "", "gcd", ""),
        ("", "assert approx(f(1), 3)", "", "f", "approx"),
        ("def f(x):\n", "assert np.allclose(f(1), 3)", "f", "f", "np"),
        ("def f(x):\n", "assert same(f(1), 3)", "f", "f", "same"),
        ("def f(x):\n", "ok = same(f(1), 3)\nassert ok", "f", "f", "same"),
        ("def f(x):\n", "p = Pair(1)\nassert f(p, Pair(2)) == 3", "f", "Pair f", ""),
        ("# write f and Pair\ndef f(x):\n", "assert isinstance(f(1), Pair)", "f", "Pair f", ""),
    ],
)
def test_names_come_from_the_solution_only_if_nobody_else_has_them(
    prompt: str, tests: str, entry: str, expected: str, missing: str, tmp_path: Path
) -> None:
    known: dict[str, Any] = {}
    posed = names.trusted(written(tmp_path, "prompt.py", prompt), "", known)
    assert posed.entry == entry
    wanted = names.wanted(ast.parse(tests), tests, posed, known)
    assert (wanted.names, wanted.missing) == (expected.split(), missing.split())
