"""What a model thinks aloud before it answers, in the markup of each family."""

from __future__ import annotations

import itertools
import re

from flextune.data.answers.rules import Trace
from flextune.data.answers.tokens import quoted

_NAME = (
    r"(?:[a-z]\w*:)?(?:[a-z]+[_-])?(?:(?:ant)?think(?:ing)?|thoughts?|reason(?:ing|s)?|reflect(?:ion|ing)?|"
    r"scratch_?pad|analy(?:sis|ze|zing)|monologue|rationale|deliberat(?:ion|e)|brainstorm(?:ing)?|cot|"
    r"chain[_-]of[_-]thoughts?|plan(?:ning)?|ponder(?:ing)?|contemplat(?:ion|or|e|ing)|critique|"
    r"verif(?:y|ication)|draft|working|work)(?:[_-][a-z]+)?"
)
#: What stands between the bars of a token.
_THOUGHT = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection)"
#: Pairs that are no element of one name: opening, closing.
_PAIRS = (
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (
        rf"<\|(?:begin_|start_)?{_THOUGHT}(?:_start)?\|>",
        rf"<\|(?:/{_THOUGHT}|{_THOUGHT}_end|end_{_THOUGHT})\|>",
    ),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    (r"<\|channel>thought", r"<channel\|>"),
    (r"<unused94>", r"<unused95>"),
    (
        r"<details(?:\s[^<>\n]{0,200})?>\s*<summary>[^\n]{0,40}(?:[Tt]hink|[Tt]hought|[Rr]eason)[^\n]{0,40}</summary>",
        r"</details>",
    ),
)
# A list in code may begin a line, but not one of capitals.
_OPENING = re.compile(
    rf"^[ \t]*(?:(?:<s>|<bos>|<[|\uff5c]begin[_\u2581]of[_\u2581](?:text|sentence)[|\uff5c]>)[ \t]*)?"
    rf"(?:<(?P<angle>(?i:{_NAME}))(?:\s[^<>\n]{{0,200}})?>|\[(?P<square>THINK(?:ING)?|REASONING|THOUGHTS?)\]"
    rf"|\u25c1(?P<triangle>{_NAME})\u25b7"
    rf"|{'|'.join(f'(?P<pair{number}>{first})' for number, (first, _) in enumerate(_PAIRS))})",
    re.MULTILINE,
)
_CLOSING = re.compile(
    rf"</(?i:{_NAME})>|\[/(?i:THINK(?:ING)?|REASONING|THOUGHTS?)\]|\u25c1/{_NAME}\u25b7"
    rf"|{'|'.join(closing for _, closing in _PAIRS[:-1])}"
)
#: Only so many tags are looked at before the first that stands outside a block.
_MOST_TAGS = 100
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)

# OpenAI's harmony format, and what is left of it where a decoder dropped the special tokens.
_CHANNEL = re.compile(r"<\|channel\|>[ \t]*(\w+)[^<\n]{0,99}?(?:<\|constrain\|>\w+)?[ \t]*<\|message\|>")
_MESSAGE_ENDS = re.compile(r"<\|(?:end|return|call|start)\|>")
_BARE_FINAL = re.compile(r"\Aanalysis.*assistant ?final(?:<\|message\|>)?", re.DOTALL)
_GRANITE = re.compile(r"\A\s*Here is my thought process:.*?Here is my response:", re.DOTALL)


def split_channels(text: str, trace: Trace) -> tuple[str, str]:
    """Answer and reasoning of a text in channels; any other text is all answer."""
    channels = list(_CHANNEL.finditer(text))
    if channels:
        ends = [channel.start() for channel in channels[1:]] + [len(text)]
        messages = [
            (channel[1], _message(text[channel.end() : end]))
            for channel, end in zip(channels, ends, strict=True)
        ]
        # Its first channel may have been opened in the prompt.
        final = [said for channel, said in messages if channel == "final" and said.strip()]
        thoughts = "\n".join(said for channel, said in messages if channel != "final")
        if final:
            trace.note("final-channel")
        return (final[-1] if final else ""), thoughts
    for pattern in (_BARE_FINAL, _GRANITE):
        if found := pattern.match(text):
            trace.note("final-channel" if pattern is _BARE_FINAL else "reasoning")
            return text[found.end() :], found[0]
    return text, ""


def _message(text: str) -> str:
    end = _MESSAGE_ENDS.search(text)
    return text[: end.start() if end else len(text)]


def begins_with_reasoning(text: str) -> bool:
    """Whether a text begins with an opening tag or a channel: it is the answer of a chat model."""
    text = text.lstrip()
    return _OPENING.match(text) is not None or _CHANNEL.match(text) is not None


def split_reasoning(text: str, trace: Trace) -> tuple[str, str]:
    """Answer and reasoning of a text in tags.

    A tag opens where a line begins, outside fenced blocks. A closing tag without an opening one ends what was
    opened in the prompt; an opening one that is never closed runs to the end.
    """
    answer: list[str] = []
    thoughts: list[str] = []
    position = 0
    while len(thoughts) < _MOST_TAGS and (opening := _opening(text, position)) is not None:
        answer.append(text[position : opening.start()])
        closing = _closing(text, opening)
        inner = text[opening.end() : closing.start() if closing else len(text)]
        thoughts.append(inner)
        trace.note("reasoning", opening[0].strip() + ("" if closing else ", never closed"))
        position = closing.end() if closing else len(text)
    rest = text[position:]
    closings = list(_CLOSING.finditer(rest))[-_MOST_TAGS:]
    end = next((found for found in reversed(closings) if _ends(rest, found)), None)
    if end is not None:
        trace.note("reasoning", f"up to {end[0]}")
        thoughts.append("".join(answer) + rest[: end.start()])
        return rest[end.end() :], "\n".join(thoughts)
    return "".join(answer) + rest, "\n".join(thoughts)


def _ends(text: str, closing: re.Match[str]) -> bool:
    """Whether a closing tag without an opening one ends reasoning; a comment or docstring may mention it.

    Within a block only a tag that begins its line does: the reasoning broke off in the block.
    """
    if quoted(text, closing.start()):
        return False
    before = text[: closing.start()]
    begins = not before[before.rfind("\n") + 1 :].strip()
    return begins or len(_FENCE.findall(before)) % 2 == 0


def _opening(text: str, position: int) -> re.Match[str] | None:
    for found in itertools.islice(_OPENING.finditer(text, position), _MOST_TAGS):
        # Where the spans before end within a line, no line begins; the pattern wants one.
        if len(_FENCE.findall(text, position, found.start())) % 2 == 0:
            return found
    return None


def _closing(text: str, opening: re.Match[str]) -> re.Match[str] | None:
    if name := opening["angle"]:
        closing = rf"</{re.escape(name)}>"
    elif name := opening["square"]:
        closing = rf"\[/{name}\]"
    elif name := opening["triangle"]:
        closing = f"\u25c1/{re.escape(name)}\u25b7"
    else:
        closing = next(last for n, (_, last) in enumerate(_PAIRS) if opening[f"pair{n}"])
    for found in re.compile(closing, re.IGNORECASE).finditer(text, opening.end()):
        if not quoted(text, found.start()):
            return found
    return None
