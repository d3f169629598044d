"""No secret in anything that is kept or shown."""

from __future__ import annotations

import json
import random

import pytest

from gateproof.redact import HIDDEN, Redactor, is_secret

KEY = "sk-proj-Zq4/abc+DEF==0123456789"


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        (KEY, f"key {KEY}!", "key ***!"),
        (f"Bearer {KEY}", f"Authorization: Bearer {KEY}", "Authorization: Bearer ***"),
        (f"bearer {KEY}", f"{KEY}{KEY}", "***"),
        (f"  Basic {KEY} ", f"<{KEY}>", "<***>"),
        ("Bearer with a space in it", "with a space in it", "***"),
        ("two words", "two words", "***"),
        (KEY, json.dumps({"key": KEY}), '{"key": "***"}'),
        (KEY, json.dumps({"key": KEY}).replace("/", "\\/"), '{"key": "***"}'),
        ('a"b\\c\u00e9f', json.dumps('a"b\\c\u00e9f'), '"***"'),
        ('a"b\\c\u00e9f', json.dumps('a"b\\c\u00e9f', ensure_ascii=False), '"***"'),
        ("it's \\ 7", repr("it's \\ 7"), '"***"'),
        ("abcdef", "abcdef abcde", "*** abcde"),
        ("abcde", "abcde", "abcde"),
        ("", "", ""),
        ("Bearer", "Bearer of news", "*** of news"),
        ("lane=sessionsecret; theme=dark", "sessionsecret", "***"),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(secret: str, text: str, shown: str) -> None:
    assert Redactor([secret]).text(text) == shown


def test_the_longest_of_secrets_that_hold_one_another_is_hidden_whole() -> None:
    for order in (["abcdef", "abcdefghij"], ["abcdefghij", "abcdef"], ["cdefgh", "abcdef", "efghij"]):
        assert Redactor(order).text("<abcdefghij>") == "<***>"


def test_secrets_that_overlap_leave_nothing() -> None:
    assert Redactor(["abcdefgh", "efghijkl"]).text("abcdefghijkl") == HIDDEN


@pytest.mark.parametrize("kept", range(12, len(KEY)))
def test_a_long_secret_that_was_cut_off_is_hidden_too(kept: int) -> None:
    redactor = Redactor([KEY])
    assert redactor.text(f"'the key {KEY[:kept]}") == "'the key ***"
    assert redactor.text(f"...{KEY[-kept:]}'") == "...***'"
    assert redactor.text(f"{KEY[:kept]}...{KEY[-12:]}") == "***...***"


@pytest.mark.parametrize("at", range(len(KEY) + 3))
def test_a_secret_that_is_cut_between_two_pieces_is_hidden_in_both(at: int) -> None:
    text = f"<{KEY}>"
    shown = Redactor([KEY]).pieces([text[:at], text[at:]])
    assert "".join(shown) == "<***>"
    assert len(shown) == 2


def test_pieces_of_any_size_say_the_same_as_the_whole() -> None:
    rng = random.Random(7)
    redactor = Redactor([KEY, "abcdef", "fabcde"])
    for _ in range(200):
        text = "".join(rng.choice([KEY, "abcdef", "fab", "cde", "x", "", "\u2028"]) for _ in range(12))
        cuts = sorted(rng.randrange(len(text) + 1) for _ in range(6))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert "".join(redactor.pieces(pieces)) == redactor.text(text)
        assert "abcdef" not in redactor.text(text)
        assert KEY not in redactor.text(text)


def test_no_pieces_are_none() -> None:
    assert Redactor([KEY]).pieces([]) == []
    assert Redactor().pieces(["", "x"]) == ["", "x"]


def test_secret_headers_are_hidden_and_learned_short_ones_too() -> None:
    redactor = Redactor()
    shown = redactor.headers([("X-Api-Key", "abc"), ("Authorization", f"Bearer {KEY}"), ("X-Other", "abc"), ("A", KEY)])
    assert shown == [("X-Api-Key", HIDDEN), ("Authorization", HIDDEN), ("X-Other", "abc"), ("A", HIDDEN)]
    assert redactor.text(f"abc {KEY}") == "abc ***"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Authorization", True),
        ("proxy-authorization", True),
        ("X-API-KEY", True),
        ("api_key", True),
        ("apikey", True),
        ("x-goog-api-key", True),
        ("Ocp-Apim-Subscription-Key", True),
        ("X-Auth-Token", True),
        ("X-Amz-Security-Token", True),
        ("Client-Secret", True),
        ("X-Auth", True),
        ("Cookie", True),
        ("Set-Cookie", True),
        ("Content-Type", False),
        ("X-Request-Id", False),
        ("OpenAI-Organization", False),
        ("Retry-After", False),
    ],
)
def test_a_header_is_secret_by_its_name(name: str, secret: bool) -> None:
    assert is_secret(name) is secret


def test_what_no_file_can_hold_is_shown_as_its_escape() -> None:
    assert Redactor([KEY]).text(f"\ud800 {KEY} é 🦄") == "\\ud800 *** é 🦄"
