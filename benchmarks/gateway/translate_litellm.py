"""litellm's translation of one stream, timed: `python translate_litellm.py FILE ROUNDS` prints microseconds an event.

To be run by a Python that has litellm. Its own iterator over the lines of a Responses stream, which reads the JSON and makes
the chunk, and the chunk's own model_dump_json, with what the proxy gives it. Left out are its reading of the socket into
lines and all that its proxy does around. CPU time, best of ROUNDS.
"""

import sys
import time
from pathlib import Path

from litellm.completion_extras.litellm_responses_transformation.transformation import (
    OpenAiResponsesToChatCompletionStreamIterator,
)


def translated(lines: list[str]) -> int:
    chunks = 0
    for chunk in OpenAiResponsesToChatCompletionStreamIterator(iter(lines), sync_stream=True):
        if hasattr(chunk, "model_dump_json"):
            chunk.model_dump_json(exclude_none=True, exclude_unset=True)
            chunks += 1
    return chunks


def main() -> None:
    text, rounds = Path(sys.argv[1]).read_text("utf-8"), int(sys.argv[2])
    lines, events = [line for line in text.split("\n") if line], text.count("\n\n")
    times = []
    for _ in range(rounds):
        began = time.process_time()
        assert translated(lines) > 1000
        times.append(time.process_time() - began)
    print(1e6 * min(times) / events)


if __name__ == "__main__":
    main()
