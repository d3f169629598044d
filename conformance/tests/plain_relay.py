"""A gateway that passes everything on as it is, to the path that was asked: `python plain_relay.py UPSTREAM_ORIGIN PORT`."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

OUR_OWN = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
"""Headers of one connection, and those that whoever answers writes himself."""


class Relay(BaseHTTPRequestHandler):
    """One request on, its answer back piece by piece; what breaks on one side breaks on the other."""

    protocol_version = "HTTP/1.1"
    upstream = ""

    def relay(self) -> None:
        body = self.asked()
        kept = [(name, value) for name, value in self.headers.items() if name.lower() not in OUR_OWN]
        url, timeout = self.upstream + self.path, httpx.Timeout(30)
        with httpx.stream(self.command, url, content=body, headers=kept, timeout=timeout) as answer:
            self.send_response(answer.status_code)
            # http.server ends the connection by this, too.
            self.send_header("Connection", "close")
            for name, value in answer.headers.multi_items():
                if name not in OUR_OWN:
                    self.send_header(name, value)
            if answer.status_code == 204:
                self.end_headers()
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                for piece in answer.iter_raw():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            except httpx.HTTPError:
                return
            self.wfile.write(b"0\r\n\r\n")

    def asked(self) -> bytes:
        """Read the body in either framing of RFC 9112, section 6; http.server knows of neither."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = relay  # noqa: N815 (the names that http.server asks for)

    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> None:
    Relay.upstream, port = sys.argv[1].rstrip("/"), int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", port), Relay).serve_forever()


if __name__ == "__main__":
    main()
