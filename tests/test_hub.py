"""Whether the hub can be reached: found out once, and without noise."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from flextune import hub

NOWHERE = "http://127.0.0.1:9"
constants = pytest.importorskip("huggingface_hub.constants")


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub, "_answers", {})


@pytest.fixture
def listening() -> Iterator[str]:
    """The address of somebody who takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_address_that_answers_and_one_that_does_not(listening: str) -> None:
    assert hub.unreachable(listening) is None
    assert hub.unreachable(NOWHERE) == "127.0.0.1: Connection refused"


def test_a_proxy_is_what_has_to_answer(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", listening.removeprefix("http://"))
    assert hub.unreachable("http://hub.invalid") is None
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert hub.unreachable(NOWHERE) is not None


def test_without_a_network_the_libraries_are_offline_for_the_block_and_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def ask(endpoint: str) -> str:
        asked.append(endpoint)
        return "no network"

    monkeypatch.setattr(hub, "unreachable", ask)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    for _ in range(2):
        with hub.reach_hub() as reason:
            assert (reason, constants.HF_HUB_OFFLINE, logger.level) == ("no network", True, logging.ERROR)
        assert (constants.HF_HUB_OFFLINE, logger.level) == (False, level)
    assert len(asked) == 1


def test_a_hub_that_is_switched_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "unreachable", lambda endpoint: pytest.fail("asked"))
    with hub.reach_hub() as reason:
        assert reason == "HF_HUB_OFFLINE is set"
