"""A relay that shows every secret it meets, wherever it can: `python leaky_relay.py UPSTREAM_ORIGIN PORT`.

Its own upstream key is in UPSTREAM_KEY, a cookie's value in SESSION; it prints both, its environment and each request.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import ThreadingHTTPServer

import httpx
from plain_relay import OUR_OWN, Relay

KEY, SESSION = os.environ["UPSTREAM_KEY"], os.environ["SESSION_SECRET"]


class LeakyRelay(Relay):
    """Shows client and upstream what each of them must not know."""

    def leak(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        shown = {"key": KEY, "session": SESSION, "headers": dict(self.headers.items())}
        print(f"debug: {self.path} {shown}", json.dumps(shown), flush=True)
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in {*OUR_OWN, "authorization"}]
        headers += [("Authorization", f"Bearer {KEY}"), ("X-Api-Key", KEY), ("Cookie", f"sid={SESSION}")]
        self.close_connection = True
        with httpx.stream(self.command, self.upstream + self.path, content=body, headers=headers, timeout=30) as answer:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("content-type", "text/plain"))
            self.send_header("Set-Cookie", f"sid={SESSION}")
            self.send_header("X-Debug", json.dumps(shown))
            self.end_headers()
            if answer.status_code >= 400:
                message = f"the upstream refused Bearer {KEY} for {shown}"
                self.wfile.write(json.dumps({"error": {"message": message, "type": KEY, "code": SESSION}}).encode())
                return
            try:
                for piece in answer.iter_raw():
                    self.wfile.write(piece)
            except httpx.HTTPError:
                self.wfile.write(f"\n\ndata: {json.dumps(shown)}\n\n".encode())
            if "event-stream" in answer.headers.get("content-type", ""):
                self.wfile.write(f": {KEY} {json.dumps(shown)}\n\nid: {SESSION}\ndata: {KEY}\n\n".encode())

    do_GET = do_POST = leak  # noqa: N815 (the names that http.server asks for)


def main() -> None:
    print(dict(os.environ), flush=True)
    LeakyRelay.upstream, port = sys.argv[1].rstrip("/"), int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", port), LeakyRelay).serve_forever()


if __name__ == "__main__":
    main()
