"""Server-sent events, as the standard reads them (WHATWG HTML 9.2.5 and 9.2.6)."""

from __future__ import annotations

import pytest

from gateproof.answers.sse import Event, EventReader

STREAM = (
    b"\xef\xbb\xbf: a comment\r\nevent: first\r\ndata: one\r\ndata:two\r\n\r\n"
    b"event: lost\n\n"
    b"data:  two spaces\r\rid: 7\rretry: 3000\rdata\r\r"
    b"event:last\n:between\ndata: \xe2\x82\xac\xf0\x9f\xa6\x84\xe2\x80\xa8\xc2\x85|\x0b|\x0c\n\nunknown: x\n\n"
    b"event: cut\ndata: never dispatched"
)
EVENTS = [
    Event("first", "one\ntwo", 0.0, None),
    Event("", " two spaces", 0.0, None),
    Event("", "", 0.0, "7"),
    Event("last", "€🦄\u2028\x85|\x0b|\x0c", 0.0, "7"),
]


def read(*pieces: bytes) -> list[Event]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece, 0.0)]


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_it_does_not_matter_where_the_bytes_are_cut(at: int) -> None:
    assert read(STREAM[:at], STREAM[at:]) == EVENTS


def test_single_bytes_and_empty_pieces_give_the_same_events() -> None:
    assert read(*(piece for at in range(len(STREAM)) for piece in (STREAM[at : at + 1], b""))) == EVENTS


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_is_one(end: bytes) -> None:
    assert read(end.join([b"event: e", b"data: 1", b"", b"data: 2", b"", b""])) == [
        Event("e", "1", 0.0),
        Event("", "2", 0.0),
    ]


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        (b"data:x\n\n", ["x"]),
        (b"data: x\n\n", ["x"]),
        (b"data:\tx\n\n", ["\tx"]),
        (b"data\n\n", [""]),
        (b"data:\ndata:\n\n", ["\n"]),
        (b"data: a: b\n\n", ["a: b"]),
        (b"Data: x\n\n", []),
        (b" data: x\n\n", []),
        (b"datax: x\n\n", []),
        (b"data: x\n", []),
        (b"data: x", []),
        (b"\n\n\n\n", []),
        (b"data: \xff\xfe\n\n", ["��"]),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", ["a"]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
        (b"", []),
        (b"\xef", []),
    ],
)
def test_the_rules_for_data(wire: bytes, data: list[str]) -> None:
    assert [event.data for event in read(wire)] == data


def test_the_last_event_line_names_the_event_and_no_other() -> None:
    assert [e.name for e in read(b"event: a\nevent: b\ndata: 1\n\ndata: 2\n\nevent: c\n\ndata: 3\n\n")] == ["b", "", ""]


def test_an_id_stays_and_one_with_a_null_is_ignored() -> None:
    assert [e.id for e in read(b"data: 0\n\nid: 1\ndata: 1\n\nid: x\0\ndata: 2\n\nid\ndata: 3\n\n")] == [
        None,
        "1",
        "1",
        "",
    ]


def test_comments_are_counted() -> None:
    reader = EventReader()
    reader.feed(b":\n: keepalive\n\n:x\rdata: no comment:\n", 0.0)
    assert reader.comments == 3


@pytest.mark.parametrize(
    ("wire", "pending"),
    [
        (b"data: x\n\n", False),
        (b"data: x\r\n\r", False),
        (b"data: x\n\n: a comment with no line end", False),
        (b"data: x\n", True),
        (b"data: x", True),
        (b"event: x\n", True),
        (b"", False),
    ],
)
def test_an_event_that_was_begun_and_not_dispatched_is_pending(wire: bytes, pending: bool) -> None:
    reader = EventReader()
    reader.feed(wire, 0.0)
    assert reader.pending is pending


def test_an_event_has_the_time_of_its_last_byte() -> None:
    reader = EventReader()
    assert reader.feed(b"data: x\n", 1.0) == []
    assert reader.feed(b"\n", 2.0) == [Event("", "x", 2.0)]


@pytest.mark.parametrize("unit", [b"\r", b"\n", b"x", b":\r"])
def test_a_flood_in_small_pieces_is_read_in_linear_time(unit: bytes) -> None:
    # Quadratic work on a million bytes would take minutes.
    reader = EventReader()
    piece = unit * (64 // len(unit))
    assert [event for _ in range(2**14) for event in reader.feed(piece, 0.0)] == []


def test_a_flood_in_one_piece_is_read_in_linear_time() -> None:
    assert read(b"\r" * 2**20) == []
