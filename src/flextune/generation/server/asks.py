"""A request and its reply, as the two endpoints have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.config import DecodeConfig
from flextune.data.answers.program_end import program_end
from flextune.generation.engine import Prompt, Request
from flextune.generation.seeds import row_seed
from flextune.generation.server.kinds import KINDS, sent_stops
from flextune.generation.server.served import Served
from flextune.languages import language_name
from flextune.records import Completion, Finish, Message, Problem, as_row
from flextune.stopping import cut_at_stop

#: llama.cpp's seeds have 32 bits and one that means "any"; others take signed ones.
_SEED_BITS = 31

_FENCED = re.compile(r"\A\s*```[^\n]*\n(.*?)\n?```\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Job:
    """One answer that is wanted.

    Attributes:
        place: Of its request among those that were asked together.
        problem: What is asked.
        sample: 0, 1, ... within the problem.
        decode: How.
        seed: Of its draws.
        posed: What the model is given; None: the problem's prompt.
    """

    place: int
    problem: Problem
    sample: int
    decode: DecodeConfig
    seed: int
    posed: Prompt | None = None

    @property
    def prompt(self) -> Prompt:
        """What the model is given."""
        return self.posed or Prompt(self.problem.prompt, stop=self.problem.stop)

    @property
    def what(self) -> str:
        """Names it in messages."""
        return f"{self.problem.name!r} sample {self.sample}"


def jobs_of(request: Request, place: int) -> list[Job]:
    """Every answer of a request that is not there yet; the samples of a problem in a row."""
    return [
        Job(
            place,
            problem,
            sample,
            request.decode,
            row_seed(request.seed, problem, sample),
            request.prompts.get(problem.name),
        )
        for problem in request.problems
        for sample in range(request.decode.n)
        if (problem.name, sample) not in request.done
    ]


class GarbledReplyError(Exception):
    """What came back is no answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered.

    Attributes:
        text: As it came.
        ended: The model ended it, or a stop string did; else the limit of tokens.
        tokens: Tokens that the server counted; 0 where it does not say.
        prompt_tokens: Of the prompt.
    """

    text: str
    ended: bool
    tokens: int = 0
    prompt_tokens: int = 0


def body_of(served: Served, job: Job, adapters: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The JSON of a request.

    Args:
        served: The model.
        job: What is wanted.
        adapters: llama.cpp's adapters there: ids by name.
    """
    kind = KINDS[served.config.kind]
    body: dict[str, Any] = {"model": served.name, **_posed(served, job)}
    body |= {"max_tokens": job.decode.max_new_tokens, **kind.sampling(job.decode)}
    # What follows the first stop string is wanted, too, where a program's end is looked for.
    if stops := () if job.prompt.whole else sent_stops(kind, job.prompt.stop):
        body["stop"] = stops
    if job.decode.strategy == "sample":
        body["seed"] = job.seed % (1 << _SEED_BITS)
    if served.config.kind == "sglang" and served.adapter is not None:
        body |= {"model": served.model, "lora_path": served.adapter}
    if served.config.kind == "llama.cpp":
        body["model"] = served.model
        if adapters:
            # What is not named would keep the scale that the server was started with.
            scales = dict.fromkeys(adapters.values(), 0.0)
            if served.adapter is not None:
                scales[adapters[served.adapter]] = served.scale
            body["lora"] = [{"id": number, "scale": scale} for number, scale in sorted(scales.items())]
    return body


def _posed(served: Served, job: Job) -> dict[str, Any]:
    if served.config.endpoint == "completions":
        return {"prompt": job.prompt.text}
    messages = job.prompt.messages or plain_messages(job.problem)
    return {"messages": [as_row(message) for message in messages]}


def plain_messages(problem: Problem) -> list[Message]:
    """A chat that asks for what follows the prompt, and nothing else."""
    language = language_name(problem.language)
    instruction = (
        f"Continue this {language} program. Answer only with the text that comes right after it: "
        "no explanation, no markdown, and nothing of what is there already."
    )
    return [Message("user", f"{instruction}\n\n{problem.prompt}")]


def reply_of(response: Any) -> Reply:
    """What a server's JSON says.

    Raises:
        GarbledReplyError: It is no answer of either endpoint.
    """
    try:
        (choice,) = response["choices"][:1]
        message = choice.get("message")
        text = choice["text"] if message is None else message["content"]
        reason = choice["finish_reason"]
        usage = response.get("usage") or {}
        counts = [int(usage.get(key) or 0) for key in ("completion_tokens", "prompt_tokens")]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise GarbledReplyError("no answer in what it sent") from None
    # A message whose tokens all went into reasoning has no content.
    if not isinstance(text, str) and not (text is None and message is not None):
        raise GarbledReplyError("an answer without a text")
    if reason not in ("stop", "length", "eos_token", "stop_sequence"):
        raise GarbledReplyError(f"an answer that ended by {reason!r}")
    return Reply(text or "", reason != "length", *counts)


def completion_of(served: Served, job: Job, reply: Reply) -> Completion:
    """The answer, cut at the prompt's stop strings: servers look for them each in a way of its own."""
    prompt = job.prompt
    stops: Sequence[str] = prompt.stop
    text = reply.text
    if served.config.endpoint == "chat" and prompt.kind == "completion":
        fenced = _FENCED.match(text)
        text = fenced[1] if fenced else text
    end = program_end(job.problem, text, final=True).text if prompt.whole else None
    text, cut = cut_at_stop(text, stops, ended=reply.ended)
    return Completion(
        name=job.problem.name,
        sample=job.sample,
        text=text,
        finish=_finish(served, reply, stops, cut),
        tokens=reply.tokens,
        kind=prompt.kind,
        program=(text if end is None else end) if prompt.whole else None,
    )


def _finish(served: Served, reply: Reply, stops: Sequence[str], cut: bool) -> Finish:
    """Why an answer ended; where a server cuts its stops and does not say so, a stop where one was sent."""
    if cut:
        return "stop"
    if not reply.ended:
        return "length"
    kind = KINDS[served.config.kind]
    return "stop" if sent_stops(kind, stops) and not kind.keeps_stops else "eos"
