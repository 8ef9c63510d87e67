# ruff: noqa: E501 - an answer reads better unbroken
"""Right answers to three small Python problems, in every form in which models give them.

``ANSWERS`` has for each kind the rule that it is a case of (a key of ``RULES``; None: no rule of its own), and
answers to ``TOTAL``. Each holds one right definition; ``WRONG`` stands where no reader would take it.
"""

from __future__ import annotations

import json
import textwrap

from flextune.records import Problem

PROMPT = '''from typing import List


def running_total(numbers: List[int]) -> List[int]:
    """ Give the list of partial sums of numbers.
    >>> running_total([1, 2, 3])
    [1, 3, 6]
    """
'''
TOTAL = Problem(
    "total", "test", "py", PROMPT,
    "def check(candidate):\n    assert candidate([1, 2, 3]) == [1, 3, 6]\n    assert candidate([]) == []\n\ncheck(running_total)",
    stop=("\nclass", "\ndef", "\n#", "\nif", "\nprint"), entry_point="running_total",
)  # fmt: skip
BODY = """    out, total = [], 0
    for number in numbers:
        total += number
        out.append(total)
    return out
"""
RIGHT = f"def running_total(numbers: List[int]) -> List[int]:\n{BODY}"
WRONG = RIGHT.replace("total += number", "total = number")
MARGIN = textwrap.dedent(BODY)
#: A helper that is used by another definition.
PLUS = "def plus(a, b):\n    return a + b\n"
WITH_PLUS = "def running_total(numbers):\n    out = []\n    for n in numbers:\n        out.append(plus(out[-1], n) if out else n)\n    return out\n"


def block(code: str, tag: str = "python") -> str:
    return f"```{tag}\n{code}```\n"


def indented(text: str, by: str) -> str:
    return textwrap.indent(text, by)


SESSION = ">>> " + RIGHT.rstrip().replace("\n", "\n... ") + "\n...\n>>> running_total([1, 2])\n[1, 3]\n"
THOUGHT = f"Let me try\n{block(WRONG)}hm, wait"
TOKENS = (
    "<|im_end|>", "<|endoftext|>", "</s>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<|end_of_text|>", "<eos>", "<turn|>", "<seed:eos>", "[UNUSED_TOKEN_145]", "[|endofturn|]", "<extra_id_1>", "<issue_comment>",
    "<|fim_pad|>", "<fim_prefix>", "<|file_separator|>", "<EOT>", "<|return|>", "<|eom_id|>",
)  # fmt: skip
REASONING = (
    ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>"), ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"), ("[THINK]", "[/THINK]"), ("\u25c1think\u25b7", "\u25c1/think\u25b7"), ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"), ("<longcat_think>", "</longcat_think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"), ("<|channel>thought", "<channel|>"), ("<unused94>thought", "<unused95>"),
    ("<analysis>", "</analysis>"), ("<scratchpad>", "</scratchpad>"), ("<s><think>", "</think>"), ("<antThinking>", "</antThinking>"),
    ("<ponder>", "</ponder>"), ("<contemplator>", "</contemplator>"), ('<think type="deep">', "</think>"), ("<|thought|>", "<|/thought|>"), ("[thinking]", "[/thinking]"),
)  # fmt: skip
FINAL = "<|start|>assistant<|channel|>final<|message|>"

