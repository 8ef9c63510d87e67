"""A Ray cluster of two nodes on this machine, on the loopback interface alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pytest

#: Read by Ray when it is imported. The second one's name is of other systems: every server is on 127.0.0.1.
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


@dataclass(frozen=True)
class TwoNodes:
    """The cluster; each node takes one task at a time."""

    cluster: Any

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add_second(self) -> Any:
        """Start the second node."""
        return self.cluster.add_node(num_cpus=1, include_dashboard=False)

    def remove(self, node: Any) -> None:
        """As a machine that loses its power."""
        self.cluster.remove_node(node, allow_graceful=False)


@contextlib.contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """A cluster whose first node this process may join; tests are skipped where there is no Ray."""
    # Paths of sockets have 107 bytes at most, and those of pytest's folders are long.
    folder = tempfile.mkdtemp(prefix="ft")
    with mock.patch.dict(os.environ, {**SETTINGS, "RAY_TMPDIR": folder}):
        pytest.importorskip("ray", reason="needs Ray: pip install 'flextune[cluster]'")
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            yield TwoNodes(cluster)
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)
