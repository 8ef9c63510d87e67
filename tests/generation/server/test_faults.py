"""A server that fails in every way: nothing lost, nothing doubled, and what cannot pass said at once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.decoding import answers
from tests.support.serving import FAULTS, FakeServer, serving, words

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.engine import Answer, Request
from flextune.generation.server.retrying import Patience, told_to_wait
from flextune.records import Problem

PROBLEMS = [Problem(f"p{number}", "mine", "py", f"def f{number}():\n", "t") for number in range(6)]
SAMPLED = DecodeConfig(strategy="sample", temperature=0.8, n=4, max_new_tokens=64)
GREEDY = DecodeConfig(max_new_tokens=64)

#: Requests before the work: one to see that the model is there, four draws and one of them again.
CHECKS = 6


def texts(fake: FakeServer, decode: DecodeConfig = SAMPLED, seed: int = 0, **changes: Any) -> dict:
    found = answers(fake.engine(**changes), PROBLEMS, decode, seed)
    assert len({(each.name, each.sample) for each in found}) == len(found)
    return {(each.name, each.sample): each.text for each in found}


@pytest.fixture(scope="module")
def expected() -> dict:
    """What a server without faults answers."""
    with serving() as fake:
        found = texts(fake)
    assert len(found) == len(set(found.values())) == 24
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_another_try_and_no_answer(fault: str, expected: dict):
    # The first requests are the checks before the work.
    with serving(fault=lambda number: fault if number in (8, 11, 12) else None) as fake:
        assert texts(fake) == expected
    assert len(fake.requests) - len(fake.answered) == 3


def test_under_a_storm_of_faults_nothing_is_lost_and_nothing_doubled(expected: dict):
    draw = random.Random(5)
    fast = [fault for fault in FAULTS if fault != "slow"]
    storm = [draw.choice(fast) if draw.random() < 0.5 else None for _ in range(2000)]
    with serving(fault=lambda number: storm[number] if number >= CHECKS else None) as fake:
        assert texts(fake, retries=40) == expected
    wanted = Counter((body["prompt"], body["seed"]) for body in fake.answered[CHECKS:])
    assert set(wanted.values()) == {1}


@pytest.mark.parametrize("fault", ["500", "cut", "garbage"])
def test_what_never_passes_ends_in_one_line_and_keeps_what_was_answered(fault: str):
    with serving(fault=lambda number: fault if number > 12 else None) as fake:
        found: list[Answer] = []
        groups = fake.engine(retries=2).answer([Request(PROBLEMS, SAMPLED, 0)])
        with pytest.raises(FlextuneError) as raised:
            found.extend(answer for group in groups for answer in group)
    assert "after 3 tries" in str(raised.value)
    assert fake.url in str(raised.value)
    assert "\n" not in str(raised.value)
    assert 0 < len(found) < 24
    assert len({(a.completion.name, a.completion.sample) for a in found}) == len(found)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_no_other_try_mends_is_said_at_once(status: int):
    refusal = (status, "model `other` does not exist")
    with serving(refuse=lambda body: refusal) as fake, pytest.raises(FlextuneError) as raised:
        answers(fake.engine(), PROBLEMS, GREEDY)
    assert f"HTTP {status} (model `other` does not exist)" in str(raised.value)
    assert len(fake.requests) == 1


def test_a_server_that_answers_nothing_is_not_asked_for_long():
    said = "HTTP 500 after 3 tries"
    with serving(fault=lambda number: "500") as fake, pytest.raises(FlextuneError, match=said):
        answers(fake.engine(retries=50), PROBLEMS, GREEDY)
    assert len(fake.requests) == 3


def test_nobody_there_is_one_line():
    with serving() as fake:
        pass
    with pytest.raises(FlextuneError, match=r"no connection .*is the server running"):
        answers(fake.engine(), PROBLEMS, GREEDY)


def test_a_slow_server_is_one_line():
    said = r"no answer in 0\.5 s; raise generate\.server\.timeout"
    with (
        serving(fault=lambda number: "slow" if number else None) as fake,
        pytest.raises(FlextuneError, match=said),
    ):
        answers(fake.engine(retries=0), PROBLEMS[:1], GREEDY)


@pytest.mark.slow
def test_no_more_requests_at_once_than_allowed():
    with serving(delay=0.01) as fake:
        texts(fake, concurrency=3)
    assert fake.most == 3
    with serving(delay=0.01) as fake:
        texts(fake, SAMPLED.model_copy(update={"batch_size": 2}), concurrency=8)
    assert fake.most == 2


def test_what_is_there_already_is_not_asked_for():
    with serving() as fake:
        done = {(problem.name, sample) for problem in PROBLEMS[1:] for sample in range(4)} | {("p0", 2)}
        groups = fake.engine().answer([Request(PROBLEMS, SAMPLED, 0, done)])
        found = [(answer.completion.name, answer.completion.sample) for group in groups for answer in group]
        assert sorted(found) == [("p0", 0), ("p0", 1), ("p0", 3)]
        asked = len(fake.requests)
        everything = done | set(found)
        assert list(fake.engine().answer([Request(PROBLEMS, SAMPLED, 0, everything)])) == []
        assert len(fake.requests) == asked


@pytest.mark.slow
def test_each_sample_has_a_seed_of_its_own_whatever_else_is_asked():
    with serving() as fake:
        texts(fake)
        seeds = {(body["prompt"], body["seed"]) for body in fake.answered[CHECKS:]}
        assert len(seeds) == len({seed for _, seed in seeds}) == 24
        fake.answered.clear()
        answers(fake.engine(), PROBLEMS[2:3], SAMPLED)
        again = {(body["prompt"], body["seed"]) for body in fake.answered[CHECKS:]}
        assert again == {pair for pair in seeds if pair[0] == PROBLEMS[2].prompt}
        fake.answered.clear()
        texts(fake, seed=1)
        assert not seeds & {(body["prompt"], body["seed"]) for body in fake.answered[CHECKS:]}


def test_leaving_early_ends_what_is_in_flight():
    with serving(delay=0.02) as fake:
        running: Any = fake.engine(concurrency=2).answer([Request(PROBLEMS, SAMPLED, 0)])
        next(running)
        running.close()
        assert "requests" not in {thread.name for thread in threading.enumerate()}
    assert len(fake.requests) < 24


def test_a_failed_request_waits_longer_each_time_and_as_long_as_the_server_says():
    patience = Patience(8)
    waits = [patience.seconds(attempt, None) for attempt in range(10)]
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits[:6]))
    assert max(waits) <= 30
    assert patience.seconds(0, 7.5) == 7.5
    assert patience.seconds(0, 10_000) == 300


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("", None), ("-1", 0.0)],
)
def test_retry_after_is_read_as_seconds_or_a_date(header: str, seconds: float | None):
    error = Exception()
    error.response = SimpleNamespace(headers={"retry-after": header})  # type: ignore[attr-defined]
    assert told_to_wait(error) == seconds


def test_words_differ_by_their_parts():
    assert words("a", 1) != words("a", 2)
