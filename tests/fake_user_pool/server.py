"""The HTTP plumbing: a threading server that keeps connections alive and stops at once."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fake_user_pool.faults import ConnectionDroppedError
from tests.fake_user_pool.web import Request, Response

Application = Callable[[Request], Response]


class LoopbackServer(ThreadingHTTPServer):
    """Serves one application on 127.0.0.1 until stopped."""

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, application: Application, port: int = 0) -> None:
        self.application = application
        self.crashes: list[BaseException] = []
        self._connections: set[Any] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="fake-user-pool", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the socket and every connection."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        deadline = time.monotonic() + 2
        while self._connections and time.monotonic() < deadline:
            for connection in list(self._connections):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            time.sleep(0.002)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._connections.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what is the fake's own fault; a caller that went away is not."""
        del request, client_address
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.crashes.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionDroppedError:
            self.close_connection = True

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.application(Request(self.command, self.path, headers, self.rfile.read(length))))

    do_POST = do_GET  # noqa: N815 - the name is http.server's

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Say nothing: the record of calls is `pool.calls`."""
