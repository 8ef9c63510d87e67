from __future__ import annotations

from tests.tiny import loaded, model_folder, one_thread

__all__ = ["loaded", "model_folder", "one_thread"]
