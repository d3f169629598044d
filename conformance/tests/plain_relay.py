"""A gateway that passes everything on as it is, to the path that was asked: `python plain_relay.py UPSTREAM_ORIGIN PORT`."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


class Relay(BaseHTTPRequestHandler):
    """One request on, its answer back piece by piece; what breaks on one side breaks on the other."""

    protocol_version = "HTTP/1.1"
    upstream = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = {n: v for n, v in self.headers.items() if n.lower() not in ("host", "content-length", "connection")}
        self.close_connection = True
        timeout = httpx.Timeout(30)
        with httpx.stream("POST", self.upstream + self.path, content=body, headers=kept, timeout=timeout) as answer:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for piece in answer.iter_raw():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            except httpx.HTTPError:
                return
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> None:
    Relay.upstream, port = sys.argv[1].rstrip("/"), int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", port), Relay).serve_forever()


if __name__ == "__main__":
    main()
