"""The Hugging Face hub within seconds: where it cannot be reached, only its cache is asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

#: Seconds to wait for the hub's first answer.
PATIENCE = 3.0


def reachable() -> bool:
    """Whether the hub answers, asked once and briefly; proxies and mirrors are those of huggingface_hub."""
    from huggingface_hub import constants, get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    # What it raises without a network differs from release to release.
    except Exception:
        return False
    return True


@contextlib.contextmanager
def only_cached() -> Iterator[None]:
    """Inside the ``with`` block ``datasets`` asks nobody; by itself it would retry for half a minute."""
    import datasets
    from huggingface_hub import constants

    places: list[tuple[Any, str]] = [(constants, "HF_HUB_OFFLINE")]
    places += [(datasets.config, name) for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")]
    before = [(place, name, getattr(place, name)) for place, name in places]
    try:
        for place, name in places:
            setattr(place, name, True)
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)
