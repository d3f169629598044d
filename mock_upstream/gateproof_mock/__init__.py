"""The mock upstream: a model provider that is scripted turn by turn, and can fail as a real one does.

from gateproof_mock import MockUpstream, script, text, failed

with MockUpstream() as mock:
    mock.stage.put("gp-aaaaaa-aaaaaaaa", [script(text("Hel"), failed("server_error", "it fell over"))])

Everything public is here, and is imported when it is first named: who needs a word of the script language does not wait for a
web server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateproof_mock.language.matching import When as When
    from gateproof_mock.language.scripts import Script as Script
    from gateproof_mock.language.scripts import ScriptError as ScriptError
    from gateproof_mock.language.scripts import script as script
    from gateproof_mock.language.scripts import scripts_from_json as scripts_from_json
    from gateproof_mock.language.turns import Usage as Usage
    from gateproof_mock.language.turns import cancelled as cancelled
    from gateproof_mock.language.turns import citation as citation
    from gateproof_mock.language.turns import comment as comment
    from gateproof_mock.language.turns import completed as completed
    from gateproof_mock.language.turns import custom_tool_call as custom_tool_call
    from gateproof_mock.language.turns import cut as cut
    from gateproof_mock.language.turns import error_event as error_event
    from gateproof_mock.language.turns import event as event
    from gateproof_mock.language.turns import failed as failed
    from gateproof_mock.language.turns import hold as hold
    from gateproof_mock.language.turns import image as image
    from gateproof_mock.language.turns import incomplete as incomplete
    from gateproof_mock.language.turns import interleaved as interleaved
    from gateproof_mock.language.turns import item as item
    from gateproof_mock.language.turns import next_message as next_message
    from gateproof_mock.language.turns import next_part as next_part
    from gateproof_mock.language.turns import pause as pause
    from gateproof_mock.language.turns import ping as ping
    from gateproof_mock.language.turns import raw as raw
    from gateproof_mock.language.turns import reasoning as reasoning
    from gateproof_mock.language.turns import refusal as refusal
    from gateproof_mock.language.turns import refused as refused
    from gateproof_mock.language.turns import text as text
    from gateproof_mock.language.turns import tool_call as tool_call
    from gateproof_mock.language.turns import unfinished as unfinished
    from gateproof_mock.language.turns import usage as usage
    from gateproof_mock.language.turns import web_search as web_search
    from gateproof_mock.language.wire import Wire as Wire
    from gateproof_mock.markers import marker as marker
    from gateproof_mock.markers import run_part as run_part
    from gateproof_mock.remote import LocalMock as LocalMock
    from gateproof_mock.remote import MockError as MockError
    from gateproof_mock.remote import RemoteMock as RemoteMock
    from gateproof_mock.serving.load_server import LoadUpstream as LoadUpstream
    from gateproof_mock.serving.server import MockUpstream as MockUpstream
    from gateproof_mock.view import MockView as MockView

_WORDS = (
    "Usage cancelled citation comment completed custom_tool_call cut error_event event failed hold image incomplete"
    " interleaved item next_message next_part pause ping raw reasoning refusal refused text tool_call unfinished usage"
    " web_search"
)
_WHERE = {
    "serving.load_server": "LoadUpstream",
    "markers": "marker run_part",
    "language.matching": "When",
    "remote": "LocalMock MockError RemoteMock",
    "language.scripts": "Script ScriptError script scripts_from_json",
    "serving.server": "MockUpstream",
    "language.turns": _WORDS,
    "view": "MockView",
    "language.wire": "Wire",
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names.split()}

__all__ = list(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"gateproof_mock.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
