"""Liveness, readiness and metrics over HTTP, from a thread of its own.

The thread answers even while the event loop hangs, so that liveness can say so.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import structlog
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from runtime.faults import describe
from runtime.status import Status

log = structlog.get_logger()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone, or no thread can be had: a line of our log, not a traceback."""
        error = sys.exception()
        if error is not None:
            log.warning("health not told", cause=describe(error))

    def server_bind(self) -> None:
        """As TCPServer does it: HTTPServer asks the DNS for a name that nobody reads."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class HealthServer:
    """Serves /live and /ready (200 or 503 with the reasons as JSON) and /metrics. What only some
    jobs wait for is `stuck` in /ready, whatever its status."""

    def __init__(self, status: Status, host: str, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    self._send(200, generate_latest(REGISTRY), CONTENT_TYPE_LATEST)
                elif path in ("/live", "/ready"):
                    why = status.dead() if path == "/live" else status.unready()
                    said: dict[str, Any] = {"ok": not why, "why": why}
                    if path == "/ready" and (stuck := status.beside()):
                        said["stuck"] = stuck
                    body = json.dumps(said).encode()
                    self._send(503 if why else 200, body, "application/json")
                else:
                    self._send(404, b'{"ok": false, "why": ["try /live, /ready or /metrics"]}')

            def _send(self, code: int, body: bytes, media: str = "application/json") -> None:
                self.send_response(code)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Probes are not worth a log line."""

        self._server = _Server(host, port, Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
