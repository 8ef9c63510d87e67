"""A reporter that keeps what a user would read."""

from __future__ import annotations

from flextune.progress import Silent


class Notes(Silent):
    """Notes in their order; stages are dropped."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)
