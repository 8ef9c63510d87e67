"""The trials of a sweep, one after another or, on a cluster, side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from flextune.runner.units import Executor
from flextune.search.base import Search, words
from flextune.sweeps.trials import Trying


def try_all(trying: Trying, search: Search) -> None:
    """Try what a search proposes until it proposes nothing more, beside any other workers.

    With an executor that is done in as many threads as it has slots; each is a worker that waits for units.

    Raises:
        FlextuneError: A trial failed with what a user can mend.
    """
    executor = trying.execution.options.executor
    if executor is None or search.in_turn:
        _work(trying, search)
    else:
        _work_in_threads(trying, search, executor)


def _work(trying: Trying, search: Search, stop: Callable[[], bool] = lambda: False) -> None:
    reporter = trying.execution.options.reporter
    while (claim := trying.ledger.claim(search, stop)) is not None:
        trial = claim.trial
        reporter.note(f"trial {trial.number}: {words(trial.settings)}")
        try:
            trying.run(trial)
        finally:
            claim.lock.close()
        row = trying.ledger.row(trial.number)
        value = row["value"]
        how = row["state"] if value is None else f"{row['state']}, {trying.space.sweep.objective} {value:.4g}"
        reporter.note(f"trial {trial.number}: {how}")


def _work_in_threads(trying: Trying, search: Search, executor: Executor) -> None:
    stopped = threading.Event()
    count = executor.slots
    with ThreadPoolExecutor(count, "trial") as pool:
        workers = [pool.submit(_work, trying, search, stopped.is_set) for _ in range(count)]
        try:
            for worker in as_completed(workers):
                worker.result()
        except BaseException:
            stopped.set()
            executor.stop()
            raise
