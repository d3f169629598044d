"""Turns that do not end well: broken off, failed, cut."""

from __future__ import annotations

from collections.abc import Callable

from gateproof_mock.builtin.dice import Dice
from gateproof_mock.builtin.registry import builtin, register
from gateproof_mock.builtin.said import weather
from gateproof_mock.language.field_rules import CUT_HOW, CUT_WHERE, UNFINISHED
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import (
    Element,
    cancelled,
    comment,
    completed,
    cut,
    error_event,
    event,
    failed,
    hold,
    incomplete,
    next_part,
    pause,
    ping,
    raw,
    reasoning,
    text,
    tool_call,
    unfinished,
    usage,
)

Said = Callable[[Dice], tuple[Element, ...]]


def _nothing(dice: Dice) -> tuple[Element, ...]:
    return ()


def _text(dice: Dice) -> tuple[Element, ...]:
    return (text(*dice.pieces(dice.sentence())),)


def _reasoning(dice: Dice) -> tuple[Element, ...]:
    return (reasoning(*dice.pieces(dice.sentence())),)


def _call(dice: Dice) -> tuple[Element, ...]:
    return (weather(dice),)


def _second_part(dice: Dice) -> tuple[Element, ...]:
    return (*_text(dice), next_part(), *_text(dice))


_PLACES: dict[str, tuple[Said, str]] = {
    "at-once": (_nothing, "before anything is said"),
    "after-reasoning": (_reasoning, "after reasoning alone"),
    "after-text": (_text, "in the middle of the text"),
    "after-call": (_call, "after a tool call"),
    "in-second-part": (_second_part, "in the middle of a message's second part"),
}


def _ends(said: Said, ending: Element) -> Callable[[Dice], Script]:
    return lambda dice: script(*said(dice), ending)


for _place, (_said, _where) in _PLACES.items():
    register(
        f"failed-{_place}",
        _ends(_said, failed("server_error", "The model fell over.")),
        f"A failure {_where}: response.failed, an error chunk (OpenRouter), an `error` event (Anthropic).",
    )
    register(
        f"error-event-{_place}",
        _ends(_said, error_event("server_error", "The model fell over.", nested=True)),
        f"A nested Responses `error` event {_where}, and the end, as OpenAI's wire has it.",
    )
    register(
        f"incomplete-{_place}",
        _ends(_said, incomplete("max_output_tokens")),
        f"The limit of output tokens reached {_where}, as every provider has one.",
    )
    register(
        f"cut-{_place}",
        _ends(_said, cut("fin")),
        f"The connection closed {_where}, with no terminal event: a worker that died.",
    )

_CODES = {
    "rate-limit": ("rate_limit_exceeded", "Rate limit reached for {credential}.", "rate_limit_error", 429),
    "overloaded": ("server_is_overloaded", "The engine is overloaded.", "overloaded_error", 503),
    "quota": ("insufficient_quota", "You exceeded your current quota.", "insufficient_quota", 429),
    "context": ("context_length_exceeded", "Your input exceeds the context window.", "invalid_request_error", 400),
    "policy": ("content_policy_violation", "The prompt was flagged.", "invalid_request_error", 400),
    "no-code": ("", "Something went wrong.", "", 500),
}
for _name, (_code, _message, _type, _status) in _CODES.items():
    register(
        f"failed-{_name}",
        _ends(_text, failed(_code, _message, type=_type, status=_status)),
        f"A failure with the code `{_code}` in mid-stream; clients such as Codex act on some codes."
        if _code
        else "A failure without a code.",
    )


@builtin("failed-echoes-key")
def echoes_key(dice: Dice) -> Script:
    """A failure whose message holds the caller's key, as OpenAI's invalid_api_key does (hermes-agent#54087)."""
    return script(*_text(dice), failed("invalid_api_key", "Incorrect API key provided: {credential}.", status=401))


@builtin("failed-empty-call")
def failed_in_call(dice: Dice) -> Script:
    """A failure when a call's name is said and no argument yet."""
    return script(tool_call("get_weather"), failed())


@builtin("error-event-flat")
def flat_error(dice: Dice) -> Script:
    """A flat Responses `error` event in mid-text, as OpenAI's schema has it."""
    return script(*_text(dice), error_event("server_error", "The model fell over."))


@builtin("error-event-nested")
def nested_error(dice: Dice) -> Script:
    """A nested Responses `error` event in mid-text, as Open Responses and OpenAI's wire have it."""
    return script(*_text(dice), error_event("rate_limit_exceeded", "Slow down.", nested=True))


