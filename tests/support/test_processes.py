"""The tests' own two processes: a failure in either of them is a failure of the test."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from tests.support.processes import Together, needs_gloo, run_in_two_processes
from torch.multiprocessing.spawn import ProcessExitedException

pytestmark = [needs_gloo, pytest.mark.processes]


def sum_of_ranks(rank: int) -> float:
    total = torch.tensor(float(rank + 1))
    dist.all_reduce(total)
    return total.item()


def raises_in_one(rank: int) -> None:
    assert rank == 0, "only the other one"


def misses_an_error(rank: int) -> None:
    with pytest.raises(ValueError, match="never"):
        pass


def ends_one(rank: int) -> None:
    if rank == 1:
        os._exit(0)


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    jobs = (sum_of_ranks, raises_in_one, misses_an_error, ends_one)
    return run_in_two_processes({job.__name__: job for job in jobs}, tmp_path_factory.mktemp("processes"))


def test_both_return_what_they_worked_out_together(together: Together) -> None:
    assert together.returned("sum_of_ranks") == [3.0, 3.0]


def test_what_one_process_raises_fails_the_test_with_its_traceback(together: Together) -> None:
    with pytest.raises(
        pytest.fail.Exception, match=r"(?s)process 1: Traceback.*only the other one"
    ) as caught:
        together.returned("raises_in_one")
    assert "process 0" not in str(caught.value)


def test_an_error_that_did_not_come_fails_the_test(together: Together) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"(?s)process 0: .*DID NOT RAISE.*process 1: "):
        together.returned("misses_an_error")


def test_a_job_that_one_process_did_not_finish_fails_the_test(together: Together) -> None:
    with pytest.raises(pytest.fail.Exception, match="process 1: not finished"):
        together.returned("ends_one")


def exits(rank: int) -> None:
    os._exit(7)


def test_a_process_that_dies_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProcessExitedException, match="exit code 7"):
        run_in_two_processes({"exits": exits}, tmp_path)


def test_what_runs_when_the_time_is_over_is_killed(tmp_path: Path) -> None:
    before = multiprocessing.active_children()
    together = run_in_two_processes({"sum_of_ranks": sum_of_ranks}, tmp_path, seconds=0)
    assert multiprocessing.active_children() == before
    with pytest.raises(pytest.fail.Exception, match=r"not finished; all jobs together have 0 s"):
        together.returned("sum_of_ranks")
