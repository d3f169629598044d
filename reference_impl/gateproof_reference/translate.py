"""`python -m gateproof_reference.translate --from responses --to chat events.sse`: the translators on the command line.

Exit status 0: translated; a failed turn in a stream is translated to its failure there. 1: the answer is an HTTP error,
whose body was written and whose status is on stderr. 4: options or input that cannot be used.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from gateproof_reference import wirejson
from gateproof_reference.apis import APIS
from gateproof_reference.reading import is_json
from gateproof_reference.translation import (
    TranslationError,
    gather_stream,
    stream_response,
    translate_request,
    translate_response,
    translate_stream,
)
from gateproof_reference.wirejson import Object

HTTP_ERROR, UNUSABLE = 1, 4
STANDARD = "-"


def give_up(message: str) -> NoReturn:
    """Say in one line why nothing was translated, and exit."""
    print(f"gateproof translate: {message}", file=sys.stderr)
    raise SystemExit(UNUSABLE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        give_up(message)


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = _Parser(
        prog="gateproof translate",
        description="Translate a stored answer as the reference gateway does. It is a stream or a JSON body; which, is"
        " seen. A relay's rules hold if both APIs are the same.",
        epilog="exit status: 0 translated (a failed turn in a stream is told there); 1 the answer is an HTTP error,"
        " its body on stdout and its status on stderr; 4 options or input that cannot be used",
    )
    options.add_argument("input", metavar="FILE", help="the upstream's answer; - is stdin")
    options.add_argument("--from", dest="source", choices=list(APIS), required=True, help="the API of the input")
    options.add_argument("--to", dest="target", choices=list(APIS), required=True, help="the API of the output")
    mode = options.add_mutually_exclusive_group()
    mode.add_argument("--stream", action="store_true", help="write a stream, whatever the input is")
    mode.add_argument("--json", action="store_true", help="write one JSON body, whatever the input is")
    mode.add_argument(
        "--question", action="store_true", help="the input is a client's request and no answer; write the upstream's"
    )
    options.add_argument(
        "--request", metavar="FILE", help="what the client asked, in the words of --to: model, stream_options and such"
    )
    options.add_argument("-o", "--output", metavar="FILE", default=STANDARD, help="where to write (default: stdout)")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = parser().parse_args(arguments)
    if options.question and options.request:
        give_up("--request goes with an answer, and --question says that the input is a request")
    data = read(options.input)
    request = None if options.request is None else json_object(read(options.request), options.request)
    try:
        result = translated(options, data, request)
    except TranslationError as error:
        print(f"gateproof translate: HTTP {error.status}: {error}", file=sys.stderr)
        write(options.output, lined(error.body))
        return HTTP_ERROR
    write(options.output, result)
    return 0


def translated(options: argparse.Namespace, data: bytes, request: Object | None) -> bytes:
    """Return the output for the input. Raise TranslationError if it is an HTTP error."""
    pair: dict[str, Any] = {"source": options.source, "target": options.target}
    if options.question:
        return lined(translate_request(json_object(data, options.input), **pair))
    if is_json(data):
        body = json_object(data, options.input)
        if options.stream:
            return stream_response(body, request=request, **pair)
        return lined(translate_response(body, request=request, **pair))
    if not is_stream(data):
        give_up(f"{options.input} is neither an event stream nor a JSON object")
    if options.json:
        return lined(gather_stream(data, request=request, **pair))
    return translate_stream(data, request=request, **pair)


def is_stream(data: bytes) -> bool:
    """Return whether there is a line of an event stream; an answer that was cut off may have no whole event."""
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    return any(line.startswith((b"data:", b"event:", b":")) for line in lines)


def json_object(data: bytes, name: str) -> Object:
    """Return the JSON object in a file; exit with one line if there is none."""
    body = wirejson.parse_object(data.removeprefix(b"\xef\xbb\xbf"))
    if body is None:
        give_up(f"{name} is not a JSON object")
    return body


def lined(value: Object) -> bytes:
    """Return JSON as one line."""
    return wirejson.dump(value) + b"\n"


def read(name: str) -> bytes:
    """Return what is in a file or on stdin; exit with one line if it cannot be read."""
    try:
        return sys.stdin.buffer.read() if name == STANDARD else Path(name).read_bytes()
    except OSError as error:
        give_up(f"cannot read {name}: {error.strerror or error}")


def write(name: str, data: bytes) -> None:
    """Write the output; exit with one line if it cannot be."""
    try:
        if name == STANDARD:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            Path(name).write_bytes(data)
    except OSError as error:
        give_up(f"cannot write {name}: {error.strerror or error}")


if __name__ == "__main__":
    sys.exit(main())
