"""A service on loopback, as a real HTTP server that answers what a test has laid down."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: Any


@dataclass
class Service:
    """Answers the first route that fits; whatever else is asked is a 404.

    A route is a method, a pattern of the path with its query, and the answer: a
    status and JSON (text as it is), or a function of the match and the body that
    gives both.
    """

    routes: list[tuple[str, str, Answer | Callable[..., Answer]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def on(self, method: str, pattern: str, answer: Answer | Callable[..., Answer]) -> None:
        """Lays down an answer, ahead of those that are there."""
        self.routes.insert(0, (method, pattern, answer))

    def bodies(self, method: str, part: str) -> list[Any]:
        """What was sent to paths with this part."""
        return [one.body for one in self.asked if one.method == method and part in one.path]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        for method, pattern, answer in self.routes:
            match = re.search(pattern, asked.path)
            if method == asked.method and match:
                return answer(match, asked.body) if callable(answer) else answer
        return 404, {"error": {"code": 404, "message": f"no {asked.path}"}}

    def __enter__(self) -> "Service":
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                text = self.rfile.read(length).decode()
                body = json.loads(text) if text.startswith("{") else text
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                status, content = service.answer(asked)
                sent = (content if isinstance(content, str) else json.dumps(content)).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(sent)))
                for name, value in service.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(sent)

            do_GET = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                """Keeps still."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
