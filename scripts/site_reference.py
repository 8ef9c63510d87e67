"""The reference pages of the site, made from the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

import flextune
from flextune.cli.app import app
from flextune.cli.options import BENCHMARKS
from flextune.config import schema
from flextune.registry import BENCHMARKS as REGISTERED

Json = dict[str, Any]
ANYTHING = "anything"
TYPES = {
    "boolean": "`true`, `false`",
    "integer": "an integer",
    "null": "`null`",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def pages() -> dict[str, str]:
    """Name to Markdown of each page."""
    return {"commands": commands(), "keys": keys(), "python": calls()}


def commands() -> str:
    """Every command with its arguments and options, as ``--help`` has them."""
    group = get_command(app)
    context = typer.Context(group, info_name="flextune", help_option_names=["-h", "--help"])
    text = get_docs_for_click(obj=group, ctx=context, name="flextune", title="Commands")
    # The lists of a group's commands cut their descriptions; all of them follow.
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n", "", text)
    return text.replace(BENCHMARKS, ", ".join(REGISTERED.names()))


def calls() -> str:
    """The public names of ``import flextune``, by their docstrings."""
    parts = ["# Python", "`import flextune as ft` has these names. Each is imported when it is first used."]
    for name in flextune.__all__:
        home = getattr(flextune, name).__module__
        parts.append(f"::: {home}.{name}")
    return "\n\n".join(parts) + "\n"


def keys() -> str:
    """Every key of an experiment file, section by section."""
    document = schema()
    # An arm has every key of an experiment; its table would be all of this page again.
    own = {key: document["$defs"]["ArmConfig"]["properties"][key] for key in ("name", "tune", "match")}
    document["$defs"]["ArmConfig"]["properties"] = own
    parts = [
        "# Keys of an experiment",
        "`flextune schema` prints the same as a JSON schema, for editors.",
        *_sections(document, "", document["properties"], document.get("required", []), set()),
    ]
    return "\n\n".join(parts) + "\n"


def _sections(
    document: Json, path: str, properties: Json, required: list[str], done: set[str]
) -> Iterator[str]:
    """The table of one section, then the sections in it."""
    rows = [
        f"| `{key}` | {_values(node)} | {_default(key, node, required)} | {_words(node)} |"
        for key, node in properties.items()
    ]
    yield "\n".join(["| key | values | default | meaning |", "|---|---|---|---|", *rows])
    for key, node in properties.items():
        for name in _references(node):
            if name not in done:
                done.add(name)
                inner = document["$defs"][name]
                place = f"{path}.{key}" if path else key
                yield _heading(place, inner)
                yield _words(inner)
                yield from _sections(document, place, inner["properties"], inner.get("required", []), done)


def _heading(place: str, section: Json) -> str:
    """The place of a section; an optimizer's with its name."""
    name = section["properties"].get("name", {}).get("const")
    return f"## `{place}`: `{name}`" if name else f"## `{place}`"


def _references(node: Any) -> Iterator[str]:
    """Names of the sections that a key may hold."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for key, value in node.items():
            if key != "default":
                yield from _references(value)


def _values(node: Json) -> str:
    """What a key takes, in a few words."""
    if "$ref" in node:
        return "a section"
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in node:
            found = dict.fromkeys(_values(option) for option in node[choice])
            return " or ".join(words for words in found if words != ANYTHING) or ANYTHING
    if node.get("type") == "array":
        return _list(node.get("items", {}))
    return _plain(node)


def _list(item: Json) -> str:
    if "$ref" in item:
        return "a list of sections"
    several = {"string": "texts", "integer": "integers", "number": "numbers"}.get(item.get("type", ""))
    return f"a list of {several}" if several and "enum" not in item else "a list"


def _plain(node: Json) -> str:
    limits = [f"{sign} {node[key]}" for key, sign in BOUNDS.items() if key in node]
    return " ".join([TYPES.get(node.get("type", ""), ANYTHING), ", ".join(limits)]).strip()


def _default(key: str, node: Json, required: list[str]) -> str:
    if key in required:
        return "needed"
    if isinstance(node.get("default"), dict) or "default" not in node:
        return ""
    return f"`{json.dumps(node['default'])}`"


def _words(node: Json) -> str:
    return " ".join(node.get("description", "").split()).replace("|", "\\|")
