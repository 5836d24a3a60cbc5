"""A private Redis server: on a free port of this machine, without persistence, gone with whoever started it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisRefused

PATIENCE = 10.0  # seconds until a server that does not answer is given up
UNTIL_THE_PIPE_CLOSES = '"$@" & read -r _; kill -KILL $!; wait $!'  # whoever started it may be killed


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class PrivateRedis:
    """A server that can be started, stopped and started again, on the same port. What it holds does not survive."""

    port: int = field(default_factory=free_port)
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        """Return a new client."""
        return Redis(port=self.port)

    def start(self) -> None:
        """Start the server. Raises RuntimeError where Redis is not installed or does not start."""
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("Redis is not installed. Install the package redis-server.")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command = ["/bin/sh", "-c", UNTIL_THE_PIPE_CLOSES, "sh", program, *options]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        client = self.client()
        while True:
            try:
                client.ping()
                break
            except RedisRefused as error:
                if time.monotonic() > deadline:
                    raise RuntimeError("Redis does not start.") from error
                time.sleep(0.02)
        client.close()

    def kill(self) -> None:
        """End the server at once."""
        if self.server is not None:
            assert self.server.stdin is not None
            self.server.stdin.close()
            self.server.wait()
            self.server = None

    @contextlib.contextmanager
    def running(self) -> Iterator[Any]:
        """Run the server, and end it afterwards."""
        self.start()
        try:
            yield self
        finally:
            self.kill()
