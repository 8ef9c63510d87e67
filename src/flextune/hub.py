"""The Hugging Face hub: whether it can be reached is found out once, in seconds and without noise."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

#: Seconds in which a connection must be there; what is in the cache is used without one.
PATIENCE = 3.0

#: Seconds for which an answer is believed.
_MEMORY = 30.0
_answers: dict[str, tuple[float, str | None]] = {}
_LOGGERS = ("huggingface_hub", "datasets", "httpx")


@contextlib.contextmanager
def reach_hub() -> Iterator[str | None]:
    """Read from the hub inside the ``with`` block; without a network only from its cache.

    The hub's libraries try six times, over half a minute and with two lines each. Here one connection is
    tried first, and if there is none they are told that they are offline for the length of the block.

    Yields:
        Why the hub cannot be reached; None where it can, or where the user has switched it off.
    """
    from huggingface_hub import constants

    with _quiet():
        if constants.HF_HUB_OFFLINE:
            yield "HF_HUB_OFFLINE is set"
            return
        reason = _remembered(constants.ENDPOINT)
        if reason is None:
            yield None
            return
        with _offline(constants):
            yield reason


def _remembered(endpoint: str) -> str | None:
    """As ``unreachable``, asked again only after a while."""
    asked, reason = _answers.get(endpoint, (-_MEMORY, None))
    if time.monotonic() - asked >= _MEMORY:
        reason = unreachable(endpoint)
        _answers[endpoint] = time.monotonic(), reason
    return reason


def unreachable(endpoint: str, patience: float = PATIENCE) -> str | None:
    """Why no connection to an address (or to the proxy before it) can be had; None if there is one.

    Args:
        endpoint: ``https://huggingface.co``.
        patience: Seconds to wait.
    """
    place = urlsplit(_proxy(endpoint) or endpoint)
    port = place.port or (80 if place.scheme == "http" else 443)
    outcome: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((place.hostname or "", port), timeout=patience).close()
        except OSError as error:
            outcome.append(f"{place.hostname}: {error.strerror or error}")
        else:
            outcome.append(None)

    # In a thread: nothing else puts an end to a name server that does not answer.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(patience)
    return outcome[0] if outcome else f"{place.hostname}: no answer in {patience:g} s"


def _proxy(endpoint: str) -> str | None:
    """The proxy that the environment names for an address."""
    place = urlsplit(endpoint)
    if urllib.request.proxy_bypass(place.hostname or ""):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(place.scheme) or proxies.get("all")
    return proxy if proxy is None or "//" in proxy else f"http://{proxy}"


@contextlib.contextmanager
def _offline(constants: Any) -> Iterator[None]:
    # datasets has a copy of the setting, made when it was imported.
    places = [constants, *filter(None, [sys.modules.get("datasets.config")])]
    before = [place.HF_HUB_OFFLINE for place in places]
    for place in places:
        place.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            place.HF_HUB_OFFLINE = value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
