"""A provider reduced to its socket: raw HTTP/1.1 on loopback, where each request meets the next act of a script."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

Act = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived; header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


def reply(status: int, body: object = b"", **headers: str) -> Act:
    """Answer with `body`: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def raw(content: bytes) -> Act:
    """Send these bytes and close."""

    def act(peer: socket.socket, _: threading.Event) -> None:
        peer.sendall(content)

    return act


def hang_up(peer: socket.socket, _: threading.Event) -> None:
    """Close without a word, after the request was read."""


def reset(peer: socket.socket, _: threading.Event) -> None:
    """Break the connection, after the request was read."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def stall(peer: socket.socket, stopped: threading.Event) -> None:
    """Say nothing until the test is over."""
    stopped.wait(30)


def drip(start: bytes) -> Act:
    """Send `start`, then a byte at a time, for ever: no single read is ever late."""

    def act(peer: socket.socket, stopped: threading.Event) -> None:
        peer.sendall(start)
        while not stopped.wait(0.02):
            peer.sendall(b" ")

    return act


@dataclass
class ScriptedServer:
    """`script` maps a path to acts; the last one repeats. `seen` is everything asked, in order."""

    url: str
    port: int
    door: socket.socket
    script: dict[str, list[Act]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def on(self, path: str, *acts: Act) -> None:
        self.script[path] = list(acts)

    def stop_listening(self) -> None:
        """Connections are refused from now on."""
        with suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)

    def seen_at(self, path: str) -> list[Seen]:
        return [one for one in self.seen if one.path.partition("?")[0] == path]

    def act_for(self, seen: Seen) -> Act:
        acts = self.script[seen.path.partition("?")[0]]
        return acts.pop(0) if len(acts) > 1 else acts[0]


@contextmanager
def scripted_server(tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """A server on a free loopback port, gone with its threads at the end."""
    stopped = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        port = door.getsockname()[1]
        server = ScriptedServer(url=f"http{'s' if tls else ''}://127.0.0.1:{port}", port=port, door=door)
        threads: list[threading.Thread] = []
        guard = threading.Thread(target=_accept, args=(door, server, tls, stopped, threads), daemon=True)
        guard.start()
        try:
            yield server
        finally:
            stopped.set()
            server.stop_listening()
            guard.join(5)
            for thread in threads:
                thread.join(5)


def _accept(
    door: socket.socket,
    server: ScriptedServer,
    tls: ssl.SSLContext | None,
    stopped: threading.Event,
    threads: list[threading.Thread],
) -> None:
    while not stopped.is_set():
        try:
            peer, _ = door.accept()
        except OSError:
            return
        thread = threading.Thread(target=_serve, args=(peer, server, tls, stopped), daemon=True)
        threads.append(thread)
        thread.start()


def _serve(peer: socket.socket, server: ScriptedServer, tls: ssl.SSLContext | None, stopped: threading.Event) -> None:
    with suppress(OSError):
        if tls is not None:
            try:
                peer = tls.wrap_socket(peer, server_side=True)
            except OSError:
                peer.close()
                raise
        with closing(peer):
            peer.settimeout(10)
            seen = _read_request(peer)
            if seen is not None:
                server.seen.append(seen)
                server.act_for(seen)(peer, stopped)


def _read_request(peer: socket.socket) -> Seen | None:
    content = b""
    while b"\r\n\r\n" not in content:
        piece = peer.recv(65_536)
        if not piece:
            return None
        content += piece
    head, _, body = content.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += peer.recv(65_536)
    method, path, _ = first.split(" ")
    return Seen(method=method, path=path, headers=headers, body=body)
