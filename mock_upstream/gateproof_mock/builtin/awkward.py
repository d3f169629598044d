"""Text that a careless reader or writer takes for something else."""

from __future__ import annotations

from gateproof_mock.builtin.dice import Dice
from gateproof_mock.builtin.registry import Maker, register
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import reasoning, text, tool_call

_AWKWARD: dict[str, tuple[str, tuple[str, ...]]] = {
    "awkward-done": (
        "The literal text `[DONE]`, alone in a delta: readers that look for it anywhere end there.",
        ("Say ", "[DONE]", " and go on."),
    ),
    "awkward-data-lines": (
        "Text with lines that begin with `data: ` and blank lines, as a model that explains SSE says.",
        ('data: {"a": 1}\n\n', "data: [DONE]\n\n", "\ndata:x"),
    ),
    "awkward-event-lines": (
        "Text with lines that begin with `event:`, `id:`, `retry:` and a colon, as a model that explains SSE says.",
        ("event: response.completed\n", "id: 1\nretry: 5\n", ": ping\n\n"),
    ),
    "awkward-json": (
        'Text that is itself JSON, an error\'s: readers that look for `"error"` anywhere see a failure.',
        ('{"error": {"message": "', 'not one", "type": "server_error"}}'),
    ),
    "awkward-line-ends": (
        "CR, LF, CRLF, vertical tab and form feed in the text, which JSON escapes.",
        ("a\rb", "\nc\r\n", "d\x0be\x0cf", "\r", "\n"),
    ),
    "awkward-separators": (
        "U+2028, U+2029 and U+0085 in the text: raw in JSON, and line ends to httpx's iter_lines and Python's splitlines.",
        ("a\u2028b", "c\u2029d", "\u0085", "\u2028"),
    ),
    "awkward-emoji": (
        "Emoji, joined families and flags, each delta a part of one: what counts characters counts them differently.",
        ("👩", "\u200d👩", "\u200d👧", "🇳", "🇴", "🏔", "\ufe0f"),
    ),
    "awkward-scripts": (
        "Many scripts, right-to-left marks and combining accents, unnormalised: nobody is asked to normalise.",
        ("日本語 ", "العربية\u200f ", "עברית ", "e\u0301 é ", "𝕏𐍈 ", "นี่"),
    ),
    "awkward-control": (
        "NUL and other control characters, which JSON escapes, and U+FFFD and U+FEFF, which it does not.",
        ("a\x00b", "\x01\x1b[31m\x7f", "\ufffd", "\ufeff"),
    ),
    "awkward-quotes": (
        "Backslashes and quotation marks in every mixture: what is escaped once too often or too seldom.",
        ('\\"', "\\\\n", "\\u00e9", "'", '"""', "\\"),
    ),
    "awkward-html": (
        "Markup and entities, which HTML-safe JSON writers (Go's) escape as `\\u003c`.",
        ("<script>&amp;", "</script>", "<!-- -->", "&lt;"),
    ),
    "awkward-empty-deltas": (
        "Empty deltas before, between and after the words, as vLLM and Azure send.",
        ("", "a", "", "", "b", ""),
    ),
    "awkward-blank-deltas": (
        "Deltas of white space alone, first and last too: code is indented, and nothing may be trimmed.",
        ("  ", "\n", "\t", "x", "    ", "\n\n", " "),
    ),
    "awkward-only-blank": ("An answer of white space alone.", (" ", "\n", " ")),
    "awkward-marker-like": (
        "Braces and words that look like templates: `{call}`, `%s`, `${HOME}`, `{{0}}`.",
        ("{call}", "%s %d", "${HOME}", "{{0}}", "{credential}"),
    ),
    "awkward-think-tags": (
        "Literal `<think>` tags in the text: gateways that split them off as reasoning do so in other models' words too.",
        ("<think>", "not thought", "</think>", "said"),
    ),
}


def _maker(pieces: tuple[str, ...]) -> Maker:
    def make(dice: Dice) -> Script:
        # What is awkward stays; its surroundings vary, so that no answer is known by heart.
        return script(text(*pieces, f" {dice.sentence()}") if dice.between(0, 1) else text(*pieces))

    return make


for _name, (_doc, _pieces) in _AWKWARD.items():
    register(_name, _maker(_pieces), _doc)


def _long_word(dice: Dice) -> Script:
    return script(text("a", dice.pick(("x", "長", "0")) * 100_000, "b"))


def _everywhere(dice: Dice) -> Script:
    words = 'a\u2028b "\\" 🙂 [DONE]\n\ndata: x'
    return script(reasoning(words), text(words), tool_call("say", *dice.arguments(words=words)))


register("awkward-long-word", _long_word, "One word of 100,000 characters without a space, as models in a loop say.")
register(
    "awkward-everywhere", _everywhere, "Separators, quotes, emoji and SSE words in reasoning, text and arguments alike."
)
