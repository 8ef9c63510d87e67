from __future__ import annotations

from tests.support.tiny import one_thread

__all__ = ["one_thread"]
