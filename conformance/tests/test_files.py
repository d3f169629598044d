"""gateway.toml and the baseline: read as they are meant, or refused in one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.files import Baseline, FileError, Gateway, Known, load_baseline, load_gateway
from gateproof.files.claims import claims_of
from gateproof.pairs import Pair
from gateproof_schemas import schema


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
    ("text", "line", "words"),
    [
        ("[gateway", 1, "not TOML: Expected ']' at the end of a table declaration"),
        ('[gateway]\nname = "x"\nname = "y"', 3, "not TOML: Cannot overwrite a value"),
        ('[gateway]\nnmae = "x"', 2, "gateway.nmae is not known; did you mean name?"),
        ('[gatewya]\nname = "x"', 1, "gatewya is not known; did you mean gateway?"),
        ("gateway = 1", 1, "gateway: expected an object"),
        ('[gateway]\nname = ""', 2, "gateway.name: expected a string that is not empty"),
        ('[gateway]\nurl = "127.0.0.1:4000"', 2, "gateway.url: expected a string that matches ^https?://"),
        ('[gateway]\nurl = "http://"', 2, "gateway.url: 'http://' is not a URL such as http://127.0.0.1:4000"),
        (
            '[gateway]\nurl = "http://a b:1"',
            2,
            "gateway.url: 'http://a b:1' is not a URL such as http://127.0.0.1:4000",
        ),
        (
            '[gateway]\nurl = "http://h:99999"',
            2,
            "gateway.url: 'http://h:99999' is not a URL such as http://127.0.0.1:4000",
        ),
        ('[gateway]\nurl = "http://[::1"', 2, "gateway.url: 'http://[::1' is not a URL such as http://127.0.0.1:4000"),
        (
            '[gateway]\nurl = "http://user:hunter2@h"',
            2,
            "gateway.url: the URL holds a password; give it as a header instead",
        ),
        (
            '[gateway]\nurl = "http://h?x=y"',
            2,
            "gateway.url: 'http://h?x=y': routes are built from the URL, so it can have no query and no fragment",
        ),
        ('[gateway]\nkey = "$NOT_THERE"', 2, "gateway.key: the environment has no NOT_THERE"),
        ('[gateway]\nkey = "$EMPTY"', 2, "gateway.key: the environment has no EMPTY"),
        ('[gateway]\nkey = "$"', 2, "gateway.key: the environment has no variable without a name"),
        (
            '[gateway]\nkey = "schlüssel"',
            2,
            "gateway.key: the value of Authorization has a character that a header cannot carry",
        ),
        ('[gateway.headers]\nX-A = "$NOT_THERE"', 2, "gateway.headers.X-A: the environment has no NOT_THERE"),
        (
            '[gateway.headers]\nX-A = "two\\r\\nlines"',
            2,
            "gateway.headers: the value of X-A has a character that a header cannot carry",
        ),
        ('[gateway.headers]\n"X A" = "x"', 2, "gateway.headers: 'X A' is no name of a header"),
        ("[gateway.headers]\nX-A = 1", 2, "gateway.headers.X-A: expected a string"),
        ('[gateway]\nstart = "run me"', 2, "gateway.start: expected an array"),
        ("[gateway]\nstart = []", 2, "gateway.start: expected at least 1 item"),
        ('[gateway]\nready = "health"', 2, "gateway.ready: expected a string that matches ^/"),
        ("[gateway]\nready_within = 0", 2, "gateway.ready_within: expected a number above 0"),
        ("[gateway]\nready_within = inf", 2, "gateway.ready_within: expected a number that is finite"),
        ("[gateway]\nready_within = nan", 2, "gateway.ready_within: expected a number that is finite"),
        ("[gateway]\nversion = 2026-11-21", 2, "gateway.version: expected a string"),
        ('[paths]\nchat = "v1/chat"', 2, "paths.chat: expected a string that matches ^/"),
        ('[paths]\ngemini = "/v1beta"', 2, "paths.gemini is not known"),
        ('[models]\n"chat" = "m"', 2, "models.chat is not known; did you mean chat.chat?"),
        ('[models]\n"chat.chat" = ""', 2, 'models."chat.chat": expected a string that is not empty'),
        ("[claims]\ncompakt = true", 2, "claims.compakt is not known; did you mean compact?"),
        ('[claims]\ncompact = "yes"', 2, "claims.compact: expected a boolean"),
        ('[claims]\nsurfaces = ["gemini"]', 2, 'claims.surfaces[0]: expected "chat", "responses" or "messages"'),
        ('[claims]\nroutes = ["v1/responses"]', 2, "claims.routes[0]: expected a string that matches ^/"),
        (
            '[claims.leaves_out]\n"chat.reponses" = ["seed"]',
            2,
            "claims.leaves_out: 'chat.reponses' names no pair; pairs are chat.responses, chat.chat, chat.messages",
        ),
        ('[claims.leaves_out]\n"chat.*" = "seed"', 2, 'claims.leaves_out."chat.*": expected an array'),
        (
            "[claims]\nconcurrency_limit = 0\nqueue_timeout = 1",
            2,
            "claims.concurrency_limit: expected a number not below 1",
        ),
        ("[claims]\nconcurrency_limit = true\nqueue_timeout = 1", 2, "claims.concurrency_limit: expected an integer"),
        (
            "[claims]\nconcurrency_limit = 4",
            2,
            "claims.concurrency_limit needs claims.queue_timeout beside it (seconds, at most 2)",
        ),
        (
            "[claims]\nconcurrency_limit = 4\nqueue_timeout = 30",
            3,
            "claims.queue_timeout is 30; configure at most 2 s for a conformance run",
        ),
        ("[claims]\nkeepalive_interval = 15", 2, "claims.keepalive_interval: expected a number not above 2"),
        ("[claims]\nidle_timeout = 300", 2, "claims.idle_timeout: expected a number not above 5"),
        (
            '[claims]\nidle_timeout = 1\nidle_model = "slow"',
            3,
            "claims.idle_model: expected a string that matches [{]model[}]",
        ),
        ('[claims]\nidle_model = "slow-{model}"', 2, "claims.idle_model needs claims.idle_timeout beside it"),
        (
            "[claims]\nconcurrency_limit = 4\nqueue_timeout = 1\nidle_timeout = 1",
            4,
            "claims.idle_timeout must be above claims.queue_timeout, or only for models named by claims.idle_mode",
        ),
        (
            "[claims]\nconcurrency_limit = 4\nqueue_timeout = nan",
            3,
            "claims.queue_timeout: expected a number that is finite",
        ),
        (
            "[claims]\nconcurrency_limit = 4\nqueue_timeout = 1\nqueue_keepalive = 1",
            4,
            "claims.queue_keepalive must be below claims.queue_timeout",
        ),
        ("[claims]\nqueue_timeout = 30", 2, "claims.queue_timeout is 30; configure at most 2 s for a conformance run"),
        (
            '[gateway]\nurl = "http://127.0.0.1:4000"\nstart = ["x"]',
            2,
            "gateway.url: the file has gateway.start too, which starts the gateway at an address of its own: give one of them",
        ),
        ('[gateway]\nstart = ["x", "{prot}"]', 2, "gateway.start: {prot} is not filled in; did you mean {port}?"),
        (
            '[gateway]\nstart = ["x"]\nenv = { BASE = "{upstrem}" }',
            3,
            "gateway.env.BASE: {upstrem} is not filled in; did you mean {upstream}?",
        ),
    ],
)
def test_a_bad_gateway_file_is_one_message_that_names_the_place(
    text: str, line: int, words: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    monkeypatch.setenv("EMPTY", "")
    file.write_text(text, "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    message = str(caught.value)
    assert message.startswith(f"{file}, line {line}: {words}")
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
    ("text", "line", "words"),
    [
        (
            '[[known]]\nid = "failure.nonsense"\nreason = "x"',
            2,
            "known[0].id: 'failure.nonsense' is not in the catalogue; see `gateproof list`",
        ),
        (
            f'[[known]]\nid = "{ID}"\nreason = "x"\n[[known]]\nid = "x.y"\nreason = "x"',
            5,
            "known[1].id: 'x.y' is not in the catalogue; see `gateproof list`",
        ),
        (f'[[known]]\nid = "{ID}"', 1, 'known[0]: expected the key "reason", which is missing'),
        (f'[[known]]\nid = "{ID}"\nreason = ""', 3, "known[0].reason: expected a string that is not empty"),
        ('[[known]]\nreason = "x"', 1, 'known[0]: expected the key "id", which is missing'),
        (
            '[[known]]\nid = "Failure"\nreason = "x"',
            2,
            "known[0].id: expected a string that matches ^[a-z0-9-]+\\.[a-z0-9-]+$",
        ),
        (f'[[known]]\nid = "{ID}"\nreason = "x"\nno = "chat.*"', 4, "known[0].no is not known"),
        (f'[[known]]\nid = "{ID}"\nreason = "x"\non = 1', 4, "known[0].on: expected a string"),
        (
            f'[[known]]\nid = "{ID}"\nreason = "x"\non = "responses.*"',
            4,
            "known[0].on: 'responses.*' matches none of chat.responses.stream, chat.responses.json, messages.resp",
        ),
        (
            f'[[known]]\nid = "{ID}"\nreason = "x"\non = "chat.responses"',
            4,
            "known[0].on: 'chat.responses' matches none of chat.responses.stream, chat.responses.json, messages.r",
        ),
        ('[known]\nid = "x.y"', 1, "known: expected an array"),
    ],
)
def test_a_bad_baseline_is_one_message_that_names_the_place(text: str, line: int, words: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(FileError) as caught:
        load_baseline(file)
    assert str(caught.value).startswith(f"{file}, line {line}: {words}")


def test_a_wrong_id_has_the_nearest_right_one(file: Path) -> None:
    file.write_text('[[known]]\nid = "failure.failed-is-never-succes"\nreason = "x"\n', "utf-8")
    with pytest.raises(FileError, match=rf"line 2: known\[0\]\.id: .*; did you mean '{ID}'\?$"):
        load_baseline(file)


def test_a_baseline_knows_its_edition_and_what_nobody_has_looked_at(file: Path) -> None:
    file.write_text(
        f'edition = "2026.1"\n[[known]]\nid = "{ID}"\nreason = "unreviewed"\n[[known]]\nid = "{ID}"\nreason = "later"\n',
        "utf-8",
    )
    baseline = load_baseline(file)
    assert [known.reason for known in baseline.to_review] == ["unreviewed"]
    assert baseline.fault_on("2026.1") == ""
    assert baseline.fault_on("draft") == "it was written for edition 2026.1, and this is edition draft"
    assert Baseline().fault_on("draft") == ""


# --- several faults at once, and what they may not tell ------------------------------------------------


def test_every_fault_of_a_file_is_told_in_its_order(file: Path) -> None:
    file.write_text(
        '[gatewya]\n[gateway]\nnmae = "x"\nready_within = -1\n[claims]\ncompakt = true\n[models]\n"chat.x" = "m"\n',
        "utf-8",
    )
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    assert str(caught.value).splitlines() == [
        f"{file}, line 1: gatewya is not known; did you mean gateway?",
        f"{file}, line 3: gateway.nmae is not known; did you mean name?",
        f"{file}, line 4: gateway.ready_within: expected a number above 0, got -1 (an integer)",
        f"{file}, line 6: claims.compakt is not known; did you mean compact?",
        f'{file}, line 8: models."chat.x" is not known; did you mean chat.chat?',
    ]


def test_faults_that_no_schema_can_say_are_told_together(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[gateway]\nurl = "http://h?x"\n[claims]\nconcurrency_limit = 4\nidle_model = "{model}"\n', "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        f"{file}, line {number}" for number in (2, 4, 5)
    ]
    monkeypatch.delenv("A", raising=False)
    monkeypatch.delenv("B", raising=False)
    file.write_text('[gateway]\nkey = "$A"\nheaders = { X = "$B" }\n', "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    assert len(str(caught.value).splitlines()) == 2


def test_of_many_faults_ten_are_told(file: Path) -> None:
    file.write_text("[claims]\n" + "".join(f"wrong_{number} = true\n" for number in range(13)), "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 3 more"


@pytest.mark.parametrize(
    "text",
    [
        '[gateway]\nkey = ["hunter2"]',
        '[gateway.headers]\nX-A = { a = "hunter2" }',
        '[gateway.env]\nA = ["hunter2"]',
        '[gateway]\nheaders = "hunter2"',
        '[configurations.a.headers]\nX-A = ["hunter2"]',
        '[configurations."a.b".headers]\nX-A = ["hunter2"]',
        '[gateway]\nkey = "hunter2',
    ],
)
def test_a_value_that_may_be_a_secret_is_never_quoted(text: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(FileError, match=r"line 2: ") as caught:
        load_gateway(file)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("[gateway]\n" + "x" * 100 + " = 1", "is not known"),
    ],
)
def test_a_monstrous_file_is_one_message(text: str, words: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    with pytest.raises(FileError, match=words):
        load_gateway(file)


# --- claims that say no ---------------------------------------------------------------------------------


def test_every_claim_can_say_no_and_is_then_none(file: Path) -> None:
    claims = claims_of(catalogue().values())
    assert len(claims) == len(schema("own/gateway")["properties"]["claims"]["properties"])
    file.write_text("[claims]\n" + "".join(f"{claim.name} = false\n" for claim in claims), "utf-8")
    gateway = load_gateway(file)
    assert gateway.claims == {}
    assert gateway.stated == {claim.name: False for claim in claims}


def test_a_claim_that_says_no_asks_for_no_other(file: Path) -> None:
    file.write_text(
        "[claims]\nconcurrency_limit = 4\nqueue_timeout = 1\nqueue_keepalive = false\nidle_model = false\n", "utf-8"
    )
    assert load_gateway(file).claims == {"concurrency_limit": 4, "queue_timeout": 1}
    file.write_text("[claims]\nconcurrency_limit = 4\nqueue_timeout = false\n", "utf-8")
    with pytest.raises(FileError, match=r"line 2: claims\.concurrency_limit needs claims\.queue_timeout"):
        load_gateway(file)


@pytest.mark.parametrize("name", ["gateway.toml", "gateway-streaming.toml"])
def test_the_reference_states_every_claim(name: str, reference_toml: Path) -> None:
    gateway = load_gateway(reference_toml.with_name(name))
    assert set(gateway.stated) == {claim.name for claim in claims_of(catalogue().values())}
    assert gateway.denied == ("adds_keys", "drains")
    assert gateway.claims["idle_model"] == "impatient-{model}"
    assert not set(gateway.claims) & set(gateway.denied)


# --- configurations -------------------------------------------------------------------------------------

CONFIGURED = """
[gateway]
name = "Mine"
key = "k-1"
model = "m"
start = ["run", "{port}"]
env = { A = "1", B = "2" }
[gateway.headers]
X-A = "1"
[models]
"chat.chat" = "n"
[claims]
surfaces = ["chat"]
compact = true
[configurations.streaming]
start = ["run", "--stream"]
env = { B = "3" }
model = "m-streaming"
[configurations.streaming.models]
"chat.responses" = "o"
[configurations.streaming.claims]
accepts_unrequested_sse = true
compact = false
[configurations.deployed]
url = "http://127.0.0.1:4001"
headers = { X-B = "2" }
"""


def test_a_configuration_goes_before_the_rest_of_the_file(file: Path) -> None:
    file.write_text(CONFIGURED, "utf-8")

    usual, streaming, deployed = (load_gateway(file, name) for name in ("", "streaming", "deployed"))

    assert (usual.configuration, usual.model, usual.claims) == ("", "m", {"surfaces": ["chat"], "compact": True})
    assert usual.start is not None
    assert (usual.start.command, usual.start.env) == (("run", "{port}"), {"A": "1", "B": "2"})
    assert (streaming.configuration, streaming.model, streaming.key) == ("streaming", "m-streaming", "k-1")
    assert streaming.start is not None
    assert (streaming.start.command, streaming.start.env) == (("run", "--stream"), {"A": "1", "B": "3"})
    assert streaming.models == {"chat.chat": "n", "chat.responses": "o"}
    assert streaming.claims == {"surfaces": ["chat"], "accepts_unrequested_sse": True}
    assert streaming.denied == ("compact",)
    # One that names a URL is there already.
    assert (deployed.start, deployed.origin) == (None, "http://127.0.0.1:4001")
    assert deployed.headers == (("X-A", "1"), ("X-B", "2"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("streming", "line 15: there is no configuration 'streming'; did you mean 'streaming'?"),
        ("x", "there is no configuration 'x'; there is streaming, deployed"),
    ],
)
def test_a_configuration_that_is_not_there_is_named_with_the_nearest(name: str, words: str, file: Path) -> None:
    file.write_text(CONFIGURED, "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file, name)
    assert words in str(caught.value)
    file.write_text("", "utf-8")
    with pytest.raises(FileError, match=rf"the file has no \[configurations\.{name}\]$"):
        load_gateway(file, name)


def test_a_fault_in_a_configuration_is_told_where_it_stands_whichever_is_asked_for(file: Path) -> None:
    file.write_text(
        "[claims]\nqueue_timeout = 1\n[configurations.a.claims]\nconcurrency_limit = 4\nqueue_keepalive = 1\n"
        '[configurations.b]\nurl = "http://h?x"\nclaims = { leaves_out = { "chat.x" = ["seed"] } }\nstrat = []\n',
        "utf-8",
    )
    with pytest.raises(FileError, match=r"line 9: configurations\.b\.strat is not known; did you mean start\?$"):
        load_gateway(file)
    file.write_text(file.read_text("utf-8").replace("strat = []\n", ""), "utf-8")
    with pytest.raises(FileError) as caught:
        load_gateway(file)
    assert [line.removeprefix(f"{file}, ")[:60] for line in str(caught.value).splitlines()] == [
        "line 5: configurations.a.claims.queue_keepalive must be below claims.queue_timeout"[:60],
        "line 7: configurations.b.url: 'http://h?x': routes are built from the URL"[:60],
        "line 8: configurations.b.claims.leaves_out: 'chat.x' names no pair"[:60],
    ]
    file.write_text(
        "[claims]\nconcurrency_limit = 4\nqueue_timeout = 1\n[configurations.a]\nclaims.queue_timeout = false\n",
        "utf-8",
    )
    with pytest.raises(FileError, match=r"line 2: claims\.concurrency_limit needs .* \(in configuration 'a'\)$"):
        load_gateway(file)
    file.write_text('[configurations.a]\nheaders = { "X A" = "x" }\n', "utf-8")
    assert load_gateway(file).headers == ()
    with pytest.raises(FileError, match=r"line 2: configurations\.a\.headers: 'X A' is no name of a header$"):
        load_gateway(file, "a")
