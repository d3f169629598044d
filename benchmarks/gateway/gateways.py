"""The gateways that gateway_speed.py compares: how each is started, and what a client asks it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway import turns
from mock.servers import Kind

HERE = Path(__file__).resolve().parent
LITELLM_YAML = HERE.parents[1] / "conformance" / "gateways" / "litellm" / "litellm.yaml"
CLIENT_KEY, UPSTREAM_KEY = "sk-gateproof-client", "sk-gateproof-upstream"

Pair = tuple[str, str]
"""Surface and dialect: what the client speaks, and what the upstream does."""


@dataclass(frozen=True)
class Gateway:
    """One gateway of the comparison; `models` are the names by which it knows which dialect to speak.

    `slowness` is how many times as long its rate must be measured, for some of its streams to end meanwhile.
    """

    kind: Kind
    models: dict[Pair, str]
    slowness: int = 1

    @property
    def name(self) -> str:
        return self.kind.name


def request(pair: Pair, model: str, script: str, *, stream: bool) -> bytes:
    """The bytes of one question, as they go over the wire."""
    prompt = f"gp-play-{script}"
    said = {"input": prompt} if pair[0] == "responses" else {"messages": [{"role": "user", "content": prompt}]}
    body = json.dumps({"model": model, "stream": stream, **said})
    head = [f"POST {turns.PATHS[pair[0]]} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    head += [f"Authorization: Bearer {CLIENT_KEY}", f"Content-Length: {len(body)}"]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def upstream() -> Kind:
    return Kind("upstream", lambda port: [sys.executable, str(HERE / "upstream.py"), str(port)])


def ours(base: str) -> Gateway:
    command = [sys.executable, "-m", "gateproof_reference", "--upstream", base, "--dialect-for", "spoken-chat=chat"]
    command += ["--key", CLIENT_KEY, "--upstream-key", UPSTREAM_KEY]
    kind = Kind("ours", lambda port: [*command, "--listen", f"127.0.0.1:{port}"], tells_url=False)
    spoken = {"responses": "spoken-responses", "chat": "spoken-chat"}
    return Gateway(kind, {(surface, dialect): name for surface in spoken for dialect, name in spoken.items()})


def litellm(python: Path, base: str) -> Gateway:
    """The proxy of litellm, with the configuration that its conformance results are made with."""
    variables = {
        "UPSTREAM_BASE": base,
        "UPSTREAM_KEY": UPSTREAM_KEY,
        "LITELLM_MASTER_KEY": CLIENT_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_TELEMETRY": "False",
    }
    command = ["env", *(f"{name}={value}" for name, value in variables.items()), str(python.parent / "litellm")]
    command += ["--config", str(LITELLM_YAML), "--host", "127.0.0.1", "--port"]
    kind = Kind("litellm", lambda port: [*command, str(port)], start_limit=120, tells_url=False)
    apis = ("responses", "chat")
    return Gateway(kind, {(surface, dialect): f"{surface}-from-{dialect}" for surface in apis for dialect in apis}, 5)


def codex_relay(program: Path, base: str) -> Gateway:
    command = ["env", f"CODEX_RELAY_API_KEY={UPSTREAM_KEY}", str(program), "--bind", "127.0.0.1", "--upstream", base]
    kind = Kind("codex-relay", lambda port: [*command, "--port", str(port)], tells_url=False)
    return Gateway(kind, {("responses", "chat"): "gateproof"})
