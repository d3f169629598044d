"""JSON on the wire."""

import json

import pytest

from gateproof_reference import wirejson


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b"{", b"\xff", b"[" * 100_000, b""])
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        wirejson.parse(text)


def test_only_objects_count() -> None:
    assert wirejson.parse_object(b"[1]") is None
    assert wirejson.parse_object(b"{bad") is None
    assert wirejson.parse_object(b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize("words", ['"\\/', "\n\t\x1b\x07\x0b\x00\x7f", "\u2028\u0085é漢😀", "\ud800"])
def test_words_survive_as_ascii(words: str) -> None:
    data = wirejson.dump({"a": words})
    assert data.isascii()
    assert not set(data) & set(range(0x20))
    assert json.loads(data) == {"a": words}


def test_helpers_pass_over_what_has_the_wrong_type() -> None:
    assert wirejson.text(1) == ""
    assert wirejson.objects({"a": 1}) == []
    assert wirejson.objects([1, {"a": 1}, None]) == [{"a": 1}]
    assert wirejson.integer(True) is None
    assert wirejson.integer(3) == 3
