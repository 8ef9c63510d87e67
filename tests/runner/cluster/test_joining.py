from __future__ import annotations

import socket

import pytest

from flextune.errors import FlextuneError
from flextune.runner.cluster.joining import joined


def join(address: str) -> None:
    with joined(address, None):
        pytest.fail("there is no such cluster")


@pytest.fixture
def with_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Ray is asked for anything it makes no difference whether it is installed."""
    monkeypatch.setattr("flextune.extras.installed", lambda package: True)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def test_without_an_address_there_is_no_executor() -> None:
    with joined(None, 4) as executor:
        assert executor is None


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flextune.extras.installed", lambda package: False)
    with pytest.raises(FlextuneError, match=r"^--cluster needs ray: pip install 'flextune\[cluster\]'$"):
        join("auto")


@pytest.mark.usefixtures("with_ray")
def test_nobody_at_an_address_is_a_line_within_seconds() -> None:
    place = f"127.0.0.1:{closed_port()}"
    with pytest.raises(FlextuneError, match=f"^--cluster {place}: no Ray cluster answers at {place} "):
        join(place)


@pytest.mark.usefixtures("with_ray")
def test_a_cluster_of_this_machine_that_is_gone_is_named_by_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{closed_port()}")
    with pytest.raises(FlextuneError, match=r"^--cluster auto: no Ray cluster answers at 127\.0\.0\.1:"):
        join("auto")


@pytest.mark.usefixtures("with_ray")
@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:port", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(FlextuneError, match="give HOST:PORT of the cluster's first machine, auto, or local"):
        join(address)


def test_one_of_several_launched_processes_joins_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(FlextuneError, match="start the command once, not by torchrun"):
        join("local")
