"""Which JSON library a gateway should use, on its own work: `python benchmarks/json_libraries.py [ROUNDS]`.

The work: read an event of a Responses stream, build the chunk of Chat Completions that says the same, write that. CPU time,
the libraries in turn, the median of the rounds. Rows:
    json          the standard library, strict, as the reference falls back to it
    orjson        dictionaries
    msgspec       dictionaries
    msgspec typed structs that name the members, so that the rest is skipped
    pydantic      dictionaries, by pydantic_core.from_json and to_json
    pydantic typed  models, by model_validate_json and model_dump_json
And then what each does with JSON that is awkward but may come: a wrong answer that nobody sees is worse than a slow one.
orjson and pydantic are needed beside what the project needs; one that is missing is left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from statistics import median
from typing import Any

import msgspec
from gateway import turns
from mock.figures import aligned

Work = Callable[[bytes], bytes]
EVENTS = [event.split(b"data: ")[1].rstrip() for event in turns.stream("responses", 1000) if b".delta\n" in event]

AWKWARD: dict[str, bytes] = {
    "half a surrogate pair": b'"\\ud83d"',
    "an integer of 70 bits": b"1180591620717411303424",
    "1e400": b"1e400",
    "NaN": b"NaN",
    "the same key twice": b'{"a":1,"a":2}',
    "100,000 brackets": b"[" * 100_000,
    "raw bytes of a surrogate": b'"\xed\xa0\x80"',
}
UNWRITABLE: dict[str, object] = {
    "write half a surrogate pair": "\ud83d",
    "write an integer of 70 bits": 1 << 70,
    "write NaN": float("nan"),
    "write U+2028": "\u2028",
}


def chunk(words: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": words}, "logprobs": None, "finish_reason": None}
    kind = "chat.completion.chunk"
    return {"id": "chatcmpl-1", "object": kind, "created": 1750000000, "model": turns.MODEL, "choices": [choice]}


def untyped(read: Callable[[bytes], Any], write: Callable[[Any], bytes]) -> Work:
    return lambda data: write(chunk(read(data)["delta"]))


# ---- the libraries ----

Library = tuple[Callable[[bytes], Any], Callable[[Any], bytes]]


def refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def standard() -> Library:
    decode = json.JSONDecoder(parse_constant=refuse).decode
    encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
    return lambda data: decode(data.decode()), lambda value: encode(value).encode()


def libraries() -> dict[str, Library]:
    found = {"json": standard(), "msgspec": (msgspec.json.Decoder().decode, msgspec.json.Encoder().encode)}
    if find_spec("orjson"):
        orjson = import_module("orjson")
        found["orjson"] = (orjson.loads, orjson.dumps)
    if find_spec("pydantic_core"):
        core = import_module("pydantic_core")
        found["pydantic"] = (lambda data: core.from_json(data, allow_inf_nan=False), core.to_json)
    return found


class Delta(msgspec.Struct):
    type: str
    delta: str = ""


class Said(msgspec.Struct):
    content: str


class Choice(msgspec.Struct):
    delta: Said
    index: int = 0
    logprobs: None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    model: str
    choices: list[Choice]
    id: str = "chatcmpl-1"
    object: str = "chat.completion.chunk"
    created: int = 1750000000


def msgspec_typed() -> Work:
    read, write = msgspec.json.Decoder(Delta).decode, msgspec.json.Encoder().encode
    return lambda data: write(Chunk(turns.MODEL, [Choice(Said(read(data).delta))]))


def pydantic_typed() -> Work:
    pydantic = import_module("pydantic")
    model = pydantic.create_model
    delta = model("Delta", type=str, delta=(str, ""))
    said = model("Said", content=str)
    choice = model("Choice", delta=said, index=(int, 0), logprobs=(None, None), finish_reason=(str | None, None))
    whole = model(
        "Chunk",
        model=str,
        choices=list[choice],  # type: ignore[valid-type]
        id=(str, "chatcmpl-1"),
        object=(str, "chat.completion.chunk"),
        created=(int, 1750000000),
    )

    def work(data: bytes) -> bytes:
        words = delta.model_validate_json(data).delta
        written: str = whole(model=turns.MODEL, choices=[choice(delta=said(content=words))]).model_dump_json()
        return written.encode()

    return work


# ---- the run ----


def microseconds(work: Callable[[bytes], object]) -> float:
    """CPU time of one event."""
    began = time.process_time()
    for event in EVENTS:
        work(event)
    return 1e6 * (time.process_time() - began) / len(EVENTS)


def verdict(action: Callable[[], object]) -> str:
    try:
        result = action()
    except RecursionError:
        return "RecursionError"
    except Exception:
        return "refused"
    told = result.decode() if isinstance(result, bytes) else repr(result)
    return ascii(told)[1:-1] if len(told) < 30 else "read"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    found = libraries()
    works = {name: untyped(*library) for name, library in found.items()} | {"msgspec typed": msgspec_typed()}
    if "pydantic" in found:
        works["pydantic typed"] = pydantic_typed()
    expected = json.loads(works["json"](EVENTS[0]))
    for name, work in works.items():
        assert json.loads(work(EVENTS[0])) == expected, name
    times: dict[str, list[float]] = {name: [] for name in works}
    reads: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(microseconds(work))
        for name, (read, _) in found.items():
            reads[name].append(microseconds(read))
    slowest = median(times["json"])
    rows = [["us an event", "read", "read, build, write", "times faster than json"]]
    for name in sorted(times, key=lambda name: median(times[name])):
        spent = median(times[name])
        read_only = f"{median(reads[name]):.2f}" if name in reads else "-"
        rows.append([name, read_only, f"{spent:.2f}", f"{slowest / spent:.1f}"])
    print(aligned(rows), end="\n\n")
    cases = [["", *found]]
    for name, data in AWKWARD.items():
        cases.append([name, *(verdict(lambda read=read, data=data: read(data)) for read, _ in found.values())])  # type: ignore[misc]
    for name, value in UNWRITABLE.items():
        cases.append([name, *(verdict(lambda write=write, value=value: write(value)) for _, write in found.values())])  # type: ignore[misc]
    print(aligned(cases))


if __name__ == "__main__":
    main()
