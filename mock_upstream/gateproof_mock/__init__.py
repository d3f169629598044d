"""The mock upstream: a model provider that is scripted turn by turn, and can fail as a real one does.

from gateproof_mock import MockUpstream, script, text, failed

with MockUpstream() as mock:
    mock.stage.put("gp-aaaaaa-aaaaaaaa", [script(text("Hel"), failed("server_error", "it fell over"))])
"""

from gateproof_mock.markers import marker, run_part
from gateproof_mock.remote import MockError, RemoteMock
from gateproof_mock.scripts import Script, ScriptError, script, scripts_from_json
from gateproof_mock.server import MockUpstream
from gateproof_mock.turns import (
    Usage,
    cancelled,
    comment,
    completed,
    cut,
    error_event,
    event,
    failed,
    hold,
    incomplete,
    interleaved,
    next_message,
    reasoning,
    refusal,
    refused,
    text,
    tool_call,
    unfinished,
    usage,
    web_search,
)
from gateproof_mock.wire import Wire

__all__ = [
    "MockError",
    "MockUpstream",
    "RemoteMock",
    "Script",
    "ScriptError",
    "Usage",
    "Wire",
    "cancelled",
    "comment",
    "completed",
    "cut",
    "error_event",
    "event",
    "failed",
    "hold",
    "incomplete",
    "interleaved",
    "marker",
    "next_message",
    "reasoning",
    "refusal",
    "refused",
    "run_part",
    "script",
    "scripts_from_json",
    "text",
    "tool_call",
    "unfinished",
    "usage",
    "web_search",
]
