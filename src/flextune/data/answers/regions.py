"""Tags in which an answer puts its code: ``<answer>``, ``[PYTHON]``, ``<pre><code>`` and the like."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable

from flextune.data.answers.rules import Trace
from flextune.data.answers.tokens import quoted

_NAMES = (
    r"answer|final_?answer|solution|final_?solution|response|final_?response|final|code|result|implementation"
)
_OPENING = re.compile(
    rf"<pre[^<>]*>\s*<code[^<>]*>\n?|<(?P<angle>{_NAMES})(?:\s[^<>\n]*)?>"
    r"|\[(?P<square>ANSWER|PYTHON|JAVA|CODE|SOLUTION|BEGIN)\]"
    r"|<\|(?P<sky>begin_of_(?:solution|answer))\|>|<\|(?P<cohere>START_(?:RESPONSE|TEXT))\|>",
    re.IGNORECASE,
)
#: Only so many tags at the end are looked at.
_MOST_TAGS = 20
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|\#39|\#x27|apos);")


#: Fields of a structured answer, the likeliest first.
_FIELDS = ("code", "solution", "program", "answer", "final_answer", "implementation", "completion", "python")


def structured(text: str, trace: Trace) -> str:
    """The code of an answer that is a JSON object; any other text as it is."""
    stripped = re.sub(r"\A\s*```(?:json)?\s*|\s*```\s*\Z", "", text).strip()
    if not stripped.startswith("{"):
        return text
    try:
        fields = json.loads(stripped, strict=False)
    except (ValueError, RecursionError):
        return text
    for name in _FIELDS:
        if isinstance(fields.get(name), str) and fields[name].strip():
            trace.note("structured", name)
            return str(fields[name])
    return text


def answer_region(text: str, holds_code: Callable[[str], bool], trace: Trace) -> str:
    """What the last pair of the answer's own tags encloses, if there is code; else the text as it is.

    Args:
        text: An answer without its reasoning.
        holds_code: Whether a part of it can be the answer.
        trace: Told of the tags.
    """
    regions = []
    for opening in list(_OPENING.finditer(text))[-_MOST_TAGS:]:
        fenced = len(_FENCE.findall(text, 0, opening.start())) % 2
        if fenced or quoted(text, opening.start()) or not _stands_alone(text, opening):
            continue
        end = re.compile(_closing(opening), re.IGNORECASE).search(text, opening.end())
        inner = text[opening.end() : end.start() if end else len(text)]
        if opening[0].lower().startswith("<pre") and _ENTITY.search(inner):
            inner = html.unescape(inner)
        regions.append((opening[0].strip(), inner))
    for tag, inner in reversed(regions):
        if inner.strip() and holds_code(inner):
            trace.note("answer-tags", tag)
            return inner
    return text


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
