"""Completions of a model that a server has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from flextune.config import DecodeConfig
from flextune.generation.engine import Answer, Request
from flextune.generation.server.asks import Job, Reply, body_of, completion_of, jobs_of
from flextune.generation.server.canary import check_adapter, check_draws
from flextune.generation.server.checks import There, look
from flextune.generation.server.client import Client, TooLongError
from flextune.generation.server.kinds import KINDS, check_decode
from flextune.generation.server.pool import answering, apart, side_by_side
from flextune.generation.server.posing import check_posed
from flextune.generation.server.retrying import Patience
from flextune.generation.server.served import Served
from flextune.records import Completion

_logger = logging.getLogger(__name__)


class ServerEngine:
    """Greedy or sampled decoding by an OpenAI-compatible server (an ``Engine``).

    Each sample is a request of its own with a seed of its own: servers pass over ``n``. Nothing that failed
    for good is written, and what was answered before is.

    Args:
        served: The model.
        patience: How often a request is tried again; None: as the configuration says.

    Raises:
        FlextuneError: The package openai is missing.
    """

    def __init__(self, served: Served, patience: Patience | None = None) -> None:
        self._served = served
        self._kind = KINDS[served.config.kind]
        self._patience = patience
        self._there: There | None = None
        self._said: set[str] = set()
        self._client()

    def answer(self, requests: Sequence[Request]) -> Iterator[list[Answer]]:
        """See ``Engine.answer``.

        What is drawn for a seed is the server's: another program, version or card draws otherwise.

        Raises:
            FlextuneError: A setting that the server cannot be asked for, nobody there, no such model, an
                adapter without effect, or a request that failed for good.
        """
        for request in requests:
            check_decode(self._kind, request.decode)
            check_posed(self._served.config, request.prompts.values())
        jobs = [job for place, request in enumerate(requests) for job in jobs_of(request, place)]
        if not jobs:
            return
        if self._there is None:
            self._there = apart(lambda: self._checked(jobs))
        for group in side_by_side(jobs, answering(self._client(), self._answer), self._most(jobs)):
            yield [Answer(job.place, completion) for job, completion in group]

    def _client(self) -> Client:
        return Client(self._served.config, self._patience)

    def _most(self, jobs: Sequence[Job]) -> int:
        """Requests at once."""
        sampled = any(job.decode.strategy == "sample" for job in jobs)
        if sampled and self._kind.shared_seed:
            self._warn_once(f"{self._kind.shown} has one seed for all requests: samples are drawn one by one")
            return 1
        sizes = [job.decode.batch_size for job in jobs if job.decode.batch_size is not None]
        return min(self._served.config.concurrency, *sizes) if sizes else self._served.config.concurrency

    async def _checked(self, jobs: Sequence[Job]) -> There:
        """What the server has, once it is known to do what will be asked of it."""
        served = self._served
        async with self._client() as client:
            there = await look(client, served)

            turns = asyncio.Semaphore(self._most(jobs))

            async def one(model: Served, job: Job) -> Reply:
                async with turns:
                    return await self._reply(client, model, there, job)

            async def ask(model: Served, group: Sequence[Job]) -> list[Reply]:
                return list(await asyncio.gather(*(one(model, job) for job in group)))

            problems = list({job.problem.name: job.problem for job in jobs}.values())
            # What is wrong with the first request is wrong with all.
            first = Job(0, replace(problems[0], stop=()), 0, DecodeConfig(max_new_tokens=1), 0)
            await self._reply(client, served, there, first, patient=False)
            if served.adapter is not None and served.scale > 0 and served.config.canary:
                await check_adapter(ask, served, problems)
            if any(job.decode.strategy == "sample" for job in jobs):
                await check_draws(ask, served, problems[0])
            return there

    async def _answer(self, client: Client, job: Job) -> Completion:
        assert self._there is not None
        reply = await self._reply(client, self._served, self._there, job)
        return completion_of(self._served, job, reply)

    async def _reply(
        self, client: Client, served: Served, there: There, job: Job, *, patient: bool = True
    ) -> Reply:
        """The server's answer, shortened to its window; empty where the prompt alone fills that."""
        body = body_of(served, job, there.adapters)
        try:
            return await client.complete(body, job.what, patient=patient)
        except TooLongError:
            pass
        try:
            room = await self._room(client, body, there, job)
            while room > 0:
                try:
                    return await client.complete({**body, "max_tokens": room}, job.what)
                except TooLongError:
                    room //= 2
        except TooLongError:
            pass
        self._warn_once(f"{job.problem.name}: the prompt fills the server's window; its answers are empty")
        return Reply("", ended=False)

    async def _room(self, client: Client, body: dict[str, object], there: There, job: Job) -> int:
        """Tokens that an answer may have behind its prompt.

        Raises:
            TooLongError: None.
        """
        probe = await client.complete({**body, "max_tokens": 1}, job.what)
        if there.window is not None and probe.prompt_tokens:
            return min(job.decode.max_new_tokens, there.window - probe.prompt_tokens)
        return job.decode.max_new_tokens // 2

    def _warn_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            _logger.warning(message)
