"""The pytest plugin in somebody else's tests, and the view that its fixture gives."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from mock_bench import CEILING, Client

from gateproof_mock import MockUpstream, MockView, ScriptError, When, hold, text
from gateproof_mock.serving.load_server import LoadUpstream

ROOT = Path(__file__).parent.parent.parent

SOMEBODY = """
import httpx
import pytest

from gateproof_mock import When, failed, hold, script, text


def ask(mock_upstream, words="Hi.", **body):
    asked = {"model": "m", "messages": [{"role": "user", "content": words}], **body}
    return httpx.post(f"{mock_upstream.base_url}/chat/completions", json=asked)


def words_of(answer):
    return answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("n", range(6))
def test_every_call_gets_what_was_said(mock_upstream, n):
    mock_upstream.says(text(f"This is {n}."))
    assert words_of(ask(mock_upstream)) == f"This is {n}."
    assert mock_upstream.call().json["model"] == "m"
    assert mock_upstream.ended().ended == "played"


def test_nothing_is_left_of_another_test(mock_upstream):
    assert mock_upstream.calls == []
    assert "no script" in words_of(ask(mock_upstream))
    assert [call.path for call in mock_upstream.unmatched] == ["/v1/chat/completions"]


def test_one_call_after_the_other(mock_upstream):
    mock_upstream.plays(script(failed("rate_limit_exceeded", "Slower.", status=429)), script(text("Now.")))
    assert [ask(mock_upstream).status_code for _ in range(3)] == [429, 200, 200]


def test_a_held_stream(mock_upstream):
    mock_upstream.says(text("one"), hold("seen"), text("two"))
    body = {"model": "m", "stream": True, "messages": []}
    with httpx.stream("POST", f"{mock_upstream.base_url}/chat/completions", json=body) as answer:
        lines = answer.iter_lines()
        assert any("one" in line for line in lines)
        assert mock_upstream.reached("seen")
        assert mock_upstream.call().ended == "open"
        mock_upstream.release("seen")
        assert any("two" in line for line in lines)
    assert mock_upstream.ended().stream


def test_the_server_is_the_sessions(mock_upstream, mock_upstream_server):
    assert mock_upstream.base_url == mock_upstream_server.base_url
"""

# What the plugin loads beside pytest and the standard library.
LOADED = """
import sys
import pytest
before = set(sys.modules)
import gateproof_mock.fixtures
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A pytest that knows no plugin but ours and what is named here, in a folder of its own."""
    (folder / "test_somebody.py").write_text(SOMEBODY, "utf-8")
    path = os.pathsep.join(str(ROOT / name) for name in ("mock_upstream", "schemas"))
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path, "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "gateproof_mock.fixtures", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_somebody_elses_tests(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = run(tmp_path, *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "10 passed" in ran.stdout


def test_it_is_installed_with_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"]["gateproof_mock"] == "gateproof_mock.fixtures"


def test_the_plugin_brings_nothing_until_it_is_used() -> None:
    ran = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.split() == ["gateproof_mock"]


# --- the view -------------------------------------------------------------------------------------


@pytest.fixture(params=[MockUpstream, LoadUpstream], ids=["threads", "load"])
def running(request: pytest.FixtureRequest) -> Iterator[MockUpstream | LoadUpstream]:
    with request.param() as mock:
        yield mock


@pytest.fixture
def view(running: MockUpstream | LoadUpstream) -> Iterator[MockView]:
    with MockView(running, "test_of[odd name/1]") as opened:
        yield opened


@pytest.fixture
def client(running: MockUpstream) -> Iterator[Client]:
    with Client(running) as connected:
        yield connected


def said(client: Client, *words: str, **body: object) -> str:
    """The text of the mock's answer."""
    document = client.ask(" ".join(words), "responses", **body).answer()[2].decode()  # type: ignore[arg-type]
    found = [
        word
        for word in ("first", "second", "third", "belongs to no script", "No script is registered")
        if word in document
    ]
    assert len(found) == 1, document
    return found[0]


def test_its_addresses(view: MockView, running: MockUpstream) -> None:
    assert view.base_url == f"http://127.0.0.1:{running.port}/v1"
    assert view.origin == f"http://127.0.0.1:{running.port}"