ANSWERS: dict[str, tuple[str | None, list[str]]] = {
    "a block": ("program", [
        block(RIGHT), block(RIGHT, ""), block(RIGHT, "py"), block(RIGHT, "Python3.11"), block(RIGHT, 'python title="x.py"'),
        block(RIGHT, '{.python .numberLines startFrom="1"}'), block(RIGHT, "python:solution.py"), block(RIGHT, "language-python"),
        block(RIGHT, " PYTHON "), block(RIGHT, "javascript"), block(RIGHT, "text"), block(PROMPT + BODY), block(RIGHT).replace("\n", "\r\n"),
        f"~~~python\n{RIGHT}~~~", f"````python\n{RIGHT}````", f"````markdown\n{block(RIGHT)}````", "\ufeff" + block("\u200b" + RIGHT),
        block(RIGHT.replace("    ", "\u00a0" * 4)), block(RIGHT.replace("    ", "\u2003" * 2).replace("def ", "\u2060def ")), block("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n" + RIGHT),
        "> " + block(RIGHT).replace("\n", "\n> "), f"<pre><code class=\"language-python\">{RIGHT.replace('>', '&gt;')}</code></pre>",
    ]),
    "escaped for HTML": ("escaped", [
        block(RIGHT.replace(">", "&gt;")), block(RIGHT.replace(">", "&gt;").replace("    out, total", '    """Doc"""\n    out, total').replace('"', "&quot;")),
        RIGHT.replace(">", "&gt;"),
    ]),
    "a session": ("session", [
        block(SESSION), block(SESSION, "pycon"), f"You can do:\n\n{SESSION}", block("In [1]: " + RIGHT.rstrip().replace("\n", "\n   ...: ") + "\n   ...:\n\nIn [2]: running_total([1])\nOut[2]: [1]\n"),
    ]),
    "numbered lines": ("numbered", [
        block("".join(f"{n}{mark}{line}\n" for n, line in enumerate(RIGHT.splitlines(), 1))) for mark in (" ", ": ", " | ")
    ]),
    "a patch": ("patch", [
        block(f"<<<<<<< SEARCH\n{WRONG}=======\n{RIGHT}>>>>>>> REPLACE\n"),
        block("--- a/x.py\n+++ b/x.py\n@@ -0,0 +1,6 @@\n" + indented(RIGHT, "+"), "diff"),
        block(indented(RIGHT, " ").replace("         total", "-        total = number\n+        total"), "diff"),
    ]),
    "a quotation": ("program", [
        f"```\n{indented(RIGHT, '> ')}>```\n\n```\n", f"```thinking>\n{THOUGHT}\n</thinking>\n{block(RIGHT)}",
        f"```\npython\n{RIGHT}```", f"{block(RIGHT)}```\n", block('DOC = """\n\n```bash\npip install x\n```\n"""\n' + RIGHT),
    ]),
    "a block in a list": ("program", [
        f"1. So:\n\n   ```python\n{indented(RIGHT, '   ')}   ```\n\n2. Done", f"- ```python\n{indented(RIGHT, '  ')}  ```\n",
        f"1. So:\n   ```python\n{RIGHT}   ```\n", f"- a\n    - b\n\n      ```python\n{indented(RIGHT, '      ')}      ```\n",
    ]),
    "fences in the code": ("program", [
        block(RIGHT.replace("    out, total", '    """Doc.\n\n```\nrunning_total([1])\n```\n    """\n    out, total')),
        block(RIGHT.replace("    out, total", '    """Doc.\n\n    ```python\n    running_total([1])\n    ```\n    """\n    out, total')),
        block(RIGHT.replace("    out, total", "    fence = '```'\n    out, total")),
    ]),
    "prose within the fence": ("unfenced", [
        f"```\nSure! Here's the code:\n\n{RIGHT}\nThis function adds.\n```\n", f"```python\nHere is the function:\n\n{RIGHT}\nIt's a running sum, isn't it?\n```\n",
    ]),
    "fences glued to text": ("program", [
        f"Here is the code: ```python\n{RIGHT}```\n", f"```python\n{RIGHT.rstrip()}```\n", f"```python\n{RIGHT.rstrip()}``` That's it.\n",
        f"```{RIGHT}```\n", f"```python\n{RIGHT}```python\n",
        "```python def running_total(numbers): return [sum(numbers[:i + 1]) for i in range(len(numbers))]```",
    ]),
    "lines for a notebook": ("notebook", [block("!pip install numpy\n%matplotlib inline\n" + RIGHT)]),
    "a lone closing fence": ("closing-fence", [
        f"{RIGHT}```\n", f"{RIGHT}```\n\nIt adds.\n\n```\n[1]\n```\n", f"{BODY}```\nIt adds up.", f"{MARGIN}```\nIt adds up.",
        f"{RIGHT}```\n\nUsage:\n\n{block('print(running_total([1]))' + chr(10))}", f"Here:\n\n{RIGHT}```\nDone.",
    ]),
    "odd fences": (None, [
        f"{chr(39) * 3}python\n{RIGHT}{chr(39) * 3}\n", f"**```python**\n{RIGHT}**```**\n", f"```python\n{RIGHT}```.\n", f"1.\tDo:\n\n\t```python\n{indented(RIGHT, chr(9))}\t```\n",
        "`return [sum(numbers[:i + 1]) for i in range(len(numbers))]`", f"```markdown\n# Solution\n\n{block(RIGHT)}\nDone.\n```\n",
        f"```python\n{RIGHT}    ```\nUsage:\n{block('print(running_total([1]))' + chr(10))}", f"```python\n{block(RIGHT)}```\n", f"```\n{block(RIGHT)}", f"``python\n{RIGHT}``\n\nIt adds.\n", f"```py\n{RIGHT}~~~\n\nIt adds.\n",
    ]),
    "an open fence": ("open-fence", [f"Here:\n```python\n{RIGHT}", f"```python\n{WRONG}\nNow mended:\n```python\n{RIGHT}"]),
    "broken off after the function": ("truncated", [
        f"```python\n{RIGHT}\nprint(running_total([1, 2", f"```python\n{RIGHT}\n\ndef test():\n    assert running_total(",
        f"```python\n{RIGHT}\nprint(running_total([1, 2]\n```\n",
    ]),
    "special tokens": ("end-token", [
        *(text for token in TOKENS for text in (
            block(RIGHT).rstrip() + token, f"{RIGHT.rstrip()}{token}\ngarbage ( here", f"```python\n{RIGHT}{token}\n```\n")),
        f"{block(RIGHT)}* Time: O(n)\n* Space: O(n)<|im_end|>\n<|im_start|>garbage\n{block(WRONG)}", f"{RIGHT}\nIt adds them. </s><s>{WRONG}",
        f"{RIGHT}[DONE]\ngarbage ( here", f"{RIGHT}[/PYTHON]\nmore", f"{RIGHT}</answer>\nmore",
    ]),
    "special tokens before": ("start-token", [f"<s>{block(RIGHT)}", f"<bos> {RIGHT}", f"<|fim_prefix|>{PROMPT}<|fim_suffix|><|fim_middle|>{BODY}", f"[gMASK]<sop>{block(RIGHT)}", f"<seed:bos>{RIGHT}"]),
    "tokens that are spoken of": (None, [
        block(f"# Drops <pad> tokens and </s> from a list\n{RIGHT}"), block(RIGHT.replace("    out, total", "    # remove every <pad>\n    out, total")),
        block(RIGHT.replace("    out, total", '    """Tokens between <|im_start|> and <|im_end|> stay.\n\n    All ends with <eos>\n    """\n    out, total')),
        f"The special tokens <pad> and </s> are dropped.\n\n{RIGHT}", f"This removes <pad> tokens from the list:\n\n{block(RIGHT)}",
    ]),
    "tokens that are text": (None, [
        block(f"END = '<|im_end|>', \"</s>\"\n{RIGHT}"), block(RIGHT.replace("    out, total", '    t = """\n<s>a</s>\n"""\n    out, total')),
        block(f"import re\nTAG = re.compile(r'<think>.*?</think>')\n{RIGHT}"), block(f"def strip(t):\n    return t.split('</think>')[-1]\n\n{RIGHT}"),
        block(RIGHT.replace("    out, total", "    # all up to </think> goes\n    out, total")), block(RIGHT.replace("    out, total", '    """As before the </think> tag."""\n    out, total')),
    ]),
    "turns of a chat": ("turn", [
        f"<|im_start|>assistant\n{block(RIGHT)}<|im_end|>", f"<|start_header_id|>assistant<|end_header_id|>\n\n{block(RIGHT)}<|eot_id|>",
        f"<|im_start|>user\nmend {block(WRONG)}<|im_end|>\n<|im_start|>assistant\n{block(RIGHT)}<|im_end|>", f"<start_of_turn>model\n{block(RIGHT)}",
        f"{block(RIGHT)}<|im_end|>\n<|im_start|>user\nThanks; {block(WRONG)}<|im_end|>\n<|im_start|>assistant\n{block(WRONG)}",
        f"{block(RIGHT)}[/INST]", f"{block(RIGHT)}</s><s>[INST] more",
        f"[INST] mend {block(WRONG)} [/INST] {block(RIGHT)}", f"### Instruction:\nAdd\n\n### Response:\n{block(RIGHT)}",
        f"<|im_assistant|>assistant<|im_middle|>{block(RIGHT)}<|im_end|>", f"<|turn>model\n{block(RIGHT)}<turn|>\n<|turn>user\nmore (", f"[|assistant|]{RIGHT}[|endofturn|]\n[|user|]more (",
        f"{block(RIGHT)}[e~[\n]~b]user\nmore (", f"]~b]ai\n{block(RIGHT)}[e~[", f"<role>ASSISTANT</role>{block(RIGHT)}<|role_end|><role>HUMAN</role>more (", f"<seed:bos>assistant\n{block(RIGHT)}<seed:eos>",
        f"ASSISTANT: {block(RIGHT)}USER: now mend\nASSISTANT: {block(WRONG)}", f"{block(RIGHT)}\nHuman: reset it\n\nAssistant: Sure:\n{block(WRONG)}", f"{RIGHT}\n\nUser: reset it\nAssistant: Sure:\n{WRONG}",
    ]),
    "reasoning": ("reasoning", [
        text for opening, closing in REASONING for text in (
            f"{opening}\n{THOUGHT}\n{closing}\n\n{block(RIGHT)}", f"{opening}{THOUGHT}{closing}{block(RIGHT)}", f"{THOUGHT}\n{closing}\n{block(RIGHT)}",
            f"{opening}\n{THOUGHT}\n{closing}\n\n{RIGHT}", f"{opening}\n{THOUGHT}\n{closing}\n\n{BODY}", f"{opening}\n```python\n{WRONG}\nhm\n{closing}\n\n{block(RIGHT)}")
    ] + [
        f"<think>\n{THOUGHT}\n</think>\n<answer>\n{block(RIGHT)}</answer>", f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{block(RIGHT)}<|END_RESPONSE|>",
        f"<|begin_of_thought|>\n{THOUGHT}\n<|end_of_thought|>\n\n<|begin_of_solution|>\n{block(RIGHT)}<|end_of_solution|>",
        f"Here is my thought process:\n{THOUGHT}\n\nHere is my response:\n{block(RIGHT)}", f"<think>\nno `</think>` yet\n{THOUGHT}\n</think>\n{block(RIGHT)}",
        f'<details type="reasoning" done="true">\n<summary>Thought for 5 seconds</summary>\n{THOUGHT}\n</details>\n{RIGHT}', f"<think>{THOUGHT}</think><response>{RIGHT}</response>",
        f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>{RIGHT.rstrip()}<|END_RESPONSE|>",
    ]),
    "nothing but reasoning": ("reasoning-only", [
        f"<think>\n{THOUGHT}\nNow:\n{block(RIGHT)}", f"<think>\n{THOUGHT}\nNow:\n{block(RIGHT)}</think>\n", f"<think>\n{block(RIGHT)}</think>\nThe code above is right.\n",
    ]),
    "channels": ("final-channel", [
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|>{FINAL}{block(RIGHT)}<|return|>", f"<|channel|>analysis<|message|>{THOUGHT}<|end|>{FINAL}{BODY}<|return|>",
        f"<|start|>assistant<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>commentary<|message|>plan<|end|>{FINAL}{block(RIGHT)}",
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final <|constrain|>python<|message|>{RIGHT}", f"analysis{THOUGHT}assistantfinal{block(RIGHT)}",
    ]),
    "tags of an answer": ("answer-tags", [
        f"<answer>{block(RIGHT)}</answer>", f"Words.\n<answer>\n{RIGHT}</answer>", f"<answer>\n{BODY}</answer>", f"<answer>\n{block(RIGHT)}",
        f"<answer>\n{block(WRONG)}</answer>\nNo:\n<answer>\n{block(RIGHT)}</answer>", f"[PYTHON]\n{RIGHT}[/PYTHON]\n[TESTS]\nassert 1\n[/TESTS]",
        f"[BEGIN]\n{RIGHT}[DONE]\n", f"<code>\n{RIGHT}</code>\nmore", f"<solution>\n{block(RIGHT)}</solution>",
        f"The answer:\n<|begin_of_box|>{block(RIGHT)}<|end_of_box|>", f"<answer>It is <|begin_of_box|>\n{RIGHT}<|end_of_box|></answer>", f"<code><![CDATA[\n{RIGHT}]]></code>",
    ]),
    "JSON": ("structured", [
        json.dumps({"type": "code/python", "content": RIGHT}), f'[TOOL_CALLS] {json.dumps([{"name": "x", "arguments": {"code": RIGHT}}])}',
        f"<|python_tag|>{json.dumps({'name': 'x', 'parameters': {'code': RIGHT}})}<|eom_id|>", f"<|tool_call_begin|>functions.write:0<|tool_call_argument_begin|>{json.dumps({'code': RIGHT})}<|tool_call_end|>",
        f"Here it is:\n\n```json\n{json.dumps({'code': RIGHT})}\n```\n", json.dumps([{"code": RIGHT}]), f"<tool_call>\n{json.dumps({'name': 'x', 'arguments': {'code': RIGHT}})}\n</tool_call>",
        json.dumps({"explanation": "x", "code": RIGHT}), f"```json\n{json.dumps({'code': RIGHT})}\n```"]),
    "another language": ("other-language", [
        "```bash\npip install a-very-long-name-of-a-package-that-is-longer-than-the-code-itself\n```\n" + block(RIGHT),
        f"{block(RIGHT)}In JavaScript:\n{block('function running_total(n) { return n }' + chr(10), 'javascript')}", f"{block(RIGHT)}{block('-def running_total(x):' + chr(10), 'diff')}",
        f"{block(RIGHT)}Python 2:\n{block('def running_total(n):' + chr(10) + '    print n' + chr(10), 'python2')}",
    ]),
    "two definitions": ("last-definition", [
        f"{block(WRONG)}That resets. Corrected:\n{block(RIGHT)}", f"{block(WRONG)}**Final answer**\n\n{block(RIGHT)}", f"{block(RIGHT)}Or:\n{block(RIGHT)}",
        f"Draft:\n{block(WRONG)}Wait. Final:\n{block(RIGHT)}Complexity:\n{block('O(n)' + chr(10), 'text')}",
    ]),
    "called wrong": ("marked-wrong", [f"{block(RIGHT)}A common mistake is this:\n{block(WRONG)}", f"{block(RIGHT)}See:\n{block('# WRONG: does not work' + chr(10) + WRONG)}",
        *(f"{block(RIGHT)}{lead}\n{block(WRONG)}" for lead in ("### \u274c Bad", "**What NOT to do:**", "A common pitfall:", "For reference, your original code was:", "Previously (with the bug):")),
    ]),
    "words that look like code": (None, [f"# Sums\n\n{RIGHT}\n## Complexity\n\nO(n)\n", f"\u4ee5\u4e0b\u662f\u4ee3\u7801\uff1a\n\n{RIGHT}\n\u8fd9\u4e2a\u3002\n"]),
    "piece by piece": ("joined", [
        "".join(map(block, ("def running_total(numbers):\n    out, total = [], 0\n", "    for number in numbers:\n        total += number\n        out.append(total)\n", "    return out\n"))),
        f"{block(PLUS.replace('+', '-') + WITH_PLUS)}The corrected helper:\n{block(PLUS)}",
    ]),
    "not complete": ("incomplete", [
        f"{block(RIGHT)}With a check:\n{block(RIGHT.replace('    for', '    # ... existing code ...' + chr(10) + '    for').replace('+=', '='))}",
        f"{block(RIGHT)}With a check:\n{block('def running_total(numbers):' + chr(10) + '    assert numbers' + chr(10) + '    ...' + chr(10))}",
        f"{block(RIGHT)}Skeleton:\n{block('def running_total(numbers):' + chr(10) + '    ...' + chr(10))}", f"{block(RIGHT)}Or:\n```python\ndef running_total(numbers):\n    out = [\n",
        f"{block(RIGHT)}It had:\n{block(PROMPT)}",
    ]),
    "helpers in other blocks": ("joined", [
        f"First:\n{block(PLUS)}Then:\n{block(WITH_PLUS)}", f"{block(WITH_PLUS)}with\n{block(PLUS)}",
        *(f"{block(line + chr(10))}and\n{block('def running_total(numbers):' + chr(10) + '    return list(accumulate(numbers))' + chr(10))}" for line in ("from itertools import accumulate", "from itertools import *")),
        f"{block('import operator' + chr(10))}{block('def fold(xs, f):' + chr(10) + indented(WITH_PLUS.partition(chr(10))[2].replace('numbers', 'xs').replace('plus', 'f'), ''))}"
        f"{block('def running_total(numbers):' + chr(10) + '    return fold(numbers, operator.add)' + chr(10))}{block('print(running_total([1]))' + chr(10))}",
    ]),
    "the name in another block": (None, [
        f"{block(RIGHT)}Step by step:\n{block('running_total = 0' + chr(10) + 'for n in [1]:' + chr(10) + '    running_total += n' + chr(10))}",
        f"{block(RIGHT)}To cache it:\n{block('import functools' + chr(10) + 'running_total = functools.cache(running_total)' + chr(10))}",
        f"{block(RIGHT)}As a class:\n{block('class Calculator:' + chr(10) + '    def running_total(self):' + chr(10) + '        return self' + chr(10))}",
    ]),
    "usage in another block": (None, [
        f"{block(RIGHT)}Usage:\n{block('# ' + 'long ' * 99 + chr(10) + 'print(running_total([1]))' + chr(10))}", f"{block(RIGHT)}Output:\n```\n[1, 3, 6]\n```\n",
        f"{block(RIGHT)}Tests:\n{block('from sol import running_total' + chr(10) + 'def test_it():' + chr(10) + '    assert running_total([1]) == [0]' + chr(10))}",
        f"Step 1\n{block('total = 0' + chr(10))}Step 2\n{block('total += number' + chr(10))}In full:\n{block(RIGHT)}",
    ]),
    "outside the fences": ("outside-fences", [f"{RIGHT}\nExample:\n```text\nrunning_total([1]) is [1]\n```\nDone."]),
    "no fence": ("unfenced", [
        f"Maybe\ndef running_total(numbers):\n    return sum(numbers)\nNo. So finally:\n{RIGHT}", f"python\nCopy code\n{RIGHT}\n",
        indented(RIGHT, "> "), f"**Solution:**\n\n{RIGHT}\n\n**Complexity:** O(n)\n",
        f"Here is the function:\n\n{RIGHT}\nIt adds the numbers.\n", f"Here's it, don't panic:\n\n{RIGHT}\nThat's it; it's O(n).\n", f"Solution\n\n{RIGHT}\nDone\n",
        f"A helper:\n\n{PLUS}\nAnd the function:\n\n{WITH_PLUS}\nOkay.", f"# Solution\n\n{RIGHT}\n**Explanation**: adds\n- one\n", f"{RIGHT}\nExample usage:\n\nprint(running_total([1]))\n",
        f"{PROMPT}{BODY}\n\nThis keeps a running sum.", f"Here it is:\n\n{indented(RIGHT, '    ')}\nDone, it's good.\n",
    ]),
    "a body": ("body", [BODY, block(BODY), f"{BODY.replace('total += number', 'total = plus(total, number)')}\n{PLUS}", block('    """Doc again."""\n' + BODY), BODY.replace("\n", "\r\n")]),
    "a body with examples": ("demo", [block(f"{BODY}\n{demo}") for demo in ("assert running_total([1]) == [2]\n", "n = input()\nprint(running_total([int(n)]))\n")]),
    "a body with a main": ("main", [block(f"{BODY}\nif __name__ == '__main__':\n    print(running_total([int(input())]))\n")]),
    "a body that must be indented": ("indented", [
        *(text for by in ("", "  ", "   ", "        ", "\t") for text in (indented(MARGIN, by), block(indented(MARGIN, by)))),
        *(text for width in (2, 3, 4, 8) for text in (
            indented(MARGIN.replace("    ", " " * width), " " * width).lstrip(), block(indented(MARGIN.replace("    ", " " * width), " " * width).lstrip()))),
        MARGIN.replace("    ", "\t"), indented(MARGIN.replace("    ", "\t"), "\t"), f"The body is:\n\n{MARGIN}\nThat is all.",
        "from itertools import accumulate\nreturn list(accumulate(numbers))\n", block("return [sum(numbers[:i + 1]) for i in range(len(numbers))]\n"),
        f"{PLUS}out = []\nfor n in numbers:\n    out.append(plus(out[-1], n) if out else n)\nreturn out\n",
    ]),
    "a class": ("solution-class", [
        block("class Solution:\n" + indented(RIGHT.replace("(numbers", "(self, numbers"), "    ") + "\nsolution = Solution()\nprint(solution.running_total([1]))\n"),
        block("class Solution:\n    @staticmethod\n" + indented(RIGHT, "    ")),
    ]),
    "a main": ("main", [block(f"{RIGHT}\nif __name__ == '__main__':\n    import doctest\n    doctest.testmod()\n    print(running_total(eval(input())))\n")]),
    "examples": ("demo", [block(RIGHT + demo) for demo in (
        "\nprint(running_total([1]))\n", "\nn = list(map(int, input().split()))\nprint(running_total(n))\n", "\ndef main():\n    print(running_total([int(input())]))\n\nmain()\n",
        "\nimport sys\nprint(running_total([1]))\nsys.exit(0)\n", "\nwhile True:\n    x = input()\n    if not x: break\n", "\nassert running_total([1, 2]) == [1, 2], 'x'\n",
        "\nresult = running_total(None)\n", "\nresult = [running_total(x) for x in [[1]]]\nresult.sort()\nfor r in result: r.append(1)\n", "\nDone\n", "\nf = running_total\nprint(f(None))\n",
        "\nimport unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(running_total([1]), [2])\nunittest.main()\n",
        "\nimport threading\ndef main():\n    print(running_total([int(input())]))\nthreading.Thread(target=main).start()\n", "\nimport sys; data = sys.stdin.read().split(); n = int(data[0])\n",
        "\nif (r := running_total([1])) != [2]:\n    raise SystemExit(r)\n",
        "\nimport pytest\n\n@pytest.mark.parametrize('n, e', [([1], [2])])\ndef test_it(n, e):\n    assert running_total(n) == e\n",
        "\nimport logging\nlogger = logging.getLogger(__name__)\nlogger.info(running_total(None))\n",
        "\nimport absent.plot as plt\nxs = [1]\nplt.plot(xs, running_total(xs))\nplt.show()\n",
    )]),
    "what the function needs": (None, [block(code) for code in (
        "TABLE = {}\nfor i in range(5):\n    TABLE[i] = i\n    print(i)\n" + RIGHT.replace("+= number", "+= number * (len(TABLE) == 5)"),
        "TABLE = []\ndef fill():\n    for i in range(3):\n        TABLE.append(i)\n\nfill()\n" + RIGHT.replace("+= number", "+= number * (len(TABLE) == 3)"),
        "TABLE = None\ndef fill():\n    global TABLE\n    TABLE = 3\n    print('filled')\nfill()\n" + RIGHT.replace("+= number", "+= number * (TABLE == 3)"),
        "known = []\n" + RIGHT.replace("    out, total", "    assert known\n    out, total") + "\ndef prepare():\n    known.append(0)\n    running_total([])\nprepare()\n",
        "import heapq\nH = [3, 1, 2]\nheapq.heapify(H)\n" + RIGHT.replace("+= number", "+= number * (H[0] == 1)"), RIGHT.replace("= [], 0", "= [], ZERO") + "\nZERO = 0\n",
        "import sys\nsys.setrecursionlimit(5000)\n" + RIGHT.replace("    out, total", "    assert sys.getrecursionlimit() == 5000\n    out, total"),
        RIGHT.replace("    out, total", "    running_total.calls += 1\n    out, total") + "\nrunning_total.calls = 0\nprint(running_total([1]))\n",
        RIGHT.replace("running_total", "_total") + "\nrunning_total = _total\nprint(running_total([1]))\n", "from itertools import accumulate\nrunning_total = lambda numbers: list(accumulate(numbers))\n",
        "def cached(f):\n    return lambda x: f(x)\n\n@cached\n" + RIGHT, "from __future__ import annotations\n" + RIGHT, "from decimal import getcontext\ngetcontext().prec = 50\n" + RIGHT,
        "try:\n    import numpy as np\nexcept ImportError:\n    np = None\n" + RIGHT, "import sys\nif sys.version_info >= (3,):\n" + indented(RIGHT, "    "),
    )]),
}  # fmt: skip
