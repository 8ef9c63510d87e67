"""Whether a server does what it is asked: an adapter that acts, a temperature and a seed that count.

Servers take an adapter's name, answer with the base model, and say nothing; others pass over a temperature.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import islice

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.server.asks import Job, Reply
from flextune.generation.server.served import Served
from flextune.records import Problem

_logger = logging.getLogger(__name__)

#: Greedy answers that are compared before a server is said to leave the adapter out, and their length.
PROMPTS, TOKENS = 24, 48
#: Prompts whose answers are compared together.
_TOGETHER = 8
#: Draws that a server makes of one prompt, so hot that no two of them should be alike.
_DRAWS, _HOT = 4, 1.5

#: Answers a job as one model of the server, all jobs together.
AskAll = Callable[[Served, Sequence[Job]], Awaitable[list[Reply]]]


async def check_adapter(ask: AskAll, served: Served, problems: Sequence[Problem]) -> None:
    """Compare greedy answers under the adapter's name with those of the base model, until two differ.

    Args:
        ask: The server.
        served: With an adapter.
        problems: Their prompts are asked; spread over all of them.

    Raises:
        FlextuneError: No answer differs: the server leaves the adapter out.
    """
    base = replace(served, adapter=None, scale=1.0)
    greedy = DecodeConfig(max_new_tokens=TOKENS)
    jobs = [Job(0, replace(problem, stop=()), 0, greedy, 0) for problem in _spread(problems, PROMPTS)]
    for start in range(0, len(jobs), _TOGETHER):
        group = jobs[start : start + _TOGETHER]
        with_adapter, without = await ask(served, group), await ask(base, group)
        if any(one.text != other.text for one, other in zip(with_adapter, without, strict=True)):
            return
    raise FlextuneError(
        f"{served.config.url}: adapter {served.adapter!r} changes nothing there: {len(jobs)} greedy answers "
        f"are those of {served.model!r}; the server leaves it out, or it is too weak to show "
        "(generate.server.canary: false asks nevertheless)"
    )


async def check_draws(ask: AskAll, served: Served, problem: Problem) -> None:
    """See that hot draws with several seeds differ, and whether one seed draws the same again.

    Raises:
        FlextuneError: All draws are the same: the server passes over the temperature.
    """
    hot = DecodeConfig(strategy="sample", temperature=_HOT, top_p=1.0, n=_DRAWS, max_new_tokens=TOKENS)
    posed = replace(problem, stop=())
    jobs = [Job(0, posed, sample, hot, seed=1 + sample) for sample in range(_DRAWS)]
    texts = [reply.text for reply in await ask(served, jobs)]
    if len(set(texts)) == 1:
        raise FlextuneError(
            f"{served.config.url}: {_DRAWS} draws at temperature {_HOT} are the same text; the server passes "
            "over the temperature (is generate.server.kind right?)"
        )
    again = [reply.text for reply in await ask(served, jobs[:1])]
    if again != texts[:1]:
        _logger.warning(
            "%s: the server draws another text for the same seed: a sample cannot be had a second time",
            served.config.url,
        )


def _spread(problems: Sequence[Problem], most: int) -> list[Problem]:
    """So many problems at most, over the whole list."""
    return list(islice(problems, 0, None, max(1, -(-len(problems) // most))))
