"""Start 9router as HOME's configuration.json says: it is configured over HTTP alone, and keeps that in a database.

python start.py PORT UPSTREAM COMMAND [ARGUMENT ...]

It is started twice: on a port that nobody knows until its configuration is whole, and then on PORT, so that whoever finds
it ready finds it configured. UPSTREAM is the API base of all providers, with /v1.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

PASSWORD = "of-the-dashboard"
UPSTREAM_KEY = "sk-gateproof-upstream"
PATIENCE = 60.0
"""Seconds that it may take until it answers."""


def main(port: str, upstream: str, *command: str) -> int:
    home = Path(os.environ["HOME"])
    environment = {
        **os.environ,
        "HOSTNAME": "127.0.0.1",
        "DATA_DIR": str(home / "data"),
        "INITIAL_PASSWORD": PASSWORD,
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        unknown: int = probe.getsockname()[1]
    with subprocess.Popen(command, env={**environment, "PORT": str(unknown)}) as server:
        try:
            _await(f"http://127.0.0.1:{unknown}", server)
            _configure(f"http://127.0.0.1:{unknown}", json.loads((home / "configuration.json").read_text()), upstream)
        finally:
            server.terminate()
    os.execvpe(command[0], command, {**environment, "PORT": port})


def _configure(origin: str, configuration: dict[str, Any], upstream: str) -> None:
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )

    def send(method: str, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(origin + path, json.dumps(body).encode(), headers, method=method)
        with browser.open(asked, timeout=PATIENCE) as answer:
            return json.load(answer)

    send("POST", "/api/auth/login", {"password": PASSWORD})
    send("PATCH", "/api/settings", configuration["settings"])
    for node in configuration["nodes"]:
        made = send("POST", "/api/provider-nodes", {**node, "baseUrl": upstream})["node"]
        send("POST", "/api/providers", {"provider": made["id"], "name": node["name"], "apiKey": UPSTREAM_KEY})


def _await(origin: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            browser.open(origin + "/api/health", timeout=PATIENCE).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
        try:
            # Waiting for its end is the wait between two looks: a server that dies is noticed at once.
            raise SystemExit(f"9router ended with exit code {server.wait(0.1)}")
        except subprocess.TimeoutExpired:
            continue


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
