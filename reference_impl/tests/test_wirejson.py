"""JSON on the wire."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateproof_reference import wirejson


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b"{", b"\xff", b"[" * 100_000, b""])
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        wirejson.parse(text)


def test_only_objects_count() -> None:
    assert wirejson.parse_object(b"[1]") is None
    assert wirejson.parse_object(b"{bad") is None
    assert wirejson.parse_object(b'{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    "words", ['"\\/', "\n\t\x1b\x07\x0b\x00\x7f", "\u2028\u2029\u0085é漢😀", "\ud800", "\ud83d\u2028é"]
)
def test_words_survive_in_one_line(words: str) -> None:
    data = wirejson.dump({"a": words})
    assert len(data.decode().splitlines()) == 1
    assert json.loads(data) == {"a": words}


def test_only_halves_of_characters_turn_the_text_to_ascii() -> None:
    assert wirejson.dump("é漢😀") == '"é漢😀"'.encode()
    assert wirejson.dump("é\ud83d") == b'"\\u00e9\\ud83d"'


AGREED = [
    *(b"0", b"-0", b"-0.0", b"1.0", b"1E5", b"0.1", b"5e-324", b"1e-400", b"9007199254740993", b"123456789012345678.0"),
    *(b"18446744073709551615", b"18446744073709551616", b"-9223372036854775809", b"1180591620717411303424"),
    *(b"1e400", b"-1e400", b"1" * 400 + b".0", b"9" * 5000, b"01", b"+1", b".5", b"1.", b"0x1", b"1e", b"-"),
    *(b"true", b"null", b"True", b"nul", b"NaN", b"-Infinity", b"undefined", b"", b" ", b"\x0c1", b"\xc2\xa01", b"1 2"),
    *(
        b'"\\ud83d"',
        b'"\\ude00"',
        b'"\\ud83d\\ude00"',
        b'"\\ude00\\ud83d"',
        b'"\\ud83dx"',
        b'"\\ud83d\\n"',
        b'"\\uD83D"',
    ),
    *(
        b'"\\u0000"',
        b'"\\x"',
        b'"\\u12"',
        b'"\\u+123"',
        b'"a',
        b'"\t"',
        b'"\x7f"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\xc0\xaf"',
    ),
    *('"\u2028\u2029\u0085é漢😀"'.encode(), b"\xef\xbb\xbf1", b"'a'", b"// a\n1", b"[1,]", b"[,1]", b"[1 2]", b"{,}"),
    *(
        b'{"a":1,"a":2}',
        b'{"\\u0061":1,"a":2}',
        b'{"\\ud83d":1}',
        b"{a:1}",
        b'{"a"}',
        b'{"a":1,}',
        b'{"\xff":1}',
        b"{1:1}",
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 500 + b"]" * 500,
        b' {"a" : [ 1 , {"b" : null} ] } ',
        b"[[]]]",
        b"1\x00",
    ),
]


def result(read: Callable[[], Any]) -> str:
    """Return what reading gives, to the type of each number; any refusal is the same."""
    try:
        return repr(read())
    except ValueError:
        return "refused"


@pytest.mark.parametrize("data", AGREED, ids=lambda data: ascii(data[:24]))
def test_both_engines_read_the_same(data: bytes) -> None:
    assert result(lambda: wirejson.parse(data)) == result(lambda: wirejson.parse_text(data.decode("utf-8")))


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(st.characters())
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner), max_leaves=8
)


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_what_either_engine_writes_both_read(value: Any) -> None:
    quick, ascii_only = wirejson.dump(value), wirejson.dump_ascii(value)
    for data in (quick, ascii_only):
        assert repr(wirejson.parse(data)) == repr(value)
        assert repr(wirejson.parse_text(data.decode())) == repr(value)
    assert len(quick.decode().splitlines()) == 1


@given(st.text('[]{}:,"\\\\/ \n\ud83dudde0189eE+-.tfn\u2028', max_size=12))
@settings(max_examples=300, deadline=None)
def test_both_engines_judge_the_same(words: str) -> None:
    data = words.encode("utf-8", "surrogatepass")
    assert result(lambda: wirejson.parse(data)) == result(lambda: wirejson.parse_text(data.decode("utf-8")))


def test_helpers_pass_over_what_has_the_wrong_type() -> None:
    assert wirejson.text(1) == ""
    assert wirejson.objects({"a": 1}) == []
    assert wirejson.objects([1, {"a": 1}, None]) == [{"a": 1}]
    assert wirejson.integer(True) is None
    assert wirejson.integer(3) == 3