def test_a_rule_with_a_when_goes_before_the_one_without(view: MockView, client: Client) -> None:
    view.says(text("first"))
    view.says(text("second"), when=When(model="small"))
    view.says(text("third"), when=When(model="s*"))
    assert [said(client, model=model) for model in ("m", "small", "s")] == ["first", "second", "third"]
    assert [call.json["model"] for call in view.calls] == ["m", "small", "s"]


def test_saying_it_again_replaces_it(view: MockView, client: Client) -> None:
    for words in ("first", "second"):
        view.says(text(words), when=When(model="m"))
        view.says(text(words))
    assert [said(client), said(client, model="other")] == ["second", "second"]
    with pytest.raises(ScriptError):
        view.plays()
    assert said(client) == "second"


def test_its_scripts_end_with_it(running: MockUpstream, view: MockView, client: Client) -> None:
    view.says(text("first"))
    assert said(client) == "first"
    with MockView(running) as other:
        assert (other.calls, other.unmatched) == ([], [])
    view.close()
    assert running.stage.names() == []
    assert said(client) == "belongs to no script"


def test_names_of_rules_say_whose_they_are(running: MockUpstream, view: MockView) -> None:
    view.says(text("first"))
    view.says(text("first"), when=When(model="m"))
    names = running.stage.names()
    assert len(set(names)) == 2
    assert all(name.startswith("test_of-odd-name-1-") for name in names)


def test_who_waits_is_released_at_the_end(view: MockView, client: Client) -> None:
    view.says(hold("h"), text("first"))
    client.ask()
    assert view.reached("h")
    view.close()
    assert b"first" in client.answer()[2]


def test_marked_calls_have_a_view_of_their_own(view: MockView, client: Client) -> None:
    view.says(text("first"))
    part = view.marked()
    part.says(text("second"))
    part.says(text("third"), when=When(model="small"))
    assert said(client) == "first"
    assert said(client, part.marker) == "second"
    assert said(client, part.marker, model="small") == "third"
    assert said(client, model="small") == "first"
    assert [call.number for call in part.calls] == [2, 3]
    assert [call.number for call in view.calls] == [1, 2, 3, 4]
    part.drop()
    assert said(client, part.marker) == "No script is registered"
    assert [call.number for call in part.calls] == [2, 3, 5]


def test_built_in_scripts_count_as_calls(view: MockView, client: Client) -> None:
    client.ask("gp-play-answer").answer()
    assert view.call().script == "gp-play-answer.0"


def test_a_call_is_waited_for(view: MockView, client: Client) -> None:
    view.says(hold("h"), text("first"))
    asking = Thread(target=client.ask)
    asking.start()
    call = view.call()
    assert (call.ended, call.json["model"]) == ("open", "m")
    assert view.reached("h")
    with pytest.raises(AssertionError, match=r"call 1, POST /v1/responses \(open\) has not ended .* the barrier 'h'"):
        view.ended(0)
    view.release("h")
    assert view.ended() is call
    assert call.ended == "played"
    asking.join(CEILING)


def test_what_came_instead_is_said(view: MockView, client: Client) -> None:
    with pytest.raises(AssertionError, match=r"no call came within 0 s, and no other .* lead to http://127"):
        view.call(0)
    said(client)
    with pytest.raises(AssertionError, match="belong to no script: call 1, POST /v1/responses"):
        view.ended(0)
    view.says(text("first"))
    for _ in range(12):
        said(client)
    with pytest.raises(AssertionError, match=r"expected one call, and 12 came: call 2, .* and 2 more"):
        view.call(0)
    part = view.marked()
    with pytest.raises(AssertionError, match=f"no call with {part.marker} came"):
        part.call(0)


def test_a_hold_that_is_not_there(view: MockView) -> None:
    with pytest.raises(KeyError, match="has the hold 'h'; there are: none"):
        view.release("h")
    view.says(hold("seen"))
    with pytest.raises(KeyError, match="there are: seen"):
        view.reached("h")
    assert not view.reached("seen", 0)


def test_no_wait_outlives_the_mock(running: MockUpstream, view: MockView) -> None:
    view.says(hold("h"))
    running.stop()
    assert not view.reached("h", 60)
