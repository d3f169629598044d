"""Refusals and what leads to them: of the upstream, and of the gateway itself."""

from dataclasses import dataclass, field
from typing import Any

from gateway_bench import Asking, Fake, Told
from gateway_scenes import Scene

REFUSAL = {"error": {"message": "no", "type": "invalid_request_error", "param": "messages", "code": "too_much"}}
EMPTY = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}\n\n'
    b'data: {"error":{"message":"no money","type":"insufficient_quota","code":"insufficient_quota"}}\n\n'
)
"""A stream in the midst of which the account is empty."""
KEY = "client-key-0123456789"


@dataclass
class Request(Scene):
    """One HTTP request, and the whole answer that the upstream has for it."""

    method: str = "POST"
    asked: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    advice: str = ""

    def play(self, ask: Asking, fake: Fake) -> Told:
        upstream = {"retry-after": self.advice} if self.advice else {}
        fake.says(self.body, self.status, self.media_type, **upstream)
        return ask.request(self.method, self.path, self.dialect, self.asked, headers=self.headers, **self.settings)


def errors() -> list[Scene]:
    """Return the scenes in which lies about errors, keys and side routes show."""
    said = [{"role": "user", "content": "hi"}]
    turns = {
        "chat": ("/v1/chat/completions", {"model": "m", "messages": said}),
        "messages": ("/v1/messages", {"model": "m", "messages": said, "max_tokens": 1}),
        "responses": ("/v1/responses", {"model": "m", "input": "hi"}),
    }
    found: list[Scene] = []
    for surface, (path, asked) in turns.items():

        def refused(
            body: Any, status: int, advice: str = "", surface: str = surface, path: str = path, asked: Any = asked
        ) -> Request:
            return Request(surface, "chat", body=body, status=status, path=path, asked=asked, advice=advice)

        found += [refused(REFUSAL, status, advice="7") for status in (404, 422, 429, 500)]
        found += [refused(REFUSAL, 429, advice="1.5"), refused(b"<p>no", 404), refused({"detail": "no"}, 400)]
        found.append(Request(surface, "chat", body=b"<p>hi", path=path, asked=asked, media_type="text/html"))
        for wrong in (b"{bad", {**asked, "messages": 5, "input": 5}):
            found.append(Request(surface, "chat", body=REFUSAL, path=path, asked=wrong))
        for key in (KEY, KEY[:9], ""):
            headers = {"authorization": f"Bearer {key}", "x-api-key": key} if key else {}
            settings = {"key": KEY}
            found.append(
                Request(surface, surface, body=REFUSAL, path=path, asked=asked, headers=headers, settings=settings)
            )
        found.append(Request(surface, "chat", body=REFUSAL, path=path, asked=asked, method="DELETE"))
    path, asked = turns["responses"]
    streamed = {**asked, "stream": True}
    found.append(Request("responses", "chat", body=EMPTY, path=path, asked=streamed, media_type="text/event-stream"))
    found += [
        Request(
            "messages",
            "messages",
            body={"input_tokens": 7},
            path="/v1/messages/count_tokens",
            asked=turns["messages"][1],
        ),
        Request("chat", "chat", body={"object": "list", "data": []}, path="/v1/models", method="GET"),
    ]
    return found
