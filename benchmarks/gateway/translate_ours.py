"""The reference's translation of one stream, timed: `python translate_ours.py FILE ROUNDS` prints microseconds an event.

From the bytes of a Responses stream, in reads of 16 KiB, to the bytes of Chat Completions chunks. CPU time, best of ROUNDS.
"""

import sys
import time
from pathlib import Path

from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Identity, Request
from gateproof_reference.turns import Translation

READ = 16 * 1024


def translated(reads: list[bytes]) -> int:
    request = Request("gpt-4.1", (), stream=True, include_usage=True)
    identity = Identity("6f3e9a52-0f0e-4b39-9d0b-3f9f4f0c1f2a", 1750000000)
    pipe = Translation(APIS["responses"].decoder(), APIS["chat"].encoder(request, identity), lambda _: [])
    return sum(len(pipe.feed(data)) for data in reads)


def main() -> None:
    data, rounds = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
    reads, events = [data[at : at + READ] for at in range(0, len(data), READ)], data.count(b"\n\n")
    times = []
    for _ in range(rounds):
        began = time.process_time()
        assert translated(reads) > 1000
        times.append(time.process_time() - began)
    print(1e6 * min(times) / events)


if __name__ == "__main__":
    main()
