"""Asking a server that has the model, over an OpenAI-compatible API."""

from __future__ import annotations

from flextune.generation.server.engine import ServerEngine
from flextune.generation.server.served import Served

__all__ = ["Served", "ServerEngine"]
