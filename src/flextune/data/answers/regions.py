"""Tags in which an answer puts its code: ``<answer>``, ``[PYTHON]``, ``<pre><code>`` and the like."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flextune.data.answers.rules import Trace
from flextune.data.answers.tokens import quoted

_NAMES = (
    r"answer|final_?answer|solution|final_?solution|response|final_?response|final|code|result|implementation"
)
_OPENING = re.compile(
    rf"<pre[^<>]*>\s*<code[^<>]*>\n?|<(?P<angle>{_NAMES})(?:\s[^<>\n]*)?>"
    r"|\[(?P<square>ANSWER|PYTHON|JAVA|CODE|SOLUTION|BEGIN)\]"
    r"|<\|(?P<sky>begin_of_(?:solution|answer|box))\|>|<\|(?P<cohere>START_(?:RESPONSE|TEXT))\|>",
    re.IGNORECASE,
)
#: Only so many tags at the end are looked at.
_MOST_TAGS = 20
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
_CDATA = re.compile(r"\A\s*<!\[CDATA\[\n?(.*?)\]\]>\s*\Z", re.DOTALL)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|\#39|\#x27|apos);")
_JSON = json.JSONDecoder(strict=False)
#: What stands before the arguments of a call.
_CALL = re.compile(r"(?:(?:<\|[^\s<>|]{1,48}\|>|\[TOOL_CALLS\]|functions\.\w+:\d+)\s*){1,9}(?=[{\[])")
#: Fields of a structured answer, the likeliest first.
_FIELDS = (
    "code",
    "solution",
    "program",
    "answer",
    "final_answer",
    "implementation",
    "completion",
    "python",
    "content",
)


def structured(text: str, trace: Trace) -> str:
    """The code of an answer that is a JSON object, a list of them, or a call of a tool; else the text."""
    part = _json_part(text)
    begin = _CALL.match(part)
    try:
        value = _JSON.raw_decode(part, begin.end())[0] if begin else _JSON.decode(part)
    except (ValueError, RecursionError):
        return text
    for fields in _objects(value):
        for name in _FIELDS:
            code = fields.get(name)
            if isinstance(code, str) and code.strip():
                trace.note("structured", name)
                return code
    return text


def _json_part(text: str) -> str:
    """What may be JSON: the call of a tool, the only block of an answer, or all of it."""
    text = text.strip().removeprefix("<tool_call>").removesuffix("</tool_call>")
    parts = text.split("```")
    return parts[1].removeprefix("json") if len(parts) in (2, 3) else text


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Objects that may hold the code: the value, what a list has first, the arguments of a call."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        yield value
        for name in ("arguments", "parameters", "input"):
            yield from _objects(value.get(name))


def answer_region(text: str, holds: Sequence[Callable[[str], bool]], trace: Trace) -> str:
    """What the last pair of the answer's own tags encloses, if there is code; else the text as it is.

    Args:
        text: An answer without its reasoning.
        holds: Whether a part of it is the answer; the first that holds for any part decides.
        trace: Told of the tags.
    """
    regions = []
    for opening in list(_OPENING.finditer(text))[-_MOST_TAGS:]:
        fenced = len(_FENCE.findall(text, 0, opening.start())) % 2
        boxed = opening["sky"] == "begin_of_box"
        if fenced or quoted(text, opening.start()) or not (boxed or _stands_alone(text, opening)):
            continue
        end = re.compile(_closing(opening), re.IGNORECASE).search(text, opening.end())
        inner = text[opening.end() : end.start() if end else len(text)]
        if opening[0].lower().startswith("<pre"):
            inner = _ENTITY.sub(lambda entity: html.unescape(entity[0]), inner)
        inner = _CDATA.sub(r"\1", inner)
        regions.append((opening[0].strip(), inner))
    for is_answer in holds:
        for tag, inner in reversed(regions):
            if inner.strip() and is_answer(inner):
                trace.note("answer-tags", tag)
                return inner
    return text


def unescaped(text: str, trace: Trace) -> str:
    """A text without the entities of HTML, if something on its way escaped all of it.

    Then no ``<``, ``>`` and ``&`` is left as it is, and an entity stands outside the literals of its line.
    """
    entities = list(_ENTITY.finditer(text))
    if re.search("[<>&]", _ENTITY.sub("", text)) or all(quoted(text, e.start()) for e in entities):
        return text
    trace.note("escaped")
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _stands_alone(text: str, opening: re.Match[str]) -> bool:
    """Whether a tag begins its line, or only other tags stand before it: prose may mention one."""
    line = text[text.rfind("\n", 0, opening.start()) + 1 : opening.start()]
    return not re.sub(r"<[^<>]*>", "", line).strip()


def _closing(opening: re.Match[str]) -> str:
    if opening["angle"]:
        return f"</{opening['angle']}>"
    if opening["square"]:
        return r"\[DONE\]|\[END\]" if opening["square"].upper() == "BEGIN" else rf"\[/{opening['square']}\]"
    if opening["sky"]:
        return rf"<\|{opening['sky'].replace('begin', 'end')}\|>"
    if opening["cohere"]:
        return rf"<\|{opening['cohere'].replace('START', 'END')}\|>"
    return r"\s*</code>"