@builtin("error-event-then-failed")
def error_then_failed(dice: Dice) -> Script:
    """An `error` event and then `response.failed`, as Open Responses asks."""
    return script(*_text(dice), error_event("server_error", "The model fell over.", nested=True, then_failed=True))


@builtin("error-event-flat-then-failed")
def flat_then_failed(dice: Dice) -> Script:
    """A flat `error` event and then `response.failed`."""
    return script(*_text(dice), error_event("server_error", "The model fell over.", then_failed=True))


@builtin("incomplete-content-filter")
def filtered(dice: Dice) -> Script:
    """A turn that a content filter broke off, as Azure's does; stop reason `refusal` on Messages."""
    return script(*_text(dice), incomplete("content_filter"))


@builtin("incomplete-in-call")
def incomplete_in_call(dice: Dice) -> Script:
    """The limit of output tokens reached in the middle of a call's arguments, which are no JSON then."""
    counts = usage(dice.between(9, 99), dice.between(5, 20))
    return script(tool_call("get_weather", *dice.pieces('{"city": "Os')), counts, incomplete())


@builtin("incomplete-unknown")
def incomplete_unknown(dice: Dice) -> Script:
    """A turn broken off for a reason that nobody documents."""
    return script(*_text(dice), incomplete("solar_flare"))


@builtin("cancelled")
def stopped(dice: Dice) -> Script:
    """A response that somebody cancelled at the provider; an error on the dialects that have no such state."""
    return script(*_text(dice), cancelled())


for _status_word in UNFINISHED:
    register(
        f"unfinished-{_status_word.replace('_', '-')}",
        _ends(_text, unfinished(_status_word)),
        f"A response that is still `{_status_word}` when the answer ends, as a background response's is.",
    )

_HOW = {
    "eof": "ends cleanly (sub2api, a worker that died behind a proxy)",
    "fin": "closes",
    "rst": "resets (OpenSandbox#1461)",
}
_IN = {
    "": "between two events",
    "event": "in the middle of an event",
    "utf8": "inside a character of more than one byte",
    "chunk": "inside an HTTP chunk that says to be longer",
}


def _cut(how: str, where: str) -> Callable[[Dice], Script]:
    # The last delta ends in a character of three bytes, for `utf8` to be cut in.
    return lambda dice: script(text(*dice.pieces(dice.sentence()), f"{dice.words(1, 2)} 終"), cut(how, where))


for _how in CUT_HOW:
    for _in in CUT_WHERE:
        if (_how, _in) != ("eof", "chunk"):
            register(
                "-".join(filter(None, ("cut", _how, _in))),
                _cut(_how, _in),
                f"No terminal event: the connection {_HOW[_how]} {_IN[_in]}.",
            )


# --- after the end --------------------------------------------------------------------------------


@builtin("after-end-event")
def event_after_end(dice: Dice) -> Script:
    """An event of unknown type after the terminal one, as providers that add statistics send."""
    return script(*_text(dice), completed(), event(type="gateproof.statistics", seconds=dice.between(1, 9)))


@builtin("after-end-noise")
def noise_after_end(dice: Dice) -> Script:
    """A pause, a comment, a ping and half a line after the terminal event: a client is done, and has to stay so."""
    return script(*_text(dice), completed(), pause(0.02), comment("bye"), ping(), raw("data: {"))


@builtin("after-failed")
def noise_after_failure(dice: Dice) -> Script:
    """A comment and the barrier `held` after a failure: whether the failure is delivered at once."""
    return script(*_text(dice), failed(), comment("bye"), hold("held"))


# --- characters that are no events ----------------------------------------------------------------


@builtin("raw-bad-json")
def bad_json(dice: Dice) -> Script:
    """A data line whose JSON is broken, between two good ones."""
    return script(*_text(dice), raw('data: {"type": "response.output_text.delta", "delta": \n\n'), *_text(dice))


@builtin("raw-unknown-field")
def unknown_field(dice: Dice) -> Script:
    """A field that the SSE standard does not know, and one without a colon: both are to be ignored."""
    return script(*_text(dice), raw("priority: high\ndata\n\n"), *_text(dice))


@builtin("raw-blank-lines")
def blank_lines(dice: Dice) -> Script:
    """Blank lines between the events, which dispatch nothing."""
    return script(*_text(dice), raw("\n\n\r\n\n"), *_text(dice))


@builtin("raw-half-event")
def half_event(dice: Dice) -> Script:
    """The stream ends with half an event, and no blank line after it: the SSE standard throws it away."""
    return script(*_text(dice), completed(), raw('event: response.completed\ndata: {"type":'))
