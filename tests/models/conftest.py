from __future__ import annotations

from tests.support.tiny import loaded, model_folder, one_thread

__all__ = ["loaded", "model_folder", "one_thread"]
