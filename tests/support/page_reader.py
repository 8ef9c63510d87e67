"""Reads a page of HTML as a browser would."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any


class Reader(HTMLParser):
    """What a browser would find: elements with attributes, scripts with their text, shown text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.shown: list[str] = []
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts[-1] += data
        elif not self.inside:
            self.shown.append(data)

    def json(self, name: str) -> Any:
        scripts = [attrs for tag, attrs in self.tags if tag == "script"]
        place = next(i for i, attrs in enumerate(scripts) if attrs.get("id") == name)
        return json.loads(self.scripts[place])

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.shown))
