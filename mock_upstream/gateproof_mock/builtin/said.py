"""Whole answers: every thing that a model can say, alone and together."""

from __future__ import annotations

from gateproof_mock.builtin.dice import WORDS, Dice
from gateproof_mock.builtin.registry import builtin
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import (
    Completed,
    ToolCall,
    Usage,
    citation,
    comment,
    completed,
    custom_tool_call,
    event,
    hold,
    image,
    interleaved,
    item,
    next_message,
    next_part,
    pause,
    ping,
    reasoning,
    refusal,
    text,
    tool_call,
    usage,
    web_search,
)

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
"""An image of one pixel."""

PATCH = "*** Begin Patch\n*** Update File: {0}.py\n@@\n-{1}\n+{2}\n*** End Patch\n"
"""What Codex's `apply_patch` takes."""


def answer(dice: Dice) -> Script:
    """Reasoning, text, a call and its usage: what most of the others vary."""
    return script(
        reasoning(*dice.pieces(dice.sentence())), text(*dice.pieces(dice.sentence())), weather(dice), _usage(dice)
    )


def weather(dice: Dice) -> ToolCall:
    return tool_call("get_weather", *dice.arguments(city=dice.pick(WORDS).capitalize(), days=dice.between(1, 7)))


def _usage(dice: Dice) -> Usage:
    return usage(dice.between(9, 400), dice.between(5, 200))


def _pieces(dice: Dice) -> tuple[str, ...]:
    return dice.pieces(dice.sentence())


# --- text -----------------------------------------------------------------------------------------


@builtin("nothing")
def nothing(dice: Dice) -> Script:
    """A completed answer that says nothing at all, as models sometimes do after a tool's result."""
    return script()


@builtin("echo")
def echo(dice: Dice) -> Script:
    """Text that quotes the call's own marker: whose answer went to whom."""
    return script(text("You are ", "{marker}", f", and {dice.words(1, 3)}."))


@builtin("several-texts")
def several_texts(dice: Dice) -> Script:
    """Three texts in a row, which are one part: deltas from more than one source, as a router joins them."""
    return script(*(text(*_pieces(dice)) for _ in range(3)))


@builtin("several-messages")
def several_messages(dice: Dice) -> Script:
    """Two message items in one response: a commentary and then the answer, as GPT-5 and Codex models say."""
    return script(text(*_pieces(dice)), next_message(), text(*_pieces(dice)))


@builtin("several-parts")
def several_parts(dice: Dice) -> Script:
    """Two parts in one message item (two blocks on Messages), as Anthropic makes answers with citations."""
    return script(text(*_pieces(dice)), next_part(), text(*_pieces(dice)))


@builtin("message-between-calls")
def message_between_calls(dice: Dice) -> Script:
    """Call, text, call, text: what OpenAI's models may do, and Chat Completions has no order for."""
    return script(weather(dice), text(*_pieces(dice)), weather(dice), text(*_pieces(dice)))


