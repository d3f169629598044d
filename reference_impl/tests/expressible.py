"""What each API cannot say of a turn, and why: the only things that a translation may lose."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from generated_turns import FAILURES, meant

from gateproof_mock import Script
from gateproof_mock.language.turns import Element, Ending, Interleaved, Refusal, ToolCall, Usage
from gateproof_reference import Turn
from gateproof_reference import Usage as Counts


@dataclass(frozen=True)
class Loss:
    """Something that `api` cannot say. `sources` are the APIs that can, and so the pairs on which it gets lost."""

    api: str
    what: str
    why: str
    sources: tuple[str, ...]
    apply: Callable[[Turn, Script], Turn]


def _no_seals(turn: Turn, script: Script) -> Turn:
    return replace(turn, seals=())


def _only(turn: Turn, into: tuple[str, ...], out: tuple[str, ...]) -> Turn:
    if turn.usage is None:
        return turn
    kept = Counts(
        turn.usage.input_tokens,
        turn.usage.output_tokens,
        turn.usage.total_tokens,
        {name: count for name, count in turn.usage.input_details.items() if name in into},
        {name: count for name, count in turn.usage.output_details.items() if name in out},
    )
    return replace(turn, usage=kept)


def _no_predictions(turn: Turn, script: Script) -> Turn:
    return _only(turn, ("cached_tokens", "cache_write_tokens", "audio_tokens"), ("reasoning_tokens", "audio_tokens"))


def _no_audio(turn: Turn, script: Script) -> Turn:
    return _only(turn, ("cached_tokens", "cache_write_tokens"), ("reasoning_tokens",))


def _refusal_is_text(turn: Turn, script: Script) -> Turn:
    return replace(turn, text=meant(script, "messages").text, refusal="") if turn.refusal else turn


def _refusal_is_an_ending(turn: Turn, script: Script) -> Turn:
    refused = any(isinstance(element, Refusal) for element in script.turn)
    return replace(turn, ending="content_filter") if refused and turn.ending == "stop" else turn


LOSSES = (
    Loss(
        "chat",
        "the seal of reasoning",
        "a message has no member for it; to put it among the words would be to show it",
        ("responses", "messages"),
        _no_seals,
    ),
    Loss(
        "responses",
        "the counts of predicted tokens",
        "Responses has no predicted outputs",
        ("chat",),
        _no_predictions,
    ),
    Loss(
        "messages",
        "the counts of audio and of predicted tokens",
        "its usage has neither; the totals that they are part of stay",
        ("responses", "chat"),
        _no_audio,
    ),
    Loss(
        "messages",
        "that words are a refusal's",
        "it has one kind of words: they are text",
        ("responses", "chat"),
        _refusal_is_text,
    ),
    Loss(
        "messages",
        "that a turn ended by itself although it refused",
        "`refusal` is its stop_reason for that, which elsewhere is content_filter",
        ("responses", "chat"),
        _refusal_is_an_ending,
    ),
)
"""Beside these, of a failure: Messages has no code; Responses has no type and no param, and has always a code. Its message
and who must act are told everywhere."""


def expressed(turn: Turn, script: Script, api: str) -> Turn:
    """What this API can say of a turn of another one."""
    for loss in LOSSES:
        if loss.api == api:
            turn = loss.apply(turn, script)
    return turn


def as_a_body(script: Script, source: str) -> Script:
    """Return the turn that the JSON body of an API tells: a message of Chat Completions has one text and one refusal, and
    does not tell which was first."""
    if source != "chat":
        return script
    return replace(script, turn=tuple(sorted(script.turn, key=_place)))


def _place(element: Element) -> int:
    if isinstance(element, Ending):
        return 3
    return 2 if isinstance(element, Usage) else 1 if isinstance(element, Refusal) else 0


def waits_in_vain(script: Script) -> bool:
    """Whether a turn fails after a call without arguments. Its blocks stand one after the other in Messages, and that such
    a call is whole is known at the end only: what is said after it waits, and a failure comes before it."""
    calls = [call for e in script.turn for call in (e.calls if isinstance(e, Interleaved) else (e,))]
    return isinstance(script.ending, FAILURES) and any(
        isinstance(call, ToolCall) and not "".join(call.arguments) for call in calls
    )
