"""The list of callbacks that a Trainer calls, found from inside one of them."""

from __future__ import annotations

import sys

from transformers import TrainerCallback
from transformers.trainer_callback import CallbackHandler


def handler_of(callback: TrainerCallback) -> CallbackHandler | None:
    """The list that is being called; None where Python does not show its frames.

    No event hands it over. Its owner is the caller, or one further up where a subclass has extended the
    event.

    Args:
        callback: A member of it.
    """
    frame = sys._getframe(1) if hasattr(sys, "_getframe") else None
    while frame is not None:
        handler = frame.f_locals.get("self")
        if isinstance(handler, CallbackHandler) and callback in handler.callbacks:
            return handler
        frame = frame.f_back
    return None
