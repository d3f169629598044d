"""`python -m gateproof_reference.translate`."""

import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from gateway_bench import sse
from test_library import BODY, FAILED, STREAM

from gateproof_reference import gather_stream, stream_response, translate, translate_request, translate_stream
from gateproof_reference.wirejson import dump

PAIR = ["--from", "responses", "--to", "chat"]


def run(*arguments: object) -> int:
    return translate.main([*PAIR, *map(str, arguments)])


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "events.sse"
    path.write_bytes(STREAM)
    return path


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "body.json"
    path.write_bytes(b" \n" + json.dumps(BODY).encode())
    return path


def test_a_stream_is_a_stream(stream: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(stream) == run(stream, "--stream") == 0
    assert capfdbinary.readouterr().out == 2 * translate_stream(STREAM, source="responses", target="chat")


def test_a_body_is_a_body(body: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(body) == run(body, "--json") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert json.loads(first)["choices"][0]["message"]["content"] == "Hello"


def test_the_mode_can_be_chosen(stream: Path, body: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert run(stream, "--json", "-o", target) == 0
    assert json.loads(target.read_bytes()) == gather_stream(STREAM, source="responses", target="chat")
    assert run(body, "--stream", "-o", target) == 0
    assert target.read_bytes() == stream_response(BODY, source="responses", target="chat")


def test_what_was_asked_counts(stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = tmp_path / "asked.json"
    asked.write_text('{"model": "m"}')
    assert run(stream, "--request", asked) == 0
    assert '"usage"' not in capsys.readouterr().out


def test_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"model": "m", "input": "hi"}
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(asked))
    assert run(path, "--question") == 0
    assert json.loads(capsys.readouterr().out) == translate_request(asked, source="responses", target="chat")
    path.write_text(json.dumps({**asked, "conversation": "c"}))
    assert run(path, "--question") == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["param"] == "conversation"
    assert told.err.startswith("gateproof translate: HTTP 400: ")


def test_a_failed_turn_is_told_in_its_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "failed.sse"
    path.write_bytes(FAILED)
    assert run(path) == 0
    assert '"code":"context_length_exceeded"' in capsys.readouterr().out
    assert run(path, "--json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["code"] == "context_length_exceeded"
    assert told.err == "gateproof translate: HTTP 400: too long\n"


def test_half_an_event_is_a_stream_that_was_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "half.sse"
    path.write_bytes(b"\xef\xbb\xbfdata: {")
    assert run(path) == 0
    assert "ended before it was complete" in capsys.readouterr().out


def test_stdin_is_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\xef\xbb\xbf" + dump(BODY))))
    assert run("-") == 0
    assert "Hello" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "arguments"),
    [
        (None, []),
        (b"", []),
        (b"hello\n", []),
        (b"[1]", []),
        (b"{nonsense", []),
        (sse({"type": "x"}), ["--question"]),
        (sse({"type": "x"}), ["--to", "smoke"]),
        (sse({"type": "x"}), ["--json", "--stream"]),
        (sse({"type": "x"}), ["--nonsense"]),
        (sse({"type": "x"}), ["--request", "nowhere.json"]),
        (sse({"type": "x"}), ["--question", "--request", "nowhere.json"]),
        (sse({"type": "x"}), ["-o", "no/such/folder/x"]),
    ],
)
def test_what_cannot_be_used_ends_in_one_line(
    data: bytes | None, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "input"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SystemExit) as end:
        run(path, *arguments)
    assert end.value.code == 4
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("gateproof translate: ")
    assert told.err.count("\n") == 1


def test_a_process_of_its_own(stream: Path) -> None:
    command = [sys.executable, "-m", "gateproof_reference.translate", *PAIR, str(stream)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert done.stdout == translate_stream(STREAM, source="responses", target="chat")
    assert done.stderr == b""