@builtin("citations")
def citations(dice: Dice) -> Script:
    """Text with two cited sources, as after a web search: `url_citation` annotations, citations_delta on Messages."""
    words = dice.sentence()
    cited = [
        citation(
            f"https://{host}.example/{dice.pick(WORDS)}?a=1&b=2", dice.sentence(2, 4), start=start, end=end, cited=words
        )
        for host, start, end in (("one", 0, len(words) // 2), ("two", len(words) // 2, len(words)))
    ]
    return script(text(*dice.pieces(words), citations=cited))


@builtin("citation-of-wide-text")
def citation_of_wide_text(dice: Dice) -> Script:
    """A citation whose place counts characters in a text of emoji: other counts are bytes and UTF-16."""
    before = "🏔️é " * dice.between(1, 3)
    word = dice.pick(WORDS)
    cited = citation("https://wide.example/", word, start=len(before), end=len(before + word), cited=word)
    return script(text(before, word, " 終", citations=[cited]))


@builtin("logprobs")
def logprobs(dice: Dice) -> Script:
    """Text whose tokens tell their probabilities, as clients ask for that judge a model by them; Messages has none."""
    return script(text(*_pieces(dice), " 終", " 🦄", logprobs=True))


@builtin("refusal")
def refused_politely(dice: Dice) -> Script:
    """A refusal alone, as OpenAI's models answer with structured outputs."""
    return script(refusal(*dice.pieces(f"I cannot help with {dice.words(2, 4)}.")))


@builtin("refusal-after-text")
def refusal_after_text(dice: Dice) -> Script:
    """Text, and then a refusal in the same message: a model that thinks better of it."""
    return script(text(*_pieces(dice)), refusal(*dice.pieces(f"I cannot go on with {dice.words(2, 4)}.")))


# --- reasoning ------------------------------------------------------------------------------------


@builtin("reasoning")
def reasoning_summary(dice: Dice) -> Script:
    """Reasoning by its summary, then text, as OpenAI's reasoning models; `reasoning_content` on Chat Completions."""
    return script(reasoning(*_pieces(dice)), text(*_pieces(dice)), usage(20, 90, reasoning=dice.between(10, 80)))


@builtin("reasoning-full")
def reasoning_full(dice: Dice) -> Script:
    """Reasoning by its whole text, as open-weight models on vLLM and DeepSeek: `reasoning_text` content."""
    return script(reasoning(full=_pieces(dice)), text(*_pieces(dice)))


@builtin("reasoning-encrypted")
def reasoning_encrypted(dice: Dice) -> Script:
    """Reasoning that only the provider can read (`encrypted_content`; redacted_thinking on Messages), as Codex asks for."""
    return script(reasoning(encrypted=_sealed(dice)), text(*_pieces(dice)))


@builtin("reasoning-summary-encrypted")
def reasoning_summary_encrypted(dice: Dice) -> Script:
    """A summary and the encrypted reasoning: what Codex sends back with its next turn."""
    return script(reasoning(*_pieces(dice), encrypted=_sealed(dice)), text(*_pieces(dice)))


@builtin("reasoning-signed")
def reasoning_signed(dice: Dice) -> Script:
    """Thinking with its signature and a call after it: Anthropic refuses the next turn without it."""
    return script(reasoning(full=_pieces(dice), signature=_sealed(dice)), weather(dice))


@builtin("reasoning-every-form")
def reasoning_every_form(dice: Dice) -> Script:
    """Summary, whole text, encrypted content and signature in one item."""
    said = reasoning(*_pieces(dice), full=_pieces(dice), encrypted=_sealed(dice), signature=_sealed(dice))
    return script(said, text(*_pieces(dice)))


@builtin("reasoning-empty")
def reasoning_empty(dice: Dice) -> Script:
    """A reasoning item with nothing in it, as OpenAI sends when no summary is asked for."""
    return script(reasoning(), text(*_pieces(dice)))


@builtin("reasoning-only")
def reasoning_only(dice: Dice) -> Script:
    """Reasoning and nothing else: a model that used up its words on thinking."""
    return script(reasoning(*_pieces(dice)))


@builtin("reasoning-twice")
def reasoning_twice(dice: Dice) -> Script:
    """Reasoning, text, reasoning, a call: thinking between the steps (interleaved thinking of Claude and MiniMax)."""
    return script(reasoning(*_pieces(dice)), text(*_pieces(dice)), reasoning(*_pieces(dice)), weather(dice))


def _sealed(dice: Dice) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "gAAAAAB" + "".join(dice.pick(letters) for _ in range(dice.between(80, 160))) + "=="


# --- calls ----------------------------------------------------------------------------------------


@builtin("tool-call")
def one_call(dice: Dice) -> Script:
    """One function call, its arguments in pieces."""
    return script(weather(dice), _usage(dice))


@builtin("tool-call-no-arguments")
def call_without_arguments(dice: Dice) -> Script:
    """A call without any arguments: no delta, and an empty string in place of a JSON object."""
    return script(tool_call("get_time"))


@builtin("tool-call-empty-object")
def call_of_empty_object(dice: Dice) -> Script:
    """A call whose arguments are `{}`."""
    return script(tool_call("get_time", "{}"))


@builtin("tool-call-one-piece")
def call_in_one_piece(dice: Dice) -> Script:
    """A call whose arguments are one delta, as Gemini's and Ollama's OpenAI surfaces send."""
    return script(tool_call("get_weather", "".join(dice.arguments(city=dice.pick(WORDS)))))


@builtin("tool-call-many-pieces")
def call_in_many_pieces(dice: Dice) -> Script:
    """A call whose arguments come character by character, escapes and emoji broken apart."""
    return script(tool_call("write_file", *"".join(dice.arguments(path="a\\b\n", text=f'"{dice.words(2, 4)}" 🙂é'))))


@builtin("tool-call-with-id")
def call_with_id(dice: Dice) -> Script:
    """A call whose id is the provider's own and of an unusual form (`functions.f:0`, as Kimi's)."""
    return script(
        tool_call("get_weather", *dice.arguments(city="Oslo"), id=f"functions.get_weather:{dice.between(0, 9)}")
    )


@builtin("tool-call-large")
def large_call(dice: Dice) -> Script:
    """A call with 100 KB of arguments: an agent that writes a whole file."""
    body = dice.words(20, 20) + "\n"
    return script(tool_call("write_file", '{"path": "a.txt", "text": "', *[body.replace("\n", "\\n")] * 800, '"}'))


@builtin("tool-call-invalid-arguments")
def call_of_no_json(dice: Dice) -> Script:
    """A call whose arguments are no JSON: small models forget the last bracket, and a gateway is not to repair it."""
    return script(tool_call("get_weather", *dice.pieces('{"city": "Oslo", "days": ')))


@builtin("text-then-tool-call")
def text_then_call(dice: Dice) -> Script:
    """Text and then a call: Claude says what it is about to do."""
    return script(text(*_pieces(dice)), weather(dice))


@builtin("answer")
def whole_answer(dice: Dice) -> Script:
    """Reasoning, text, a call and usage: one of each, as an agent's turn is."""
    return answer(dice)


@builtin("tool-calls-parallel")
def parallel_calls(dice: Dice) -> Script:
    """Two to five calls, one after the other, as OpenAI streams parallel calls."""
    return script(*(weather(dice) for _ in range(dice.between(2, 5))))


@builtin("tool-calls-interleaved")
def interleaved_calls(dice: Dice) -> Script:
    """Parallel calls whose argument deltas alternate: only their index or item says whose they are."""
    return script(interleaved(*(weather(dice) for _ in range(dice.between(2, 4)))))


@builtin("tool-calls-reverse")
def reversed_calls(dice: Dice) -> Script:
    """Parallel calls that end in the reverse of the order in which they began."""
    return script(interleaved(*(weather(dice) for _ in range(dice.between(2, 4))), reverse=True))


@builtin("tool-calls-same-name")
def calls_of_one_name(dice: Dice) -> Script:
    """Two calls of the same function with the same arguments, apart only by their ids."""
    arguments = dice.arguments(city="Oslo")
    return script(tool_call("get_weather", *arguments), tool_call("get_weather", *arguments))


@builtin("tool-calls-mixed")
def mixed_calls(dice: Dice) -> Script:
    """A function's call, a custom tool's, and one without arguments."""
    return script(weather(dice), custom_tool_call("apply_patch", *dice.pieces(_patch(dice))), tool_call("get_time"))


@builtin("custom-tool-call")
def custom_call(dice: Dice) -> Script:
    """A custom tool's call, whose input is free text: Codex's apply_patch."""
    return script(custom_tool_call("apply_patch", *dice.pieces(_patch(dice)), id=f"call_{dice.pick(WORDS)}"))


@builtin("custom-tool-call-empty")
def custom_call_without_input(dice: Dice) -> Script:
    """A custom tool's call without any input."""
    return script(custom_tool_call("list_files"))


def _patch(dice: Dice) -> str:
    return PATCH.format(dice.pick(WORDS), dice.words(2, 4), dice.words(2, 4))


# --- hosted tools, images, unknown things ---------------------------------------------------------


@builtin("web-search")
def searched(dice: Dice) -> Script:
    """A hosted search, then text that cites a source, as OpenAI's and Anthropic's search tools answer."""
    words = dice.sentence()
    cited = citation("https://found.example/", dice.words(2, 3), start=0, end=len(words), cited=words)
    return script(
        web_search(dice.words(2, 5)), text(*dice.pieces(words), citations=[cited]), usage(60, 30, web_searches=1)
    )


@builtin("web-search-twice")
def searched_twice(dice: Dice) -> Script:
    """Two hosted searches with reasoning between, and a call at the end."""
    return script(web_search(dice.words(2, 5)), reasoning(*_pieces(dice)), web_search(dice.words(2, 5)), weather(dice))


@builtin("image")
def drawn(dice: Dice) -> Script:
    """A generated image, as OpenAI's image_generation tool and OpenRouter's `images`, and a word about it."""
    return script(image(PNG), text(*_pieces(dice)))


@builtin("image-webp")
def drawn_webp(dice: Dice) -> Script:
    """A generated image of another media type than PNG."""
    return script(image("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==", "image/webp"))


@builtin("image-in-tool-result")
def image_in_result(dice: Dice) -> Script:
    """A tool's result that holds an image, given whole: what the Codex backend and computer use return."""
    result = {
        "type": "function_call_output",
        "call_id": f"call_{dice.pick(WORDS)}",
        "output": [
            {"type": "input_text", "text": dice.sentence()},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
        ],
    }
    return script(item(**result), text(*_pieces(dice)))


@builtin("item-unknown")
def unknown_item(dice: Dice) -> Script:
    """An output item of a type that nobody knows yet, between two texts: it has to pass, or to be left out whole."""
    unknown = {"type": "holodeck_call", "status": "completed", "scene": dice.words(2, 4), "steps": [{"n": 1}, None]}
    return script(text(*_pieces(dice)), item(**unknown), text(*_pieces(dice)))


@builtin("item-mcp-call")
def mcp_call(dice: Dice) -> Script:
    """A call that the provider itself made of an MCP server, with its output."""
    call = {
        "type": "mcp_call",
        "server_label": dice.pick(WORDS),
        "name": "search",
        "arguments": "{}",
        "output": dice.sentence(),
    }
    return script(item(**call), text(*_pieces(dice)))


@builtin("event-unknown")
def unknown_event(dice: Dice) -> Script:
    """Events of a type that nobody knows, before and after the text (`codex.rate_limits` of the Codex backend)."""
    rates = {"type": "codex.rate_limits", "primary": {"used_percent": dice.between(0, 100)}}
    return script(event(**rates), text(*_pieces(dice)), event(**rates))


# --- between them ---------------------------------------------------------------------------------


@builtin("comment")
def commented(dice: Dice) -> Script:
    """Comments between the deltas, as OpenRouter's `: OPENROUTER PROCESSING`."""
    return script(comment("OPENROUTER PROCESSING"), text(*_pieces(dice)), comment("OPENROUTER PROCESSING"), text("!"))


@builtin("ping")
def pinged(dice: Dice) -> Script:
    """The dialect's own sign of life between the deltas, as Anthropic's `ping` events."""
    return script(ping(), text(*_pieces(dice)), ping(), text(*_pieces(dice)))


@builtin("pause")
def paused(dice: Dice) -> Script:
    """A pause of a tenth of a second in mid-sentence: a model that thinks between two words."""
    return script(text(dice.words(2, 4)), pause(0.1), text(f" {dice.words(2, 4)}."))


@builtin("held-before")
def held_before(dice: Dice) -> Script:
    """The barrier `held` before the first word: whether the head of the answer is delivered by itself."""
    return script(hold("held"), text(*_pieces(dice)))


@builtin("held-twice")
def held_twice(dice: Dice) -> Script:
    """The barriers `first` and `second` between three words."""
    return script(text("one "), hold("first"), text("two "), hold("second"), text("three"))


@builtin("held-in-call")
def held_between_calls(dice: Dice) -> Script:
    """The barrier `held` between two calls: whether the first is delivered before the second begins."""
    return script(weather(dice), hold("held"), weather(dice))


@builtin("held-at-end")
def held_at_end(dice: Dice) -> Script:
    """The barrier `held` after the terminal event: whether a client is done when the provider still holds the connection."""
    return script(text(*_pieces(dice)), completed(), hold("held"))


# --- usage ----------------------------------------------------------------------------------------


@builtin("usage-every-field")
def every_count(dice: Dice) -> Script:
    """Usage with every count that is known, all different, so that none can be taken for another."""
    counts = Usage(
        input=dice.between(900, 999),
        output=dice.between(700, 799),
        cached=101,
        reasoning=102,
        audio_input=103,
        audio_output=104,
        accepted_prediction=105,
        rejected_prediction=106,
        cache_write=107,
        cache_write_1h=108,
        web_searches=9,
    )
    return script(text(*_pieces(dice)), counts)


@builtin("usage-zero")
def no_counts(dice: Dice) -> Script:
    """Usage that is all zeros, as some local engines report."""
    return script(text(*_pieces(dice)), usage(0, 0))


@builtin("usage-cached")
def cached_counts(dice: Dice) -> Script:
    """Usage whose input is cached but for a few tokens, as in the second turn of every agent."""
    return script(text(*_pieces(dice)), usage(2048, 12, cached=2048 - dice.between(1, 9), cache_write=0))


@builtin("usage-huge")
def huge_counts(dice: Dice) -> Script:
    """Usage of more than 32 bits, which no provider reports: a counter that overflows."""
    return script(text(*_pieces(dice)), usage(2**32 + dice.between(1, 9), 2**31 + 1))


@builtin("usage-extra")
def extra_counts(dice: Dice) -> Script:
    """Usage with keys of the provider's own (OpenRouter's `cost`, vLLM's, Groq's times)."""
    return script(text(*_pieces(dice)), usage(20, 9, extra={"cost": 0.00014, "queue_time": 0.01, "is_byok": False}))


@builtin("usage-first")
def usage_first(dice: Dice) -> Script:
    """Usage that the script says before the text: where it stands on the wire is the dialect's business."""
    return script(_usage(dice), text(*_pieces(dice)))


# --- how it is completed --------------------------------------------------------------------------


@builtin("completed")
def said_to_be_completed(dice: Dice) -> Script:
    """A turn that says its ending: as without one."""
    return script(text(*_pieces(dice)), Completed())


@builtin("stop-sequence")
def stop_sequence(dice: Dice) -> Script:
    """Text that met a stop sequence, which Anthropic names in `stop_sequence`."""
    return script(text(*_pieces(dice)), completed(stop_sequence="END"))


@builtin("pause-turn")
def pause_turn(dice: Dice) -> Script:
    """The stop reason `pause_turn` after a hosted search: Anthropic wants to be asked to go on."""
    return script(web_search(dice.words(2, 4)), completed(reason="pause_turn"))


@builtin("window-exceeded")
def window_exceeded(dice: Dice) -> Script:
    """The stop reason `model_context_window_exceeded` of Anthropic's newer models."""
    return script(text(*_pieces(dice)), completed(reason="model_context_window_exceeded"))


@builtin("reason-unknown")
def unknown_reason(dice: Dice) -> Script:
    """A finish reason that nobody documents (`eos`, as Together's): clients that know a fixed list of them fail."""
    return script(text(*_pieces(dice)), completed(reason="eos"))
