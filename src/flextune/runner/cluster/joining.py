"""How a command joins a Ray cluster, or starts one of its own, and leaves it."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.errors import FlextuneError, one_line
from flextune.extras import need
from flextune.launch import launched

if TYPE_CHECKING:
    from flextune.runner.cluster.executor import ClusterExecutor

#: Seconds for a connection to the cluster's first machine.
PATIENCE = 5.0
_REMEDY = "start one with `ray start --head`, or use --cluster local"


@contextmanager
def joined(address: str | None, cpus: int | None) -> Iterator[ClusterExecutor | None]:
    """An executor on a Ray cluster inside the ``with`` block; None without an address.

    Args:
        address: ``HOST:PORT`` of a cluster; ``auto``: the one that this machine belongs to; ``local``: one on
            this machine, for as long as the block.
        cpus: That each task gets; None: one.

    Raises:
        FlextuneError: Ray is not installed, or there is no such cluster.
    """
    if address is None:
        yield None
        return
    if launched().world > 1:
        raise FlextuneError("--cluster: start the command once, not by torchrun or accelerate launch")
    need("ray", what="--cluster")
    _check(address)
    _be_quiet(own=address == "local")
    import ray

    from flextune.runner.cluster.executor import ClusterExecutor
    from flextune.runner.cluster.ray_pool import RayPool

    handler = signal.getsignal(signal.SIGTERM)
    try:
        # Nothing of Ray's own goes to the terminal: what a task has to say comes back with its result.
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if address == "local" else None,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        # Ray says what is wrong in the cause, where there is one.
        why = one_line(error.__cause__ or error)
        if address == "auto" and _recorded() is None:
            why = f"no Ray cluster was found on this machine; {_REMEDY}"
        raise FlextuneError(f"--cluster {address}: {why}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
    executor = ClusterExecutor(RayPool(), cpus or 1)
    try:
        with _nothing_of_lost_nodes():
            yield executor
    finally:
        executor.close()
        ray.shutdown()


@contextmanager
def _nothing_of_lost_nodes() -> Iterator[None]:
    """Ray prints a lost node's last lines to standard output, where a command's result stands.

    No setting prevents that. Our own note says what was lost, and what is done again.
    """
    from ray._private import worker

    printing = getattr(worker, "print_to_stdstream", None)
    if printing is not None:
        worker.print_to_stdstream = lambda *args, **options: None
    try:
        yield
    finally:
        if printing is not None:
            worker.print_to_stdstream = printing


def _check(address: str) -> None:
    """Find out in seconds that nobody listens, where Ray would try for minutes.

    Raises:
        FlextuneError: No address, or nobody there.
    """
    place = _recorded() if address == "auto" else address
    if place in ("local", None):
        return
    parts = re.fullmatch(r"\[?([^/\]]+)\]?:(\d+)", place)
    if parts is None:
        raise FlextuneError(
            f"--cluster {address}: give HOST:PORT of the cluster's first machine, auto, or local, and start"
            " the command on a machine of the cluster"
        )
    try:
        socket.create_connection((parts[1], int(parts[2])), timeout=PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise FlextuneError(
            f"--cluster {address}: no Ray cluster answers at {place} ({one_line(error)}); {_REMEDY}"
        ) from None


def _recorded() -> str | None:
    """Where Ray looks for the cluster of this machine; None: nowhere that could be checked."""
    if place := os.environ.get("RAY_ADDRESS"):
        return place
    file = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray/ray_current_cluster"
    return file.read_text().strip() if file.is_file() else None


def _be_quiet(*, own: bool) -> None:
    """Settings that Ray reads when it is imported: it reports no usage, and what we start is on loopback."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if own:
        # Its name is of other systems, where this is the default: every server listens on 127.0.0.1 alone.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
