"""Special tokens and turns of a chat, as they stand in a text whose decoder did not leave them out."""

from __future__ import annotations

import itertools
import re

from flextune.data.answers.rules import Trace

_BAR = r"[|\uff5c]"
_BARS = rf"<{_BAR}[^\s<>|\uff5c]{{1,48}}{_BAR}>"
_FIM = r"<(?:fim_(?:prefix|suffix|middle|pad)|PRE|SUF|MID|EOT|file_sep|repo_name|commit_\w+|jupyter_\w+)>"
_NAMED = (
    r"<(?:bos|eos|pad|unk|eod|eot|sop|eop|end_of_turn|start_of_turn|endoftext|end_of_sentence"
    r"|seed:[a-z]+os|extra_id_\d+|reserved_\d+|SPECIAL_\d+|issue_(?:start|comment|closed)|empty_output|reponame|gh_stars"
    r"|(?:turn|tool_call|tool_response)\||\|(?:turn|tool_call|tool_response))>"
    r"|\[(?:gMASK|sMASK|UNUSED_TOKEN_\d+|\|(?:endofturn|system|user|assistant|tool)\|)\]"
    # In D these could be code elsewhere.
    r"|\]~!b\[|\[e~\[(?=\s*(?:\Z|\]~))"
)
#: Markers that end an answer where a line begins with them, or follow a fence.
_LINE_MARKS = (
    r"(?:^|(?<=```))[ \t]*"
    r"(?:\[(?:DONE|END|EOS|/PYTHON|/ANSWER|/CODE|/SOLUTION)\]|</(?:answer|code|solution)>)"
)
_START = re.compile(rf"\A\s*(?:(?:{_BARS}|{_NAMED}|<s>|\[CLS\]|\[BOS\])[ \t]*\n?)+")
_END = re.compile(rf"{_BARS}|{_NAMED}|{_FIM}|</s>|\[/?INST\]|<</?SYS>>|{_LINE_MARKS}", re.MULTILINE)
_MIDDLE = re.compile(rf"<{_BAR}?(?:fim[_\u2581]?(?:middle|end)|MID){_BAR}?>")
#: A line's literals and inline code: what looks like a token there is text.
_LITERAL = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|(?<!`)`[^`\n]+`(?!`)")

#: A comment begins so, and a sentence; and so the latter goes on.
_COMMENT = re.compile(r"^[ \t]*(?:\#|//|--|;;)|[ \t]{2}(?:\#|//) ")
_SENTENCE = re.compile(r"[ \t]*(?:[-*>][ \t]+)?[A-Z][\w'\u2019]*[ \t]")
_GOES_ON = re.compile(r"[,;:)]?[ \t]*(?:(?:<[^<>\s]{1,40}>|and)[, \t]+){0,9}[a-z(]")

#: A literal reaches so far to either side at most.
_NEAR = 500

_ROLES = r"system|user|assistant|human|model|tool|developer|ipython|chatbot|observation|environment"
_TURN = re.compile(
    rf"<\|im_start\|>[ \t]*(?P<chatml>{_ROLES})[ \t]*\n?"
    rf"|<\|start_header_id\|>[ \t]*(?P<llama>{_ROLES})[ \t]*<\|end_header_id\|>\s*"
    rf"|<\|start_of_role\|>[ \t]*(?P<granite>{_ROLES})[ \t]*<\|end_of_role\|>"
    rf"|<\|header_start\|>[ \t]*(?P<llama4>{_ROLES})[ \t]*<\|header_end\|>\s*"
    rf"|<start_of_turn>[ \t]*(?P<gemma>{_ROLES})[ \t]*\n?"
    rf"|(?:<\|START_OF_TURN_TOKEN\|>)?<\|(?P<cohere>{_ROLES})_token\|>"
    rf"|<\|start\|>[ \t]*(?P<harmony>{_ROLES})(?:<\|message\|>)?"
    rf"|<{_BAR}(?P<bars>{_ROLES}){_BAR}>[ \t]*\n?"
    rf"|<\|im_(?:system|user|assistant)\|>[ \t]*(?P<kimi>{_ROLES})[ \t]*<\|im_middle\|>"
    rf"|<\|turn>[ \t]*(?P<gemma4>{_ROLES})[ \t]*\n?"
    rf"|\[\|(?P<exaone>{_ROLES})\|\][ \t]*\n?"
    rf"|\]~b\](?P<minimax>{_ROLES}|ai)[ \t]*\n?"
    rf"|<seed:bos>[ \t]*(?P<seed>{_ROLES})[ \t]*\n?"
    rf"|<role>[ \t]*(?P<ling>{_ROLES})[ \t]*</role>[ \t]*\n?"
    rf"|<extra_id_1>[ \t]*(?P<nemotron>{_ROLES})[ \t]*\n?"
    r"|(?P<mistral>\[/INST\])[ \t]*|(?P<asked>\[INST\])"
    rf"|^\#\#\#[ \t]*(?P<alpaca>Instruction|Human|User|Response|Assistant)[ \t]*:?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWERING = frozenset({"assistant", "model", "chatbot", "ai", "[/inst]", "response"})
#: Turns by name alone, as base models and old chat models write them: one who asks, one who answers.
_ASKS = re.compile(r"^(?:Human|HUMAN|User|USER)[ \t]?:", re.MULTILINE)
_REPLIES = re.compile(r"^(?:Assistant|ASSISTANT|AI|Model)[ \t]?:[ \t]*", re.MULTILINE)
#: Only so many questions are looked at.
_MOST_TURNS = 20
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
#: What code looks like where its language is not known: fenced or indented.
_CODE = re.compile(r"```|^(?:  |\t)[ \t]*\S", re.MULTILINE)


def quoted(text: str, position: int) -> bool:
    """Whether a position is inside a literal, or inline code, of its line."""
    begin = max(text.rfind("\n", 0, position) + 1, position - _NEAR)
    end = text.find("\n", position, position + _NEAR)
    line = text[begin : end if end >= 0 else position + _NEAR]
    return any(found.start() < position - begin < found.end() for found in _LITERAL.finditer(line))


def answering_turn(text: str, trace: Trace) -> str:
    """The assistant's turn: the text before the first other one, or the last one that says something."""
    text = _without_named_turns(text, trace)
    turns = [turn for turn in _TURN.finditer(text) if not quoted(text, turn.start())]
    # Headings are turns only in a text that begins with one: a comment may look the same.
    if not turns or (text.lstrip()[:1] == "#") < (turns[0]["alpaca"] is not None):
        return text
    turns = [turn for turn in turns if (turn["alpaca"] is None) == (turns[0]["alpaca"] is None)]
    before = _START.sub("", text[: turns[0].start()])
    if before.strip():
        trace.note("turn", "the first")
        return before
    ends = [turn.start() for turn in turns[1:]] + [len(text)]
    said = [
        text[turn.end() : end]
        for turn, end in zip(turns, ends, strict=True)
        if _role(turn) in _ANSWERING and _END.sub("", text[turn.end() : end]).strip()
    ]
    if not said:
        return text
    trace.note("turn", f"the last of {len(said)}" if len(said) > 1 else "")
    return said[-1]


def _without_named_turns(text: str, trace: Trace) -> str:
    """A text up to the next question, where names alone tell who speaks.

    Prose may quote a conversation, so code must stand before the question, and a reply must follow it.
    """
    began = _REPLIES.match(text.lstrip())
    said = text.lstrip()[began.end() :] if began else text
    for asked in itertools.islice(_ASKS.finditer(said), _MOST_TURNS):
        before = said[: asked.start()]
        outside = len(_FENCE.findall(before)) % 2 == 0
        if outside and _CODE.search(before) and (began or _REPLIES.search(said, asked.end())):
            trace.note("turn", "the first")
            return before
    if began:
        trace.note("turn")
    return said


def _mentioned(text: str, token: re.Match[str]) -> bool:
    """Whether a sentence, a comment or a docstring speaks of a token."""
    before, after = text[: token.start()], text[token.end() :]
    line = before[before.rfind("\n") + 1 :]
    rest, _, following = after.partition("\n")
    if any(before.count(quotes) % 2 and quotes in after for quotes in ('"""', "'''")):
        return True
    if _COMMENT.search(line) or before.count("/*") > before.count("*/"):
        if rest.strip():
            return _GOES_ON.match(rest) is not None
        fenced = len(_FENCE.findall(before)) % 2 and _FENCE.search(following)
        return bool(fenced) or re.match(r"\s*\n?[ \t]+\S", following) is not None
    return line.endswith(" ") and _SENTENCE.match(line) is not None and _GOES_ON.match(rest) is not None


def _role(turn: re.Match[str]) -> str:
    return next(role for role in turn.groupdict().values() if role).lower()


def between_tokens(text: str, trace: Trace) -> str:
    """A text without special tokens before it, up to the first one that ends it.

    What fills in the middle (FIM) follows the token of that name. A token within a literal is text, and so is
    the end of an HTML element that began before.
    """
    if (middle := _MIDDLE.search(text)) and not quoted(text, middle.start()) and text[middle.end() :].strip():
        trace.note("start-token", middle[0])
        text = text[middle.end() :]
    if start := _START.match(text):
        trace.note("start-token", start[0].strip())
        text = text[start.end() :]
    for end in _END.finditer(text):
        token = end[0].strip()
        element = token == "</s>" and "<s>" in text[: end.start()]
        if element or quoted(text, end.start()) or _mentioned(text, end) or not text[: end.start()].strip():
            continue
        trace.note("end-token", token)
        return text[: end.start()]
    return text
