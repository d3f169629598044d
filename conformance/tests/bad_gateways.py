"""A gateway that lies: `python bad_gateways.py HOW PORT`. Raw sockets, for most of this no HTTP library would send."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def _json(status: str, body: bytes, more: bytes = b"") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    )
    return head.encode() + more + b"\r\n" + body


def hang(connection: socket.socket) -> None:
    connection.recv(1)  # until the client gives up


def html(connection: socket.socket) -> None:
    body = b"<!doctype html><title>Welcome</title>"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    connection.sendall(head % len(body) + body)


def wrong_key(connection: socket.socket) -> None:
    connection.sendall(
        _json("401 Unauthorized", b'{"error":{"message":"Bad key sk-secret-of-the-client","type":"auth"}}')
    )


def unknown_model(connection: socket.socket) -> None:
    connection.sendall(_json("400 Bad Request", b'{"error":{"message":"model gateproof does not exist","type":"x"}}'))


def never_calls(connection: socket.socket) -> None:
    connection.sendall(_json("200 OK", b'{"id":"x","object":"chat.completion","choices":[]}'))


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"\x00\xff I am no HTTP server\r\n\r\n")


def endless(connection: socket.socket) -> None:
    """A stream of small events that never ends."""
    connection.sendall(HEAD)
    while True:
        connection.sendall(b'data: {"id":"x","choices":[]}\n\n' * 100)


def long_line(connection: socket.socket) -> None:
    """One data line of 64 MiB."""
    connection.sendall(HEAD + b"data: ")
    for _ in range(64):
        connection.sendall(b"x" * 2**20)
    connection.sendall(b"\n\n")


def drip(connection: socket.socket) -> None:
    """A byte now and then: no read ever times out."""
    connection.sendall(HEAD)
    pause = threading.Event()
    while not pause.wait(0.05):
        connection.sendall(b":")


def _read_request(connection: socket.socket) -> None:
    """Head and body: what is left unread would end `hang` at once."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)


def _serve(connection: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    try:
        with connection:
            _read_request(connection)
            answer(connection)
    except OSError:
        return


def main() -> None:
    how, port = sys.argv[1:]
    answer: Callable[[socket.socket], None] = globals()[how]
    with socket.create_server(("127.0.0.1", int(port)), backlog=64) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection, answer), daemon=True).start()


if __name__ == "__main__":
    main()
