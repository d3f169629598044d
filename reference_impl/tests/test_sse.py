"""The event stream format, to the byte."""

import pytest

from gateproof_reference import sse

STREAM = (
    b"\xef\xbb\xbf: hello\nevent: a\r\ndata: one\r\ndata:two\r\n\r\nevent: lost\n\ndata:  three\n\n"
    b"id: 1\nretry: 5\ndata\n\revent:b\rdata: \xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa8\r\runknown: x\ndata: [DONE]\n\ndata: cut"
)
EVENTS = [
    sse.Event("a", b"one\ntwo"),
    sse.Event("", b" three"),
    sse.Event("", b""),
    sse.Event("b", "€😀\u2028".encode()),
    sse.Event("", b"[DONE]"),
]


def test_a_stream_in_one_piece() -> None:
    assert sse.Decoder().feed(STREAM) == EVENTS


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_where_the_bytes_are_split_changes_nothing(at: int) -> None:
    decoder = sse.Decoder()
    assert decoder.feed(STREAM[:at]) + decoder.feed(STREAM[at:]) == EVENTS


def test_single_bytes_change_nothing() -> None:
    decoder = sse.Decoder()
    assert [event for at in range(len(STREAM)) for event in decoder.feed(STREAM[at : at + 1])] == EVENTS


def test_a_later_byte_order_mark_is_data() -> None:
    assert sse.Decoder().feed(b"data: a\n\n\xef\xbb\xbfdata: b\n\ndata: \xef\xbb\xbf\n\n") == [
        sse.Event("", b"a"),
        sse.Event("", b"\xef\xbb\xbf"),
    ]


def test_an_event_without_data_is_not_dispatched_and_leaves_no_name() -> None:
    assert sse.Decoder().feed(b"event: ping\n\ndata: x\n\n") == [sse.Event("", b"x")]


def test_an_event_without_its_blank_line_is_not_dispatched() -> None:
    assert sse.Decoder().feed(b"data: x\n") == []


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LIMIT", 10)
    decoder = sse.Decoder()
    decoder.feed(b"data: 1234")
    with pytest.raises(sse.TooLongError):
        decoder.feed(b"5")


def test_an_event_of_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LIMIT", 10)
    with pytest.raises(sse.TooLongError):
        sse.Decoder().feed(b"data: 1234567\ndata: 1234567\n")


def test_what_is_encoded_is_decoded() -> None:
    frame = sse.encode(b"one\ntwo", "name")
    assert frame == b"event: name\ndata: one\ndata: two\n\n"
    assert sse.Decoder().feed(frame) == [sse.Event("name", b"one\ntwo")]
