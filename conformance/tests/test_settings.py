"""Each option as it is meant; each bad value as one line that names the option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateproof.edition import edition, newest
from gateproof.files import Baseline
from gateproof.files.claims import claims_of
from gateproof.pairs import Pair
from gateproof.settings import Settings, SettingsError, parse_listen, read

REPEATABLE = ("gateway_header", "gateway_model", "assume", "id", "pair", "mode")


def settings(**given: Any) -> Settings:
    options = dict.fromkeys(REPEATABLE, ()) | {"gateway_url": "http://h:1"} | given
    return read(options.get)


def test_a_url_is_enough() -> None:
    found = settings()
    assert found.gateway.origin == "http://h:1"
    assert found.listen == ("127.0.0.1", 8089)
    assert (found.attach, found.token, found.assume, found.baseline) == ("", "", None, Baseline())
    assert (found.strict, found.patience, found.report_dir) == (False, 1.0, Path("gateproof-report"))


def test_every_option_is_taken(tmp_path: Path) -> None:
    found = settings(
        gateway_key="k-1",
        gateway_header=["X-A: b:c", "X-Empty:"],
        gateway_model=["m", "chat.chat=n=o"],
        upstream_listen="0.0.0.0:9",
        upstream_attach="http://mock:1/v1",
        upstream_token="t",
        assume=["chat.chat, chat.responses", "responses.chat"],
        edition=newest(),
        id=["text.*"],
        pair=["chat.*"],
        mode=["both"],
        patience="0.5",
        strict=True,
        report_dir=str(tmp_path),
    )
    assert (found.gateway.key, found.gateway.model, found.gateway.model_for("chat.chat")) == ("k-1", "m", "n=o")
    assert found.gateway.headers == (("X-A", "b:c"), ("X-Empty", ""))
    assert (found.listen, found.attach, found.token) == (("0.0.0.0", 9), "http://mock:1/v1", "t")
    assert found.assume == (Pair("chat", "chat"), Pair("chat", "responses"), Pair("responses", "chat"))
    assert (found.selection.ids, found.selection.pairs, found.selection.modes) == (("text.*",), ("chat.*",), ("both",))
    assert (found.strict, found.patience, found.report_dir) == (True, 0.5, tmp_path)


def test_options_override_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[gateway]\nstart = ["run"]\nkey = "k"\nmodel = "m"\n[gateway.headers]\nX-A = "1"\n[models]\n"chat.chat" = "n"\n',
        "utf-8",
    )
    assert settings(gateway=str(file), gateway_url=None).gateway.start is not None
    found = settings(gateway=str(file), gateway_key="k2", gateway_header=["X-B: 2"], gateway_model=["chat.chat=n2"])
    assert found.gateway.start is None
    assert (found.gateway.url, found.gateway.key, found.gateway.model) == ("http://h:1", "k2", "m")
    assert found.gateway.headers == (("X-A", "1"), ("X-B", "2"))
    assert found.gateway.model_for("chat.chat") == "n2"


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("gateway_url", "nonsense", "--gateway-url: 'nonsense' is not a URL such as http://127.0.0.1:4000"),
        ("gateway_url", "ftp://h", "--gateway-url"),
        ("gateway_url", "http://", "--gateway-url"),
        ("gateway_url", "http://h:0", "--gateway-url"),
        ("gateway_url", "http://h:port", "--gateway-url"),
        ("gateway_url", "http://h:70000", "--gateway-url"),
        ("gateway_url", "http://[::1", "--gateway-url"),
        ("gateway_url", "http://a b", "--gateway-url"),
        ("gateway_url", "http://h\n:1", "--gateway-url"),
        ("gateway_url", "http://me:hunter2@h", "--gateway-url: the URL holds a password"),
        ("gateway_url", "http://h/v1?key=x", "--gateway-url"),
        ("upstream_attach", "8089", "--upstream-attach: '8089' is not a URL"),
        ("gateway", "absent.toml", "absent.toml: No such file or directory"),
        ("baseline", "absent.toml", "absent.toml: No such file or directory"),
        ("gateway_key", "hunter2\n", "--gateway-key: the value of Authorization has a character"),
        ("gateway_key", "hunter2\u00fc", "--gateway-key"),
        ("upstream_token", "hunter2\u00fc", "--upstream-token"),
        ("gateway_header", ["nonsense"], "--gateway-header: expected NAME:VALUE"),
        ("gateway_header", [": x"], "--gateway-header: expected NAME:VALUE"),
        ("gateway_header", ["X A: x"], "--gateway-header: 'X A' is no name of a header"),
        ("gateway_header", ["X-A: hunter2\r\nX-B: y"], "--gateway-header: the value of X-A"),
        ("gateway_header", ["X-A: hunter2\u00fc"], "--gateway-header"),
        ("gateway_model", ["chat.x=m"], "--gateway-model: 'chat.x' is not a pair; pairs are"),
        ("gateway_model", ["chat.chat="], "--gateway-model: expected [PAIR=]MODEL"),
        ("gateway_model", [""], "--gateway-model: expected [PAIR=]MODEL"),
        ("upstream_listen", "8089", "--upstream-listen: '8089' is not HOST:PORT, such as 127.0.0.1:8089"),
        ("upstream_listen", "h:", "--upstream-listen"),
        ("upstream_listen", "h:65536", "--upstream-listen"),
        ("upstream_listen", "h:\u00b2", "--upstream-listen"),
        ("upstream_listen", "h:-1", "--upstream-listen"),
        ("upstream_listen", "h:" + "1" * 5000, "--upstream-listen"),
        ("assume", ["chat.x"], "--assume: 'chat.x' is not a pair"),
        ("assume", [","], "--assume: '' is not a pair"),
        ("edition", "1999.1", "--edition: there is no edition '1999.1'"),
        ("pair", ["chat.x"], "--pair: 'chat.x' names no pair; pairs are"),
        ("mode", ["slow"], "--mode: 'slow' is not a mode; modes are stream, json, both"),
        ("patience", "0", "--patience: '0' is not a number above 0"),
        ("patience", "-1", "--patience"),
        ("patience", "nan", "--patience"),
        ("patience", "inf", "--patience"),
        ("patience", "soon", "--patience"),
        ("gateway_url", None, "give --gateway-url"),
    ],
)
def test_a_bad_value_is_one_message_that_names_the_option(
    option: str, value: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        settings(**{option: value})
    message = str(caught.value)
    assert words in message
    assert len(message.splitlines()) == 1
    # What may be a secret is not repeated.
    assert "hunter2" not in message


def test_a_report_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "report"
    file.touch()
    with pytest.raises(SettingsError, match=r"^--report-dir: .*report is a file$"):
        settings(report_dir=str(file))


def test_an_address_is_read() -> None:
    assert parse_listen("127.0.0.1:0") == ("127.0.0.1", 0)
    assert parse_listen(":65535") == ("127.0.0.1", 65535)


def test_a_configuration_is_chosen_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[gateway]\nurl = "http://h:1"\n[configurations.other]\nurl = "http://h:2"\n', "utf-8")
    found = settings(gateway=str(file), gateway_url=None, gateway_configuration="other")
    assert (found.gateway.origin, found.gateway.configuration) == ("http://h:2", "other")
    with pytest.raises(SettingsError, match=r"^--gateway-configuration: give --gateway FILE"):
        settings(gateway_configuration="other")


def test_for_publication_each_claim_of_the_edition_is_stated(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    names = [claim.name for claim in claims_of(edition(newest()))]
    stated = [f"{name} = false\n" for name in names if name not in ("compact", "holds_key")]
    file.write_text("[claims]\n" + "".join(stated), "utf-8")
    with pytest.raises(SettingsError) as caught:
        settings(gateway=str(file), for_publication=True)
    assert str(caught.value).startswith(
        f"{file}: for publication each claim of edition {newest()} is stated, and these are not: compact, holds_key. "
        "Write each below [claims], as `compact = false`"
    )
    file.write_text(file.read_text("utf-8") + "compact = false\nholds_key = true\n", "utf-8")
    assert settings(gateway=str(file), for_publication=True).gateway.claims == {"holds_key": True}
    with pytest.raises(SettingsError, match=r"^--for-publication: give --gateway FILE"):
        settings(for_publication=True)


def test_a_baseline_of_another_edition_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(f'edition = "{newest()}"\n', "utf-8")
    assert settings(baseline=str(file)).baseline.edition == newest()
    with pytest.raises(
        SettingsError, match=rf"known\.toml: it was written for edition {newest()}, and this is edition draft; "
    ):
        settings(baseline=str(file), edition="draft")
    file.write_text('edition = "2025.9"\n', "utf-8")
    with pytest.raises(SettingsError, match=r"known\.toml: edition: there is no edition '2025\.9'"):
        settings(baseline=str(file))
