"""gateway.toml and the baseline: read as they are meant, or refused in one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.files import Baseline, FileError, Gateway, Known, load_baseline, load_gateway
from gateproof.pairs import Pair


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.toml"


WHOLE = """
[gateway]
name = "Mine"
version = "1.2"
url = "http://127.0.0.1:4000/v1"
key = "$MINE_KEY"
model = "m-{case}"
[gateway.headers]
X-Tenant = "t1"
X-Secret = "$MINE_SECRET"
[paths]
chat = "/openai/chat"
[models]
"chat.responses" = "m2"
[claims]
surfaces = ["chat"]
concurrency_limit = 4
queue_timeout = 2
queue_keepalive = 0.5
holds_key = false
"""


def test_a_gateway_is_read_with_its_secrets_from_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", "sk-1")
    monkeypatch.setenv("MINE_SECRET", "s-2")
    file.write_text(WHOLE, "utf-8")

    gateway = load_gateway(file)

    assert (gateway.name, gateway.version, gateway.key, gateway.model) == ("Mine", "1.2", "sk-1", "m-{case}")
    assert gateway.headers == (("X-Tenant", "t1"), ("X-Secret", "s-2"))
    assert gateway.origin == "http://127.0.0.1:4000"
    assert gateway.path("chat", "/v1/chat/completions") == "/openai/chat"
    assert gateway.path("responses", "/v1/responses") == "/v1/responses"
    assert gateway.model_for("chat.responses") == "m2"
    assert gateway.model_for("chat.chat") == "m-{case}"
    assert gateway.claimed("concurrency_limit")
    assert not gateway.claimed("holds_key")
    assert not gateway.claimed("compact")
    assert gateway.start is None


def test_an_empty_file_is_a_gateway_without_claims(file: Path) -> None:
    file.write_text("", "utf-8")
    assert load_gateway(file) == Gateway()


def test_a_start_command_has_its_defaults(file: Path) -> None:
    file.write_text('[gateway]\nstart = ["run", "{port}"]\nenv = { A = "{upstream}" }\n', "utf-8")
    start = load_gateway(file).start
    assert start is not None
    assert (start.command, dict(start.env), start.ready, start.within) == (
        ("run", "{port}"),
        {"A": "{upstream}"},
        "",
        60,
    )
    assert start.folder == file.parent


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h:1", "http://h:1"),
        ("http://h:1/", "http://h:1"),
        ("https://h/v1/", "https://h"),
        ("http://h/team/v1", "http://h/team"),
        ("http://[::1]:4000/v1", "http://[::1]:4000"),
    ],
)
def test_the_origin_has_no_version(url: str, origin: str) -> None:
    assert Gateway(url=url).origin == origin


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[gateway", "not TOML"),
        ('[gateway]\nname = "x"\nname = "y"', "not TOML"),
        ('[gateway]\nnmae = "x"', '$.gateway: expected a known key like "name", got "nmae"'),
        ('[gatewya]\nname = "x"', '$: expected a known key like "gateway", got "gatewya"'),
        ("gateway = 1", "$.gateway: expected an object"),
        ('[gateway]\nname = ""', "$.gateway.name: expected a string that is not empty"),
        ('[gateway]\nurl = "127.0.0.1:4000"', "$.gateway.url"),
        ('[gateway]\nurl = "http://"', "gateway.url: 'http://' is not a URL"),
        ('[gateway]\nurl = "http://a b:1"', "gateway.url"),
        ('[gateway]\nurl = "http://h:99999"', "gateway.url"),
        ('[gateway]\nurl = "http://[::1"', "gateway.url"),
        ('[gateway]\nurl = "http://user:hunter2@h"', "gateway.url: the URL holds a password"),
        ('[gateway]\nurl = "http://h?x=y"', "gateway.url"),
        ('[gateway]\nkey = "$NOT_THERE"', "gateway.key: the environment has no NOT_THERE"),
        ('[gateway]\nkey = "$EMPTY"', "gateway.key: the environment has no EMPTY"),
        ('[gateway]\nkey = "$"', "gateway.key: the environment has no variable without a name"),
        ('[gateway]\nkey = "schl\u00fcssel"', "gateway.key: the value of Authorization has a character"),
        ('[gateway.headers]\nX-A = "$NOT_THERE"', "gateway.headers.X-A: the environment has no NOT_THERE"),
        ('[gateway.headers]\nX-A = "two\\r\\nlines"', "gateway.headers: the value of X-A has a character"),
        ('[gateway.headers]\n"X A" = "x"', "gateway.headers: 'X A' is no name of a header"),
        ("[gateway.headers]\nX-A = 1", "$.gateway.headers"),
        ('[gateway]\nstart = "run me"', "$.gateway.start: expected an array"),
        ("[gateway]\nstart = []", "$.gateway.start: expected at least 1 item"),
        ('[gateway]\nready = "health"', "$.gateway.ready"),
        ("[gateway]\nready_within = 0", "$.gateway.ready_within"),
        ("[gateway]\nready_within = inf", "$.gateway.ready_within: expected a number that is finite, got inf"),
        ("[gateway]\nready_within = nan", "$.gateway.ready_within: expected a number that is finite"),
        ("[gateway]\nversion = 2026-11-21", "$.gateway.version: expected a string"),
        ('[paths]\nchat = "v1/chat"', "$.paths.chat"),
        ('[paths]\ngemini = "/v1beta"', "$.paths"),
        ('[models]\n"chat" = "m"', "$.models"),
        ('[models]\n"chat.chat" = ""', "$.models"),
        ("[claims]\ncompakt = true", '$.claims: expected a known key like "compact", got "compakt"'),
        ('[claims]\ncompact = "yes"', "$.claims.compact: expected a boolean"),
        ('[claims]\nsurfaces = ["gemini"]', "$.claims.surfaces"),
        ('[claims]\nroutes = ["v1/responses"]', "$.claims.routes"),
        ('[claims.leaves_out]\n"chat.reponses" = ["seed"]', "claims.leaves_out: 'chat.reponses' names no pair"),
        ('[claims.leaves_out]\n"chat.*" = "seed"', "$.claims.leaves_out"),
        ("[claims]\nconcurrency_limit = 0\nqueue_timeout = 1", "$.claims.concurrency_limit"),
        ("[claims]\nconcurrency_limit = true\nqueue_timeout = 1", "$.claims.concurrency_limit: expected an integer"),
        ("[claims]\nconcurrency_limit = 4", "claims.concurrency_limit needs claims.queue_timeout"),
        ("[claims]\nconcurrency_limit = 4\nqueue_timeout = 30", "claims.queue_timeout is 30"),
        ("[claims]\nkeepalive_interval = 15", "$.claims.keepalive_interval"),
        ("[claims]\nidle_timeout = 300", "$.claims.idle_timeout"),
        ('[claims]\nidle_timeout = 1\nidle_model = "slow"', "$.claims.idle_model"),
        ('[claims]\nidle_model = "slow-{model}"', "claims.idle_model needs claims.idle_timeout"),
        ("[claims]\nconcurrency_limit = 4\nqueue_timeout = 1\nidle_timeout = 1", "claims.idle_timeout must be above"),
        ("[claims]\nconcurrency_limit = 4\nqueue_timeout = nan", "$.claims.queue_timeout"),
        (
            "[claims]\nconcurrency_limit = 4\nqueue_timeout = 1\nqueue_keepalive = 1",
            "claims.queue_keepalive must be below claims.queue_timeout",
        ),
    ],
)
def test_a_bad_gateway_file_is_one_message_that_names_the_place(
    text: str, words: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    monkeypatch.setenv("EMPTY", "")
    file.write_text(text, "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert words in message
    assert "\n" not in message.removeprefix(str(file))
    assert "hunter2" not in message


def test_a_file_that_cannot_be_read_is_one_message(file: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"some\.toml: No such file or directory$"):
        load_gateway(file)
    with pytest.raises(FileError, match=r": Is a directory$"):
        load_baseline(tmp_path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match=r"some\.toml: not TOML: "):
        load_gateway(file)


# --- baseline ----------------------------------------------------------------------------------------

ID = "failure.failed-is-never-success"


def check(pair: str, mode: str, id: str = ID) -> Check:
    return Check(catalogue()[id], Pair.parse(pair), mode)


def test_a_baseline_names_what_is_known(file: Path) -> None:
    file.write_text(
        f'[[known]]\nid = "{ID}"\non = "chat.responses.stream"\nreason = "later"\nlink = "https://x/1"\n'
        '[[known]]\nid = "text.arrives-exactly-once"\nreason = "never"\n',
        "utf-8",
    )
    baseline = load_baseline(file)
    assert baseline.entry(check("chat.responses", "stream")) == Known(
        ID, "chat.responses.stream", "later", "https://x/1"
    )
    assert baseline.entry(check("chat.responses", "json")) is None
    everywhere = baseline.entry(check("responses.chat", "json", "text.arrives-exactly-once"))
    assert everywhere is not None
    assert everywhere.on == "*"


def test_an_empty_baseline_knows_nothing(file: Path) -> None:
    file.write_text("", "utf-8")
    assert load_baseline(file) == Baseline()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[known]]\nid = "failure.nonsense"\nreason = "x"', "known[0].id: 'failure.nonsense' is not in the catalogue"),
        (
            f'[[known]]\nid = "{ID}"\nreason = "x"\n[[known]]\nid = "x.y"\nreason = "x"',
            "known[1].id: 'x.y' is not in the catalogue",
        ),
        (f'[[known]]\nid = "{ID}"', 'expected the key "reason"'),
        (f'[[known]]\nid = "{ID}"\nreason = ""', "$.known[0].reason"),
        ('[[known]]\nreason = "x"', 'expected the key "id"'),
        ('[[known]]\nid = "Failure"\nreason = "x"', "$.known[0].id"),
        (f'[[known]]\nid = "{ID}"\nreason = "x"\nno = "chat.*"', 'got "no"'),
        (f'[[known]]\nid = "{ID}"\nreason = "x"\non = 1', "$.known[0].on"),
        (
            f'[[known]]\nid = "{ID}"\nreason = "x"\non = "responses.*"',
            "known[0].on: 'responses.*' matches none of chat.responses.stream, chat.responses.json",
        ),
        (
            f'[[known]]\nid = "{ID}"\nreason = "x"\non = "chat.responses"',
            "known[0].on: 'chat.responses' matches none of",
        ),
        ('[known]\nid = "x.y"', "$.known: expected an array"),
    ],
)
def test_a_bad_baseline_is_one_message_that_names_the_place(text: str, words: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(FileError) as caught:
        load_baseline(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert words in str(caught.value)
