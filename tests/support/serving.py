"""A server on the loopback interface that answers like a model, and fails in every way that servers fail."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flextune.config import ServerConfig
from flextune.generation.server import Served, ServerEngine
from flextune.generation.server.retrying import Patience

#: How a request can fail.
FAULTS = ("429", "500", "503", "cut", "half", "garbage", "html", "no choices", "no text", "slow")
#: Seconds that a request may take in tests, and that a slow answer takes.
TIMEOUT, SLOW = 0.5, 1.0

Body = dict[str, Any]


def words(*parts: object) -> str:
    """A text that depends on nothing but its parts."""
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()
    return " ".join(digest[place : place + 4] for place in range(0, 32, 4))


def decoded(body: Body) -> str:
    """What the model of a request answers: greedily, or by its seed."""
    prompt = body.get("prompt") or body["messages"]
    hot = body.get("temperature") or '"do_sample": true' in body.get("generation_config", "")
    return words(body["model"], body.get("lora"), prompt, body.get("seed") if hot else None)


@dataclass
class FakeServer:
    """What is served, and what happened.

    Attributes:
        models: Names that it answers to.
        owner: Its ``owned_by``.
        answer: Text of a request.
        fault: Which fault the request with a number has, from 0; None: none.
        refuse: HTTP status and message of a request; None: it is answered.
        rows: Added to every row of the list of models.
        key: Bearer token that it wants.
        adapters: llama.cpp's list.
        requests: Bodies of all requests, failed ones too.
        answered: Bodies of those that were answered.
        most: Requests that were there at once.
    """

    models: tuple[str, ...] = ("base",)
    owner: str = "me"
    answer: Callable[[Body], str] = decoded
    fault: Callable[[int], str | None] = lambda number: None
    refuse: Callable[[Body], tuple[int, str] | None] = lambda body: None
    rows: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    adapters: tuple[Mapping[str, Any], ...] | None = None
    delay: float = 0.0
    url: str = ""
    requests: list[Body] = field(default_factory=list)
    answered: list[Body] = field(default_factory=list)
    most: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, body: Body) -> int:
        """Counts a request; returns its number."""
        with self._lock:
            self.requests.append(body)
            self._now += 1
            self.most = max(self.most, self._now)
            return len(self.requests) - 1

    def end(self) -> None:
        """The request is dealt with."""
        with self._lock:
            self._now -= 1

    def config(self, **changes: Any) -> ServerConfig:
        """Of this server."""
        return ServerConfig(**{"url": self.url, "timeout": TIMEOUT, "concurrency": 4, **changes})

    def engine(self, adapter: str | None = None, **changes: Any) -> ServerEngine:
        """Asks this server, and does not wait long between tries."""
        scale = changes.pop("scale", 1.0)
        config = self.config(**changes)
        patience = Patience(config.retries, first=0.001, longest=0.01)
        return ServerEngine(Served(config, "base", adapter, scale), patience)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def do_GET(self) -> None:
        if self._keyless():
            return
        if self.path == "/v1/models":
            rows = [{"id": name, "owned_by": self.fake.owner, **self.fake.rows} for name in self.fake.models]
            self._send(200, {"object": "list", "data": rows})
        elif self.path == "/lora-adapters" and self.fake.adapters is not None:
            self._send(200, [dict(row) for row in self.fake.adapters])
        else:
            self._send(404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._keyless():
            return
        number = self.fake.begin(body)
        try:
            time.sleep(self.fake.delay)
            fault, refused = self.fake.fault(number), self.fake.refuse(body)
            if fault is not None:
                self._fail(fault)
            elif refused is not None:
                self._send(refused[0], {"error": {"message": refused[1]}})
            else:
                self._answer(body)
        finally:
            self.fake.end()

    def _answer(self, body: Body) -> None:
        text = self.fake.answer(body)
        tokens = text.split(" ")
        limit = body["max_tokens"]
        said = " ".join(tokens[:limit])
        content = {"text": said} if "prompt" in body else {"message": {"role": "assistant", "content": said}}
        reason = "length" if len(tokens) > limit else "stop"
        prompt = body.get("prompt") or body["messages"][-1]["content"]
        usage = {"completion_tokens": len(tokens[:limit]), "prompt_tokens": len(prompt)}
        self.fake.answered.append(body)
        self._send(200, {"choices": [{**content, "index": 0, "finish_reason": reason}], "usage": usage})

    def _fail(self, fault: str) -> None:
        if fault == "429":
            self._send(429, {"error": {"message": "busy"}}, {"Retry-After": "0"})
        elif fault.isdigit():
            self._send(int(fault), {"error": {"message": "broken"}})
        elif fault == "cut":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "half":
            self.close_connection = True
            self._head(200, 1000)
            self.wfile.write(b'{"choices": [{"text": "ha')
        elif fault == "garbage":
            self._raw(b'{"choices": [{"te\xff', "application/json")
        elif fault == "html":
            self._raw(b"<html>gateway</html>", "text/html")
        elif fault == "no choices":
            self._send(200, {"choices": []})
        elif fault == "no text":
            self._send(200, {"choices": [{"text": None, "finish_reason": "stop"}]})
        elif fault == "slow":
            time.sleep(SLOW)
            self.close_connection = True
        else:
            raise ValueError(fault)

    def _keyless(self) -> bool:
        if self.fake.key is None or self.headers.get("Authorization") == f"Bearer {self.fake.key}":
            return False
        given = self.headers.get("Authorization", "")
        self._send(401, {"error": {"message": f"Incorrect API key provided: {given}"}})
        return True

    def _send(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self._head(status, len(data), headers=headers)
        self.wfile.write(data)

    def _raw(self, data: bytes, kind: str) -> None:
        self._head(200, len(data), kind)
        self.wfile.write(data)

    def _head(
        self,
        status: int,
        length: int,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news here."""


@contextmanager
def serving(**attributes: Any) -> Iterator[FakeServer]:
    """A server while the block lasts."""
    fake = FakeServer(**attributes)
    server = _Quiet(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
